"""What each kind of trader does when it wakes."""

from __future__ import annotations

import math

from tidewright.kernels.agents import layout as at
from tidewright.kernels.agents.layout import Float64, Int64
from tidewright.kernels.agents.market import draw, is_live, lots_held, middle, send, withdraw_order
from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as book_at

MOST_LEAN = 0.000_02
"""The most that a maker's price moves with each unit of inventory, as a share of the price.

Makers that hold all they may quote one side alone, and a larger lean would chase the price by
percents.
"""


@inlined
def inside(book: Int64, price: float) -> int:
    """Return the nearest price that a book has."""
    return min(max(int(price), 1), book[book_at.PRICES] - 2)  # type: ignore[no-any-return]


@compiled
def forget(
    book: Int64, accounts: Int64, log: Int64, mail: Int64, traders: Int64, trader: int, which: int
) -> None:
    """Cancel one of a trader's orders, if it stands."""
    row = trader * at.N_TRADER
    handle = traders[row + which]
    if is_live(book, handle):
        withdraw_order(book, accounts, log, mail, traders[row + at.ACCOUNT], handle)
    traders[row + which] = 0


@compiled
def make_market(
    book: Int64,
    accounts: Int64,
    log: Int64,
    mail: Int64,
    traders: Int64,
    habits: Float64,
    trader: int,
) -> None:
    """Quote both sides around a price that leans against what is held.

    Avellaneda & Stoikov (2008) with a horizon that does not end: the reservation price is the
    middle less inventory x aversion x variance, the half-spread is aversion x variance / 2 plus a
    part that depends on how often orders come (``HALF_SPREAD``). Variance is measured from one wake
    to the next.
    """
    row, habit = trader * at.N_TRADER, trader * at.N_HABIT
    account, size = traders[row + at.ACCOUNT], traders[row + at.SIZE]
    price = middle(book)
    if price == 0.0:
        return
    seen = habits[habit + at.SEEN]
    if seen > 0.0:
        squared = (price - seen) * (price - seen)
        memory = habits[habit + at.MEMORY]
        habits[habit + at.VARIANCE] += memory * (squared - habits[habit + at.VARIANCE])
    habits[habit + at.SEEN] = price
    # Without a bound, wide quotes make a volatile middle, and that makes wider quotes.
    lean = min(habits[habit + at.AVERSION] * habits[habit + at.VARIANCE], MOST_LEAN * price)
    held = (lots_held(book, accounts, account) - traders[row + at.START_LOTS]) / float(size)
    fair = price - held * lean
    half = 0.5 * lean + habits[habit + at.HALF_SPREAD]
    bid = inside(book, math.floor(fair - half))
    ask = inside(book, math.ceil(fair + half))
    forget(book, accounts, log, mail, traders, trader, at.FIRST_ORDER)
    forget(book, accounts, log, mail, traders, trader, at.SECOND_ORDER)
    if ask <= bid:
        ask = bid + 1
    most = traders[row + at.MOST_LOTS] / float(size)
    if held < most:
        order = (book_at.POST_ONLY, 1, min(bid, book[book_at.ASK] - 1), size)
        traders[row + at.FIRST_ORDER] = send(book, accounts, log, mail, account, order)
    if held > -most:
        order = (book_at.POST_ONLY, -1, max(ask, book[book_at.BID] + 1), size)
        traders[row + at.SECOND_ORDER] = send(book, accounts, log, mail, account, order)


@compiled
def act_at_random(
    book: Int64,
    accounts: Int64,
    log: Int64,
    mail: Int64,
    clock: Int64,
    traders: Int64,
    habits: Float64,
    trader: int,
) -> None:
    """Cancel, take or add without a view (zero intelligence: Farmer, Patelli & Zovko 2005).

    New orders stand at distances with a power-law tail from the opposite best price.
    """
    row, habit = trader * at.N_TRADER, trader * at.N_HABIT
    account = traders[row + at.ACCOUNT]
    chance = draw(clock, traders, trader, at.DRAW_ACT)
    handle = traders[row + at.FIRST_ORDER]
    if is_live(book, handle) and chance < habits[habit + at.CANCELS]:
        withdraw_order(book, accounts, log, mail, account, handle)
        traders[row + at.FIRST_ORDER] = 0
        return
    side = 1 if draw(clock, traders, trader, at.DRAW_SIDE) < 0.5 else -1
    lots = 1 + int(draw(clock, traders, trader, at.DRAW_SIZE) * float(traders[row + at.SIZE]))
    if chance > 1.0 - habits[habit + at.TAKES]:
        send(book, accounts, log, mail, account, (book_at.MARKET, side, 0, lots))
        return
    if is_live(book, handle):
        return
    price = middle(book)
    far = habits[habit + at.DISTANCE] / math.sqrt(1e-6 + draw(clock, traders, trader, at.DRAW_AWAY))
    limit = inside(book, price - far) if side > 0 else inside(book, price + far + 1.0)
    answer = send(book, accounts, log, mail, account, (book_at.LIMIT, side, limit, lots))
    traders[row + at.FIRST_ORDER] = answer if answer > 0 else 0


@compiled
def follow_trend(
    book: Int64,
    accounts: Int64,
    log: Int64,
    mail: Int64,
    traders: Int64,
    habits: Float64,
    trader: int,
) -> None:
    """Take in the direction of a fast average over a slow one; get out when they meet again."""
    row, habit = trader * at.N_TRADER, trader * at.N_HABIT
    account, size = traders[row + at.ACCOUNT], traders[row + at.SIZE]
    price = middle(book)
    if price == 0.0:
        return
    if habits[habit + at.SEEN] == 0.0:
        habits[habit + at.SEEN] = price
        habits[habit + at.FAST] = habits[habit + at.SLOW] = price
    memory = habits[habit + at.MEMORY]
    habits[habit + at.FAST] += 4.0 * memory * (price - habits[habit + at.FAST])
    habits[habit + at.SLOW] += memory * (price - habits[habit + at.SLOW])
    trend = habits[habit + at.FAST] - habits[habit + at.SLOW]
    held = lots_held(book, accounts, account) - traders[row + at.START_LOTS]
    threshold = habits[habit + at.THRESHOLD] * price
    wanted = 0
    if abs(trend) > threshold:
        wanted = traders[row + at.MOST_LOTS] if trend > 0.0 else -traders[row + at.MOST_LOTS]
    missing = wanted - held
    if missing != 0 and (wanted != 0 or trend * float(held) < 0.0):
        lots = min(abs(missing), size)
        side = 1 if missing > 0 else -1
        send(book, accounts, log, mail, account, (book_at.MARKET, side, 0, lots))


@compiled
def seek_value(
    book: Int64,
    accounts: Int64,
    log: Int64,
    mail: Int64,
    clock: Int64,
    traders: Int64,
    habits: Float64,
    values: Float64,
    trader: int,
) -> None:
    """Trade towards an own, biased estimate of the hidden value: take when it is far, else wait."""
    row, habit = trader * at.N_TRADER, trader * at.N_HABIT
    account, size = traders[row + at.ACCOUNT], traders[row + at.SIZE]
    worth = values[traders[row + at.MARKET] * at.N_VALUE + at.WORTH]
    mistake = 2.0 * draw(clock, traders, trader, at.DRAW_ACT) - 1.0
    held = lots_held(book, accounts, account) - traders[row + at.START_LOTS]
    # Whoever holds much of a good wants a better price for more of it.
    lean = habits[habit + at.AVERSION] * float(held) / float(traders[row + at.MOST_LOTS])
    fair = worth * (1.0 + habits[habit + at.BIAS] * (1.0 + mistake) - lean)
    bid, ask = book[book_at.BID], book[book_at.ASK]
    edge = habits[habit + at.THRESHOLD] * fair
    forget(book, accounts, log, mail, traders, trader, at.FIRST_ORDER)
    most = traders[row + at.MOST_LOTS]
    if ask < book[book_at.PRICES] and fair > float(ask) + edge and held < most:
        order = (book_at.IMMEDIATE, 1, inside(book, fair - edge), size)
        send(book, accounts, log, mail, account, order)
    elif bid > 0 and fair < float(bid) - edge and held > -most:
        order = (book_at.IMMEDIATE, -1, inside(book, fair + edge), size)
        send(book, accounts, log, mail, account, order)
    else:
        side = 1 if draw(clock, traders, trader, at.DRAW_SIDE) < 0.5 else -1
        price = inside(book, fair - float(side) * edge)
        if (side > 0 and held < most) or (side < 0 and held > -most):
            answer = send(book, accounts, log, mail, account, (book_at.LIMIT, side, price, size))
            traders[row + at.FIRST_ORDER] = answer if answer > 0 else 0


@compiled
def close_gap(
    book: Int64,
    other: Int64,
    accounts: Int64,
    logs: tuple[Int64, Int64],
    mail: Int64,
    traders: Int64,
    habits: Float64,
    trader: int,
) -> None:
    """Buy where it is cheap and sell where it is dear, when the gap pays for both trades."""
    row, habit = trader * at.N_TRADER, trader * at.N_HABIT
    account, size = traders[row + at.ACCOUNT], traders[row + at.SIZE]
    cost = habits[habit + at.THRESHOLD]
    here_bid, here_ask = book[book_at.BID], book[book_at.ASK]
    there_bid, there_ask = other[book_at.BID], other[book_at.ASK]
    if here_bid == 0 or there_bid == 0:
        return
    if float(there_bid) > float(here_ask) * (1.0 + cost):
        send(book, accounts, logs[0], mail, account, (book_at.IMMEDIATE, 1, here_ask, size))
        send(other, accounts, logs[1], mail, account, (book_at.IMMEDIATE, -1, there_bid, size))
    elif float(here_bid) > float(there_ask) * (1.0 + cost):
        send(book, accounts, logs[0], mail, account, (book_at.IMMEDIATE, -1, here_bid, size))
        send(other, accounts, logs[1], mail, account, (book_at.IMMEDIATE, 1, there_ask, size))
