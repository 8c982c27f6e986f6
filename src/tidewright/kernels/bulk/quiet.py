"""Slices on which nothing can happen, taken in one stride.

Between two slices at which an order, a fill, a limit or a new UTC day must be looked at, equity
follows prices alone. With one instrument a stride ends at the first row that could matter and the
highest equity is found from the furthest close; with several, each slice values what is held.
"""

from __future__ import annotations

from tidewright.kernels.accounting import notional
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.breakers import BOUND, mark_quickly, raise_peak
from tidewright.kernels.bulk.decide import ENTRY_BITS, EXIT_LONG_BIT, EXIT_SHORT_BIT
from tidewright.kernels.bulk.layout import Flags, Int64, Limits, Market, Plan, State
from tidewright.kernels.bulk.rows import close_of, fetch_bar, reached, row_in
from tidewright.kernels.fills import FAR
from tidewright.kernels.integer import checked_add
from tidewright.kernels.jit import inlined, unallocating
from tidewright.kernels.limits import trip_level

FARTHEST = 2.0**43
"""Beyond every price in ticks."""
_SCAN = 64
"""Rows that are searched for rules at once."""
_SLACK = 8
"""A stride may raise the highest equity by one part in ``2 ** _SLACK``."""
_ROUNDING = 2.0**-48
"""Relative error that the arithmetic of a price range may have, generously."""


@unallocating
def first_at(times: Int64, ts: int, begin: int, end: int) -> int:
    """Return the first place in ``[begin, end)`` whose time is not before one; else ``end``."""
    while begin < end:
        middle = (begin + end) // 2
        if times[middle] < ts:
            begin = middle + 1
        else:
            end = middle
    return begin


@inlined
def revalue(account: Int64, held: Int64, close: int, own: Int64) -> None:
    """Value a position at the latest close."""
    worth = notional(close, held[at.LOTS], own[at.NUMERATOR], own[at.DENOMINATOR])
    account[at.VALUE] = checked_add(account[at.VALUE], worth - held[at.WORTH])
    held[at.WORTH] = worth


@inlined
def keep_equity(state: State, kept: Int64, begin: int, end: int, equity: int) -> None:
    """Write the equity of slices ``[begin, end)``, which is the same on all of them."""
    account = state.account
    if len(kept) == 0:
        for moment in range(begin, end):
            state.equity[moment] = equity
    else:
        place = account[at.KEPT]
        while place < len(kept) and kept[place] < end:
            state.equity[place] = equity
            place += 1
        account[at.KEPT] = place


@unallocating
def next_flag(flags: Flags, begin: int, end: int, bits: int) -> int:
    """Return the first row of ``[begin, end)`` that has one of some bits; else ``end``."""
    row = begin
    while row < end:
        stop = min(row + _SCAN, end)
        found = 0
        for place in range(row, stop):
            found |= flags[place]
        if found & bits:
            while not flags[row] & bits:
                row += 1
            return row
        row = stop
    return row


@unallocating
def next_entry(order: Int64, flags: Flags, place: int) -> int:
    """Return the first element from a place on with a rule of entry; else how many there are."""
    while place < len(order) and not flags[order[place]] & ENTRY_BITS:
        place += 1
    return place


@inlined
def entry_from(account: Int64, market: Market, flags: Flags, begin: int) -> int:
    """Return `next_entry` from an element on, looking at each element of a run once."""
    if account[at.NEXT_ENTRY] < begin:
        account[at.NEXT_ENTRY] = next_entry(market.order, flags, begin)
    return account[at.NEXT_ENTRY]  # type: ignore[no-any-return]


@inlined
def allowed_range(
    account: Int64, breakers: Int64, lots: int, own: Int64, limits: Limits
) -> tuple[int, int]:
    """Return the open interval of closes within which no limit on equity can trip.

    Within it equity stays above every level that trips, at a highest equity of up to one part in
    256 more, and amounts stay in 62 bits. The interval may be narrower than need be by the
    arithmetic's rounding, never wider.
    """
    cash, equity = account[at.CASH], account[at.CASH] + account[at.VALUE]
    most, level = breakers[at.PEAK], breakers[at.LEVEL]
    if breakers[at.STATE] == at.HALTED:
        most = BOUND - 1
    else:
        higher = min(most + (most >> _SLACK), BOUND - 1)
        raised = max(trip_level(higher, limits.drawdown_ppm), breakers[at.DAILY_LEVEL])
        if raised < equity:
            most, level = higher, raised
    unit = float(abs(lots)) * float(own[at.NUMERATOR]) / float(own[at.DENOMINATOR])
    widest = 2.0**61 / (float(abs(lots)) * float(own[at.NUMERATOR]))
    error = 2.0 + (float(abs(cash)) + float(abs(level)) + float(most)) * _ROUNDING
    if lots > 0:
        lowest = (float(level) - float(cash) + error) / unit
        highest = (float(most) - float(cash) - error) / unit
    else:
        lowest = (float(cash) - float(most) + error) / unit
        highest = (float(cash) - float(level) - error) / unit
    lowest = max(min(lowest, FARTHEST), -1.0)
    highest = max(min(highest, widest, FARTHEST), -1.0)
    return int(lowest) + 2, int(highest) - 2


@inlined
def undisturbed(
    market: Market,
    flags: Flags,
    span: tuple[int, int],
    quiet: tuple[int, int],
    allowed: tuple[int, int],
    bits: int,
) -> tuple[int, int, int]:
    """Return where a stride over rows ends, and the lowest and the highest close in it.

    Parameters
    ----------
    market : Market
        One instrument.
    flags : uint8 array of shape (n_rows,)
        Rules that hold.
    span : (int, int)
        First row, and where to end at the latest.
    quiet, allowed : (int, int)
        Open intervals in which low and high, and the close, change nothing.
    bits : int
        Rules that end it.
    """
    low, high, close, extremes = market.low, market.high, market.close, market.extremes
    row, end = span
    lowest, highest = FAR, 0
    bounded = quiet[0] > -FAR or quiet[1] < FAR
    while row < end:
        if row % at.BLOCK == 0 and row + at.BLOCK <= end and row // at.BLOCK < len(extremes):
            block = extremes[row // at.BLOCK]
            found = 0
            for place in range(row, row + at.BLOCK):
                found |= flags[place]
            if (
                not found & bits
                and block[at.BLOCK_LOW] > quiet[0]
                and block[at.BLOCK_HIGH] < quiet[1]
                and block[at.BLOCK_LOW_CLOSE] > allowed[0]
                and block[at.BLOCK_HIGH_CLOSE] < allowed[1]
            ):
                lowest = min(lowest, block[at.BLOCK_LOW_CLOSE])
                highest = max(highest, block[at.BLOCK_HIGH_CLOSE])
                row += at.BLOCK
                continue
        price = close[row]
        if flags[row] & bits or price <= allowed[0] or price >= allowed[1]:
            break
        if bounded and (low[row] <= quiet[0] or high[row] >= quiet[1]):
            break
        lowest, highest = min(lowest, price), max(highest, price)
        row += 1
    return row, lowest, highest


@inlined
def write_equity(state: State, market: Market, begin: int, end: int, lots: int, own: Int64) -> None:
    """Write the equity of slices ``[begin, end)`` of one instrument's rows."""
    close, equity, cash = market.close, state.equity, state.account[at.CASH]
    numerator, denominator = own[at.NUMERATOR], own[at.DENOMINATOR]
    seen, kept = close[begin:end], equity[begin:end]
    if denominator == 1:
        per_tick = lots * numerator
        for row in range(len(seen)):
            kept[row] = cash + seen[row] * per_tick
    else:
        for row in range(len(seen)):
            kept[row] = cash + notional(seen[row], lots, numerator, denominator)


@inlined
def hold_one(
    state: State,
    market: Market,
    flags: Flags,
    plan: Plan,
    limits: Limits,
    own: Int64,
    moment: int,
    end: int,
) -> int:
    """Take a stride with the one instrument active; return the slice to look at next."""
    account, breakers = state.account, state.breakers
    book, held = state.books[0], state.holdings[0]
    quiet, lots = (book[at.QUIET_LOW], book[at.QUIET_HIGH]), held[at.LOTS]
    if quiet[0] >= quiet[1]:
        return moment
    if lots == 0:
        found, _, _ = undisturbed(market, flags, (moment, end), quiet, (-1, FAR), 0)
        keep_equity(state, market.kept, moment, found, account[at.CASH])
        book[at.ROW] = max(found - 1, book[at.ROW])
        return found
    if plan.time_stop_bars > 0:
        end = min(end, max(held[at.OPENED_BAR] + plan.time_stop_bars - 1, moment))
    if len(market.kept) > 0 and account[at.KEPT] < len(market.kept):
        end = min(end, market.kept[account[at.KEPT]] + 1)
    allowed = allowed_range(account, breakers, lots, own, limits)
    bits = EXIT_LONG_BIT if lots > 0 else EXIT_SHORT_BIT
    found, lowest, highest = undisturbed(market, flags, (moment, end), quiet, allowed, bits)
    if found == moment:
        return found
    fetch_bar(market, found)
    cash, best = account[at.CASH], highest if lots > 0 else lowest
    top = cash + notional(best, lots, own[at.NUMERATOR], own[at.DENOMINATOR])
    raise_peak(breakers, top, limits.drawdown_ppm)
    revalue(account, held, close_of(market, found - 1), own)
    breakers[at.EQUITY] = cash + account[at.VALUE]
    if len(market.kept) == 0:
        write_equity(state, market, moment, found, lots, own)
    else:
        keep_equity(state, market.kept, moment, found, breakers[at.EQUITY])
    book[at.ROW] = found - 1
    account[at.IN_MARKET] += found - moment
    return found


@inlined
def matters(
    state: State, market: Market, flags: Flags, plan: Plan, instrument: int, row: int
) -> bool:
    """Return whether a bar may change an active instrument's trade, or end it."""
    book, held = state.books[instrument], state.holdings[instrument]
    if reached(market, row, book[at.QUIET_LOW], book[at.QUIET_HIGH]):
        return True
    lots = held[at.LOTS]
    if lots == 0:
        return False
    if flags[row] & (EXIT_LONG_BIT if lots > 0 else EXIT_SHORT_BIT):
        return True
    bars = row - market.first[instrument] + 1
    return bool(0 < plan.time_stop_bars <= bars - held[at.OPENED_BAR])


@inlined
def hold_many(
    state: State,
    market: Market,
    flags: Flags,
    plan: Plan,
    limits: Limits,
    terms: Int64,
    moment: int,
    end: int,
) -> int:
    """Go from slice to slice while nothing can happen; return the slice to look at next."""
    account, active, books = state.account, state.active, state.books
    for now in range(moment, end):
        for place in range(account[at.ACTIVE]):
            instrument = active[place]
            row = row_in(market, books[instrument], instrument, now)
            if row >= 0 and matters(state, market, flags, plan, instrument, row):
                return now
        for place in range(account[at.ACTIVE]):
            instrument = active[place]
            row = row_in(market, books[instrument], instrument, now)
            if row >= 0:
                books[instrument, at.ROW] = row
                revalue(account, state.holdings[instrument], market.close[row], terms[instrument])
        equity = checked_add(account[at.CASH], account[at.VALUE])
        # Whoever looks at the slice instead finds what is done here done.
        if not mark_quickly(state.breakers, market.moments[now], equity, limits.drawdown_ppm):
            return now
        keep_equity(state, market.kept, now, now + 1, equity)
        if account[at.POSITIONS] > 0:
            account[at.IN_MARKET] += 1
    return end


@inlined
def stride(
    state: State,
    market: Market,
    flags: Flags,
    plan: Plan,
    limits: Limits,
    terms: Int64,
    moment: int,
    end: int,
    inside: bool,
) -> int:
    """Take the slices on which nothing can happen; return the first one to look at.

    Parameters
    ----------
    state, market, plan, limits, terms
        As for `kernels.bulk.run.run`.
    flags : uint8 array of shape (n_rows,)
        Rules that hold.
    moment, end : int
        Slices, none of which begins another day of the breakers or moves a bound of the window.
    inside : bool
        Whether entries are decided on them.
    """
    account, breakers = state.account, state.breakers
    equity = checked_add(account[at.CASH], account[at.VALUE])
    if not breakers[at.LEVEL] < equity < BOUND:
        return moment
    one = len(market.order) == 0
    if account[at.ACTIVE] > 0 and one:
        return hold_one(state, market, flags, plan, limits, terms[0], moment, end)
    if inside and one:
        end = next_flag(flags, moment, end, ENTRY_BITS)
        fetch_bar(market, end)
    elif inside:
        place = entry_from(account, market, flags, market.begins[moment])
        if place < len(market.order):
            end = min(end, market.moment_of[market.order[place]])
    if account[at.ACTIVE] > 0:
        return hold_many(state, market, flags, plan, limits, terms, moment, end)
    keep_equity(state, market.kept, moment, end, equity)
    return end
