"""Sizing and limits of entries over flat arrays, in the order in which `risk.gate` looks at them.

The arithmetic is that of `kernels.limits` and `kernels.sizing`; what is written here is the order.
"""

from __future__ import annotations

from typing import NamedTuple

from tidewright.kernels import limits as exact
from tidewright.kernels import sizing
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.layout import Int64, Limits, Market, Plan, State
from tidewright.kernels.bulk.rows import close_of
from tidewright.kernels.correlation import returns_correlation
from tidewright.kernels.edge import UNKNOWN, TradeSums, kelly_ppm
from tidewright.kernels.integer import checked_add
from tidewright.kernels.jit import inlined, unallocating

MINUTE = 60_000_000_000
"""Nanoseconds of a minute."""


class Wanted(NamedTuple):
    """An entry before its size is known: prices in ticks, 0 means none.

    Parameters
    ----------
    instrument, sign : int
        What, and +1 for long, -1 for short.
    mark : int
        Latest close, > 0.
    limit, stop, target, trail : int
        Limit price, stop and target prices, trailing distance.
    risked : int
        Ticks between the latest close and the stop; the trailing distance where there is none.
    yearly : int
        Standard deviation of a year in ticks.
    share : int
        Share of what the limits allow that is taken, in millionths.
    """

    instrument: int
    sign: int
    mark: int
    limit: int
    stop: int
    target: int
    trail: int
    risked: int
    yearly: int
    share: int


class Committed(NamedTuple):
    """What all instruments but one are committed to.

    Parameters
    ----------
    worth : int
        Their value at the worst, money units.
    cash : int
        Cash that nothing has claimed, money units.
    orders : int
        Orders that work.
    """

    worth: int
    cash: int
    orders: int


@inlined
def dearest(state: State, market: Market, instrument: int) -> int:
    """Return the highest price in ticks among mark and prices of a working entry."""
    book = state.books[instrument]
    price = close_of(market, book[at.ROW])
    if state.trades[instrument, at.ENTRY_LOTS] > 0:
        price = max(price, book[at.REFERENCE], state.trades[instrument, at.ENTRY_LIMIT])
    return price


@inlined
def sides(trade: Int64) -> tuple[int, int]:
    """Return lots that a working entry buys and sells."""
    left = trade[at.ENTRY_LOTS]
    return (left, 0) if trade[at.DIRECTION] > 0 else (0, left)


@inlined
def committed(state: State, market: Market, terms: Int64) -> Committed:
    """Return what is held and what working entries may still add to it, at the worst."""
    worth, cash, orders = 0, state.account[at.CASH], 0
    for place in range(state.account[at.ACTIVE]):
        instrument = state.active[place]
        trade, lots = state.trades[instrument], state.holdings[instrument, at.LOTS]
        entering = trade[at.ENTRY_LOTS]
        if lots == 0 and entering == 0:
            continue
        own = terms[instrument]
        ratio = own[at.NUMERATOR], own[at.DENOMINATOR]
        price = dearest(state, market, instrument)
        buying, selling = sides(trade)
        most = exact.worst_lots(lots, buying, selling)
        worth = checked_add(worth, exact.value_ceiling(price, most, ratio[0], ratio[1]))
        claimed = exact.claimed_cash(lots, entering, price, ratio[0], ratio[1], own[at.TAKER_PPM])
        cash = checked_add(cash, -claimed)
        orders += (1 if entering > 0 else 0) + (1 if trade[at.EXIT_LOTS] > 0 else 0)
        if lots != 0:
            orders += state.books[instrument, at.HAS_STOP] + state.books[instrument, at.HAS_TARGET]
    return Committed(worth, cash, orders)


@inlined
def refusal_of_cap(cap: int) -> int:
    """Return the rule behind a cap of `kernels.sizing`."""
    if cap == sizing.BY_POSITION:
        return at.REFUSED_POSITION
    if cap == sizing.BY_EXPOSURE:
        return at.REFUSED_EXPOSURE
    if cap == sizing.BY_CASH:
        return at.REFUSED_CASH
    return at.REFUSED_RISK if cap == sizing.BY_RISK else at.REFUSED_INSTRUMENT


@inlined
def method_and_amount(account: Int64, own: Int64, plan: Plan) -> tuple[int, int]:
    """Return how to size now and the method's amount; an amount of 0 is no trade."""
    if plan.method != sizing.KELLY:
        return plan.method, own[at.AMOUNT]
    at_sums = at.TRADE_SUMS
    sums = TradeSums(
        account[at_sums],
        account[at_sums + 1],
        account[at_sums + 2],
        account[at_sums + 3],
        account[at_sums + 4],
        account[at_sums + 5],
    )
    share = kelly_ppm(sums, own[at.AMOUNT])
    if share == UNKNOWN and plan.fallback >= 0:
        return plan.fallback, own[at.FALLBACK_AMOUNT]
    return sizing.KELLY, max(share, 0)


@inlined
def size(
    account: Int64,
    wanted: Wanted,
    equity: int,
    others: Committed,
    own: Int64,
    plan: Plan,
    limits: Limits,
) -> tuple[int, int]:
    """Return the lots of an entry, and 0 or the rule that left no room.

    Parameters
    ----------
    account : int64 array of shape (N_ACCOUNT,)
        Knows the trades that have closed.
    wanted : Wanted
        The entry; its instrument is flat and no order of it works.
    equity : int
        Money units.
    others : Committed
        What the other instruments are committed to.
    own : int64 array of shape (N_TERMS,)
        Terms of the instrument.
    plan : Plan
        How to size.
    limits : Limits
        Limits.
    """
    method, amount = method_and_amount(account, own, plan)
    if method == sizing.KELLY and amount == 0:
        return 0, at.REFUSED_SIZING
    if equity < 1:
        return 0, at.REFUSED_ACCOUNT
    per_lot = wanted.yearly if method == sizing.VOLATILITY_TARGET else wanted.risked
    if per_lot == 0 and method in (sizing.RISK_PERCENT, sizing.VOLATILITY_TARGET):
        return 0, at.REFUSED_SIZING
    terms = sizing.Terms(
        own[at.NUMERATOR], own[at.DENOMINATOR], own[at.TAKER_PPM], own[at.MAX_LOTS]
    )
    asked = sizing.wanted_lots(method, amount, equity, wanted.mark, per_lot, terms)
    keep = exact.ceiling_ratio(equity, limits.cash_ppm, exact.PPM)
    rooms = sizing.Rooms(
        exact.share_of(equity, limits.position_ppm),
        max(exact.share_of(equity, limits.exposure_ppm) - others.worth, 0),
        max(checked_add(others.cash, -keep), 0),
        exact.share_of(equity, limits.risk_ppm),
    )
    lots, cap = sizing.capped_lots(asked, wanted.mark, wanted.risked, rooms, terms)
    if wanted.share != exact.PPM:
        lots = exact.share_of(lots, wanted.share)
    if lots < own[at.MIN_LOTS]:
        enough = asked >= own[at.MIN_LOTS]
        return 0, refusal_of_cap(cap) if enough else at.REFUSED_INSTRUMENT
    value = exact.value_ceiling(wanted.mark, lots, terms.numerator, terms.denominator)
    if value < own[at.MIN_NOTIONAL]:
        return 0, refusal_of_cap(cap)
    return lots, at.NOT_REFUSED


@inlined
def unsound(wanted: Wanted, sure: float) -> int:
    """Return what is wrong with an entry's form, or 0."""
    if not 0.0 <= sure <= 1.0:
        return at.REFUSED_FORM
    entry = wanted.limit if wanted.limit != 0 else wanted.mark
    if wanted.stop != 0 and wanted.sign * (entry - wanted.stop) <= 0:
        return at.REFUSED_BRACKET
    if wanted.target != 0 and wanted.sign * (wanted.target - entry) <= 0:
        return at.REFUSED_BRACKET
    return at.NOT_REFUSED


@inlined
def repeated(state: State, wanted: Wanted, lots: int, ts: int, window: int) -> bool:
    """Return whether an equal entry was approved within a time."""
    row = state.account[at.ORDERS] - 1
    orders = state.orders
    while row >= 0 and orders[row, at.ORDER_TIME] > ts - window:
        if (
            orders[row, at.ORDER_LEG] == at.ENTRY
            and orders[row, at.ORDER_INSTRUMENT] == wanted.instrument
            and orders[row, at.ORDER_SIGN] == wanted.sign
            and orders[row, at.ORDER_LOTS] == lots
        ):
            return True
        row -= 1
    return False


@inlined
def too_many(state: State, ts: int, most: int) -> bool:
    """Return whether so many orders were approved in the minute before a time already."""
    row = state.account[at.ORDERS] - most
    return bool(row >= 0 and state.orders[row, at.ORDER_TIME] > ts - MINUTE)


@unallocating
def approved_since(orders: Int64, count: int, ts: int) -> int:
    """Return how many of so many orders were approved after a time."""
    row = count - 1
    while row >= 0 and orders[row, at.ORDER_TIME] > ts:
        row -= 1
    return count - 1 - row


@unallocating
def moving_together(
    state: State, market: Market, instrument: int, sign: int, limits: Limits
) -> int:
    """Return how many positions and entries move with an entry, itself included."""
    count = 1
    own = state.books[instrument, at.ROW] + 1
    for place in range(state.account[at.ACTIVE]):
        other = state.active[place]
        buying, selling = sides(state.trades[other])
        lots = state.holdings[other, at.LOTS]
        direction = exact.committed_direction(lots, buying, selling)
        if other == instrument or direction == 0:
            continue
        there = state.books[other, at.ROW] + 1
        seen = min(
            limits.correlation_bars,
            own - market.first[instrument],
            there - market.first[other],
        )
        together = returns_correlation(
            market.close[own - seen : own], market.close[there - seen : there]
        )
        if not together * direction * sign < limits.correlation:
            count += 1
    return count


@inlined
def barred(state: State, ts: int) -> int:
    """Return what forbids every entry now, whatever its instrument and size, or 0."""
    if state.breakers[at.STATE] != at.TRADING:
        return at.REFUSED_STATE
    if ts < state.breakers[at.COOLDOWN_UNTIL]:
        return at.REFUSED_COOLDOWN
    return at.NOT_REFUSED


@inlined
def refused_before_money(
    state: State, wanted: Wanted, lots: int, ts: int, sure: float, own: Int64, limits: Limits
) -> int:
    """Return the first limit that an entry breaks before its money is looked at, or 0."""
    if sure < limits.confidence:
        return at.REFUSED_CONFIDENCE
    if wanted.sign < 0 and not own[at.SHORTABLE]:
        return at.REFUSED_SHORT
    lowest = min(wanted.limit, wanted.mark) if wanted.limit != 0 else wanted.mark
    value = exact.value_ceiling(lowest, lots, own[at.NUMERATOR], own[at.DENOMINATOR])
    if value < own[at.MIN_NOTIONAL]:
        return at.REFUSED_INSTRUMENT
    apart = abs(wanted.limit - wanted.mark) if wanted.limit != 0 else 0
    if not exact.within_share(apart, wanted.mark, limits.collar_ppm):
        return at.REFUSED_COLLAR
    if repeated(state, wanted, lots, ts, limits.duplicate_window):
        return at.REFUSED_DUPLICATE
    return at.NOT_REFUSED


@inlined
def refused_by_money(
    wanted: Wanted,
    lots: int,
    stake: int,
    equity: int,
    others: Committed,
    own: Int64,
    limits: Limits,
) -> int:
    """Return the first limit of money that an entry breaks, or 0.

    ``stake`` is lots times ticks to the stop over all parts of an entry in parts, else 0.
    """
    if others.orders + 1 > limits.max_open:
        return at.REFUSED_OPEN_ORDERS
    numerator, denominator = own[at.NUMERATOR], own[at.DENOMINATOR]
    entry = wanted.limit if wanted.limit != 0 else wanted.mark
    distance = wanted.trail if wanted.stop == 0 else abs(entry - wanted.stop)
    if distance != 0:
        lost = exact.value_ceiling(distance, lots, numerator, denominator)
        if stake > 0:
            lost = exact.value_ceiling(stake, 1, numerator, denominator)
        if not exact.within_share(lost, equity, limits.risk_ppm):
            return at.REFUSED_RISK
    value = exact.value_ceiling(max(wanted.mark, wanted.limit), lots, numerator, denominator)
    if not exact.within_share(value, equity, limits.position_ppm):
        return at.REFUSED_POSITION
    if not exact.within_share(checked_add(others.worth, value), equity, limits.exposure_ppm):
        return at.REFUSED_EXPOSURE
    left = checked_add(others.cash, -exact.order_cost(value, own[at.TAKER_PPM]))
    if left < exact.ceiling_ratio(equity, limits.cash_ppm, exact.PPM):
        return at.REFUSED_CASH
    return at.NOT_REFUSED
