"""The loop: every slice of a history in one call, in the order of the engine's step."""

from __future__ import annotations

from tidewright.kernels.accounting import notional
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.breakers import BOUND, mark
from tidewright.kernels.bulk.decide import exit_reason, leave, propose, try_entry
from tidewright.kernels.bulk.layout import Int64, Limits, Market, Plan, Script, State
from tidewright.kernels.bulk.venue import carry_out, meet
from tidewright.kernels.expressions import evaluate_row
from tidewright.kernels.fills import FillRules
from tidewright.kernels.integer import checked_add
from tidewright.kernels.jit import unallocating
from tidewright.kernels.limits import trip_level

ENTRY_BITS = 1 << at.ENTRY_LONG | 1 << at.ENTRY_SHORT
"""Rules that may open a position."""
EXIT_LONG_BIT = 1 << at.EXIT_LONG
"""The rule that closes a long position."""
EXIT_SHORT_BIT = 1 << at.EXIT_SHORT
"""The rule that closes a short position."""


@unallocating
def has_room(state: State, bars: int) -> bool:
    """Return whether the logs can take whatever a slice of so many bars may write."""
    account = state.account
    return bool(
        account[at.ORDERS] + bars <= state.orders.shape[0]
        and account[at.FILLS] + 4 * bars <= state.fills.shape[0]
        and account[at.TRADES] + bars <= state.round_trips.shape[0]
        and account[at.NOTES] + 12 * bars + 4 <= state.notes.shape[0]
    )


@unallocating
def mark_quickly(breakers: Int64, ts: int, equity: int, drawdown_ppm: int) -> bool:
    """Take note of equity where nothing can trip; False when `breakers.mark` must look."""
    if not (breakers[at.LEVEL] < equity < BOUND and ts < breakers[at.WAKE]):
        return False
    breakers[at.EQUITY] = equity
    if equity > breakers[at.PEAK]:
        breakers[at.PEAK] = equity
        if breakers[at.STATE] != at.HALTED:
            level = trip_level(equity, drawdown_ppm)
            breakers[at.LEVEL] = max(level, breakers[at.DAILY_LEVEL])
    return True


@unallocating
def decide(
    state: State,
    market: Market,
    script: Script,
    span: tuple[int, int],
    ts: int,
    equity: int,
    terms: Int64,
    plan: Plan,
    limits: Limits,
) -> None:
    """Evaluate every instrument that gained a bar; exits first, then entries by confidence."""
    inside = plan.start <= ts and (ts < plan.end or plan.end == 0)
    if not inside and state.account[at.POSITIONS] == 0:
        return
    count = 0
    outputs = script.outputs
    for place in range(span[0], span[1]):
        instrument, row = market.owner[place], market.order[place]
        if not terms[instrument, at.WATCHED]:
            continue
        at_row = row if len(market.column_row) == 0 else market.column_row[row]
        if at_row < 0:
            continue
        known = at_row > market.first_column[instrument]
        before = market.columns[:, at_row - 1] if known else script.unknown[:, 0]
        current = market.columns[:, at_row]
        evaluate_row(script.code, script.constants, current, before, script.stack, outputs)
        held = state.holdings[instrument]
        if held[at.LOTS] != 0:
            why = exit_reason(
                held, outputs, row - market.first[instrument] + 1, plan.time_stop_bars
            )
            if why >= 0:
                leave(state, market, instrument, ts, why)
        elif inside and state.trades[instrument, at.ENTRY_LOTS] == 0:
            if outputs[at.ENTRY_LONG] == 1.0:
                count = propose(state, count, instrument, 1, outputs, terms[instrument])
            elif outputs[at.ENTRY_SHORT] == 1.0:
                count = propose(state, count, instrument, -1, outputs, terms[instrument])
    for place in range(count):
        code = try_entry(state, market, place, ts, equity, terms, plan, limits)
        if code != at.NOT_REFUSED:
            state.refusals[code] += 1


@unallocating
def slice_end(known: Int64, order: Int64, begin: int, stop: int) -> int:
    """Return where the slice ends that begins at an element of the order."""
    ts, end = known[order[begin]], begin + 1
    while end < stop and known[order[end]] == ts:
        end += 1
    return end


@unallocating
def count_input(account: Int64, silent: Int64, ts: int) -> None:
    """Count this slice and the slices without bars before it as inputs."""
    while account[at.SILENT] < len(silent) and silent[account[at.SILENT]] < ts:
        account[at.SILENT] += 1
        account[at.SEQUENCE] += 1
    account[at.SEQUENCE] += 1


@unallocating
def revalue(account: Int64, held: Int64, close: int, own: Int64) -> None:
    """Value a position at the latest close."""
    worth = notional(close, held[at.LOTS], own[at.NUMERATOR], own[at.DENOMINATOR])
    account[at.VALUE] = checked_add(account[at.VALUE], worth - held[at.WORTH])
    held[at.WORTH] = worth


@unallocating
def log_equity(account: Int64, times: Int64, equities: Int64, ts: int, equity: int) -> None:
    """Write a row of the equity series and count the slice."""
    row = account[at.SLICES]
    times[row] = ts
    equities[row] = equity
    account[at.SLICES] = row + 1
    if account[at.POSITIONS] > 0:
        account[at.IN_MARKET] += 1


@unallocating
def calls(
    found: int, held: Int64, entering: int, inside: bool, bars: int, time_stop_bars: int
) -> bool:
    """Return whether a rule that matters now may be true, so that `decide` must look.

    Parameters
    ----------
    found : int
        Bits of the row's conditions.
    held : int64 array of shape (N_HOLDING,)
        What is held of the instrument.
    entering : int
        Lots of a working entry.
    inside : bool
        Whether entries are decided now.
    bars : int
        Bars of the instrument so far.
    time_stop_bars : int
        Leave after so many; 0 is never.
    """
    lots = held[at.LOTS]
    if lots == 0:
        return bool(inside and entering == 0 and found & ENTRY_BITS)
    if found & (EXIT_LONG_BIT if lots > 0 else EXIT_SHORT_BIT):
        return True
    return bool(0 < time_stop_bars <= bars - held[at.OPENED_BAR])


@unallocating
def run(
    market: Market,
    script: Script,
    plan: Plan,
    limits: Limits,
    rules: FillRules,
    terms: Int64,
    state: State,
    start: int,
    stop: int,
) -> int:
    """Run a strategy over elements ``[start, stop)`` of ``market.order``, whole slices.

    Parameters
    ----------
    market, script, plan, limits, rules, state
        What is run, over what, within which limits and costs; ``state`` is changed in place.
    terms : int64 array of shape (n_instruments, N_TERMS)
        Of the instruments.

    Returns
    -------
    int
        Where it stopped: ``stop``, or earlier, to go on from there with longer logs.

    Raises
    ------
    OverflowError
        If an amount leaves int64.
    """
    account, books, holdings, trades = state.account, state.books, state.holdings, state.trades
    breakers, times, equities = state.breakers, state.times, state.equity
    known, order, owner = market.known, market.order, market.owner
    low, high, close, flags = market.low, market.high, market.close, script.flags
    first, column_row = market.first, market.column_row
    own_rows = len(column_row) == 0
    instruments = trades.shape[0]
    roomy = has_room(state, instruments)
    begin = start
    while begin < stop and roomy:
        ts = known[order[begin]]
        end, busy = slice_end(known, order, begin, stop), False
        count_input(account, market.silent, ts)
        for place in range(begin, end):
            row, book = order[place], books[owner[place]]
            if low[row] <= book[at.QUIET_LOW] or high[row] >= book[at.QUIET_HIGH]:
                meet(state, market, owner[place], row, terms[owner[place]], rules, limits)
                busy = True
        for place in range(begin, end):
            instrument, row = owner[place], order[place]
            books[instrument, at.ROW] = row
            if holdings[instrument, at.LOTS] != 0:
                revalue(account, holdings[instrument], close[row], terms[instrument])
        equity = checked_add(account[at.CASH], account[at.VALUE])
        if not mark_quickly(breakers, ts, equity, limits.drawdown_ppm):
            mark(state, ts, equity, limits)
            busy = True
        inside = plan.start <= ts and (ts < plan.end or plan.end == 0)
        called = False
        for place in range(begin, end):
            instrument, row = owner[place], order[place]
            at_row = row if own_rows else column_row[row]
            if at_row < 0:
                continue
            entering = trades[instrument, at.ENTRY_LOTS]
            bars = row - first[instrument] + 1
            held = holdings[instrument]
            called |= calls(flags[at_row], held, entering, inside, bars, plan.time_stop_bars)
        if called:
            decide(state, market, script, (begin, end), ts, equity, terms, plan, limits)
            busy = True
        log_equity(account, times, equities, ts, equity)
        if busy:
            if account[at.ORDERS] > account[at.FIRST_NEW] or breakers[at.STATE] == at.HALTED:
                carry_out(state, ts, terms, rules, limits)
            roomy = has_room(state, instruments)
        begin = end
    return begin
