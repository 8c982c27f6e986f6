"""What a learner sees of its market after a step, and what the step was worth."""

from __future__ import annotations

from tidewright.kernels.agents.market import is_live
from tidewright.kernels.environment import layout as at
from tidewright.kernels.environment.layout import Float32, Float64, Int64
from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as book_at
from tidewright.kernels.matching.ladder import row_of
from tidewright.kernels.matching.memory import onward

DEPTHS = (1, 3, 5)
"""Prices from the best one on over which the lots of both sides are compared."""
LAGS = (1, 4, 15)
"""Steps over which the middle's move is told."""


@inlined
def note_middle(book: Int64, market: Int64) -> int:
    """Keep and return bid + ask, which is twice the middle; the last one while a side is empty."""
    bid, ask = book[book_at.BID], book[book_at.ASK]
    if bid > 0 and ask < book[book_at.PRICES]:
        market[at.MIDDLE] = bid + ask
    return market[at.MIDDLE]  # type: ignore[no-any-return]


@inlined
def worth_of(accounts: Int64, place: int, doubled: int) -> int:
    """Return twice what an account gained since its start, its good valued at the middle."""
    money = accounts[place + 2] + accounts[place + 3] - at.START_MONEY
    good = accounts[place] + accounts[place + 1] - at.START_LOTS * at.UNIT
    return 2 * money + good * doubled  # type: ignore[no-any-return]


@inlined
def units_held(accounts: Int64, place: int) -> int:
    """Return the units of the good that an account has beyond its start."""
    return accounts[place] + accounts[place + 1] - at.START_LOTS * at.UNIT  # type: ignore[no-any-return]


@compiled
def see_order(book: Int64, handle: int, doubled: int, seen: Float32, place: int) -> None:
    """Tell an own order's distance from the middle, its lots, and the lots before it."""
    seen[place] = 0.0
    seen[place + 1] = 0.0
    seen[place + 2] = 0.0
    if not is_live(book, handle):
        return
    slot = handle & (book[book_at.CAPACITY] - 1)
    row = row_of(slot)
    distance = doubled - 2 * book[row + book_at.PRICE]
    seen[place] = 0.5 * float(distance * book[row + book_at.SIDE])
    seen[place + 1] = float(book[row + book_at.LOTS])
    before, ahead = book[row + book_at.PREVIOUS], 0
    while before != 0:
        row = row_of(before)
        ahead += book[row + book_at.SHOWN]
        before = book[row + book_at.PREVIOUS]
    seen[place + 2] = float(ahead)


@compiled
def see_depth(book: Int64, seen: Float32) -> None:
    """Tell the lots at both best prices, and how they compare over some prices from there on."""
    bid, ask, levels = book[book_at.BID], book[book_at.ASK], book[book_at.LEVELS]
    bids, asks, step, place = 0, 0, 0, at.SEEN_BALANCE
    for depth in DEPTHS:
        while step < depth:
            if bid - step > 0:
                bids += book[levels + (bid - step) * book_at.N_LEVEL + book_at.SHOWN_LOTS]
            if ask + step < book[book_at.PRICES]:
                asks += book[levels + (ask + step) * book_at.N_LEVEL + book_at.SHOWN_LOTS]
            step += 1
        if depth == 1:
            seen[at.SEEN_BID_LOTS] = float(bids)
            seen[at.SEEN_ASK_LOTS] = float(asks)
        seen[place] = float(bids - asks) / float(max(bids + asks, 1))
        place += 1


@compiled
def see_quotes(book: Int64, market: Int64, doubled: int, seen: Float32) -> None:
    """Tell the best quotes against the first middle, the spread, and how the middle moved."""
    bid, ask, first = book[book_at.BID], book[book_at.ASK], market[at.FIRST_MIDDLE]
    if bid == 0 or ask == book[book_at.PRICES]:
        seen[at.SEEN_BID] = seen[at.SEEN_ASK] = 0.5 * float(doubled - first)
        seen[at.SEEN_SPREAD] = 0.0
    else:
        seen[at.SEEN_BID] = 0.5 * float(2 * bid - first)
        seen[at.SEEN_ASK] = 0.5 * float(2 * ask - first)
        seen[at.SEEN_SPREAD] = float(ask - bid)
    moment, place = market[at.STEP], at.SEEN_RETURN
    market[at.HISTORY + (moment & (at.PAST - 1))] = doubled
    for lag in LAGS:
        # Before the first step the ring holds the first middle.
        past = market[at.HISTORY + ((moment - lag) & (at.PAST - 1))]
        seen[place] = 0.5 * float(doubled - past)
        place += 1


@compiled
def observe(market: Int64, rules: Int64, seen: Float32, outcome: Float64) -> float:
    """Write what the learner sees now, its profit and what it holds.

    Returns
    -------
    float
        By how much the profit grew since it was last looked at.
    """
    book, accounts = onward(market, rules[at.BOOK]), onward(market, at.MONEY)
    doubled = note_middle(book, market)
    place = rules[at.LEARNER] * book[book_at.WIDTH] + book_at.N_RATES
    see_quotes(book, market, doubled, seen)
    see_depth(book, seen)
    held = float(units_held(accounts, place)) / float(at.UNIT)
    seen[at.SEEN_HELD] = held
    see_order(book, market[at.BID_ORDER], doubled, seen, at.SEEN_OWN_BID)
    see_order(book, market[at.ASK_ORDER], doubled, seen, at.SEEN_OWN_ASK)
    seen[at.SEEN_TIME] = 1.0 - float(market[at.STEP]) / float(rules[at.STEPS])
    worth = worth_of(accounts, place, doubled)
    outcome[at.HELD] = held
    outcome[at.PROFIT] = float(worth) / float(2 * at.UNIT)
    # The difference of whole numbers is exact, that of profits is not.
    gain = float(worth - market[at.WORTH]) / float(2 * at.UNIT)
    market[at.WORTH] = worth
    return gain


@compiled
def count_trades(book: Int64, log: Int64, rules: Int64, outcome: Float64) -> None:
    """Add up how many lots the learner bought and sold in the rows of the log."""
    learner = rules[at.LEARNER]
    for number in range(book[book_at.LOG_ROWS]):
        row = number * book_at.N_LOG
        if log[row + book_at.EVENT] != book_at.TRADED:
            continue
        side, lots = log[row + book_at.TAKER_SIDE], float(log[row + book_at.TRADE_LOTS])
        if log[row + book_at.TAKER_ACCOUNT] == learner:
            outcome[at.BOUGHT if side > 0 else at.SOLD] += lots
        elif log[row + book_at.MAKER_ACCOUNT] == learner:
            outcome[at.SOLD if side > 0 else at.BOUGHT] += lots
