"""What traders do with a book: ask for it, send it orders, and hear the hidden value's news."""

from __future__ import annotations

import math

from tidewright.kernels.agents import layout as at
from tidewright.kernels.agents.layout import Float64, Int64
from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as book_at
from tidewright.kernels.matching.run import take
from tidewright.kernels.synthetic import shock, uniform


@inlined
def draw(clock: Int64, traders: Int64, trader: int, purpose: int) -> float:
    """Return the trader's next random number in [0, 1) for a purpose."""
    row = trader * at.N_TRADER
    traders[row + at.DRAWS] += 1
    return uniform(clock[at.SEED], purpose, trader, traders[row + at.DRAWS])


@inlined
def middle(book: Int64) -> float:
    """Return the price between the best quotes, or the last price; 0 where there is none."""
    bid, ask = book[book_at.BID], book[book_at.ASK]
    if bid > 0 and ask < book[book_at.PRICES]:
        return 0.5 * float(bid + ask)
    return float(book[book_at.LAST])


@compiled
def send(
    book: Int64,
    accounts: Int64,
    log: Int64,
    mail: Int64,
    account: int,
    order: tuple[int, int, int, int],
) -> int:
    """Send an order of (kind, side, price, lots) and return its answer."""
    for place in range(book_at.N_MESSAGE):
        mail[place] = 0
    mail[book_at.WHO] = account
    mail[book_at.ORDER_KIND] = order[0]
    mail[book_at.WHICH_SIDE] = order[1]
    mail[book_at.AT_PRICE] = order[2]
    mail[book_at.HOW_MANY] = order[3]
    mail[book_at.SELF_TRADE] = book_at.EXPIRE_MAKER
    return take(book, accounts, log, mail)


@compiled
def withdraw_order(
    book: Int64, accounts: Int64, log: Int64, mail: Int64, account: int, handle: int
) -> int:
    """Cancel an order; the answer is below 0 when it traded before."""
    for place in range(book_at.N_MESSAGE):
        mail[place] = 0
    mail[book_at.WHAT] = book_at.CANCEL
    mail[book_at.WHO] = account
    mail[book_at.ORDER] = handle
    return take(book, accounts, log, mail)


@inlined
def is_live(book: Int64, handle: int) -> bool:
    """Return whether an order still stands."""
    if handle <= 0:
        return False
    slot = handle & (book[book_at.CAPACITY] - 1)
    row = book_at.HEADER + slot * book_at.N_ORDER
    return bool(book[row + book_at.HANDLE] == handle)


@compiled
def lots_held(book: Int64, accounts: Int64, account: int) -> int:
    """Return the lots of the base asset that an account has, locked ones included."""
    place = account * book[book_at.WIDTH] + book[book_at.BASE]
    return (accounts[place] + accounts[place + 1]) // book[book_at.BASE_UNIT]  # type: ignore[no-any-return]


@compiled
def tell_news(clock: Int64, values: Float64, markets: int) -> None:
    """Let the hidden values move until now: a walk whose volatility wanders, with rare jumps.

    The logarithm of volatility returns to its mean as an Ornstein-Uhlenbeck process does; the value
    is pulled back to its start so weakly that it matters over weeks alone. What moves all markets
    of one common seed is a part of each one's moves.
    """
    while clock[at.NEXT_NEWS] <= clock[at.NOW]:
        clock[at.NEXT_NEWS] += clock[at.NEWS_EVERY]
        clock[at.NEWS_COUNT] += 1
        moment = clock[at.NEWS_COUNT]
        for market in range(markets):
            row = market * at.N_VALUE
            if values[row + at.DIVIDEND] > 0.0:
                continue
            unrest = values[row + at.UNREST] * shock(clock[at.SEED], at.DRAW_UNREST, market, moment)
            away = values[row + at.LOG_VOLATILITY] - values[row + at.CALM_VOLATILITY]
            values[row + at.LOG_VOLATILITY] += unrest - values[row + at.RETURN_TO_CALM] * away
            size = math.exp(values[row + at.LOG_VOLATILITY])
            tied = values[row + at.TIED]
            own = math.sqrt(1.0 - tied * tied) * shock(clock[at.SEED], at.DRAW_NEWS, market, moment)
            move = size * (own + tied * shock(clock[at.COMMON_SEED], at.DRAW_COMMON, 0, moment))
            chance = uniform(clock[at.SEED], at.DRAW_JUMP, market, moment)
            if chance < values[row + at.JUMP_CHANCE]:
                side = 1.0 if 2.0 * chance < values[row + at.JUMP_CHANCE] else -1.0
                move += side * size * values[row + at.JUMP_SIZE]
            worth = values[row + at.WORTH]
            move += values[row + at.PULL] * (values[row + at.START_WORTH] / worth - 1.0)
            values[row + at.WORTH] = worth * (1.0 + max(min(move, 0.2), -0.2))
        for market in range(markets):
            if values[market * at.N_VALUE + at.DIVIDEND] > 0.0:
                follow_two(values, market)


@inlined
def follow_two(values: Float64, market: int) -> None:
    """Let a market's hidden value be that of one other market in units of a second one."""
    row = market * at.N_VALUE
    one = (int(values[row + at.DIVIDEND]) - 1) * at.N_VALUE
    other = (int(values[row + at.DIVISOR]) - 1) * at.N_VALUE
    gain = values[one + at.WORTH] / values[one + at.START_WORTH]
    loss = values[other + at.WORTH] / values[other + at.START_WORTH]
    values[row + at.WORTH] = values[row + at.START_WORTH] * gain / loss
