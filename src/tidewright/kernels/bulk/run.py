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
from tidewright.kernels.jit import compiled
from tidewright.kernels.limits import trip_level


@compiled
def has_room(state: State, bars: int) -> bool:
    """Return whether the logs can take whatever a slice of so many bars may write."""
    account = state.account
    return bool(
        account[at.ORDERS] + bars <= state.orders.shape[0]
        and account[at.FILLS] + 4 * bars <= state.fills.shape[0]
        and account[at.TRADES] + bars <= state.round_trips.shape[0]
        and account[at.NOTES] + 12 * bars + 4 <= state.notes.shape[0]
    )


@compiled
def count_input(state: State, market: Market, ts: int) -> None:
    """Count this slice and the slices without bars before it as inputs."""
    account = state.account
    while account[at.SILENT] < len(market.silent) and market.silent[account[at.SILENT]] < ts:
        account[at.SILENT] += 1
        account[at.SEQUENCE] += 1
    account[at.SEQUENCE] += 1


@compiled
def take_mark(state: State, instrument: int, row: int, close: int, own: Int64) -> None:
    """Take a close as the latest price of an instrument."""
    state.books[instrument, at.ROW] = row
    held = state.holdings[instrument]
    if held[at.LOTS] != 0:
        worth = notional(close, held[at.LOTS], own[at.NUMERATOR], own[at.DENOMINATOR])
        account = state.account
        account[at.VALUE] = checked_add(account[at.VALUE], worth - held[at.WORTH])
        held[at.WORTH] = worth


@compiled
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


@compiled
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
        before = market.matrix[at_row - 1] if known else script.unknown
        evaluate_row(
            script.code, script.constants, market.matrix[at_row], before, script.stack, outputs
        )
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


@compiled
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
    """Run a strategy over ordered rows.

    Parameters
    ----------
    market, script, plan, limits, rules
        What is run, over what, and within which limits and costs.
    terms : int64 array of shape (n_instruments, N_TERMS)
        Of the instruments.
    state : State
        Changed in place; made by whoever begins a run.
    start, stop : int
        Elements of ``market.order`` to run over; both lie between two slices.

    Returns
    -------
    int
        Where the run stopped: ``stop``, or earlier where a log is full. It goes on from there
        after the logs were made longer.

    Raises
    ------
    OverflowError
        If an amount leaves int64.
    """
    account, books = state.account, state.books
    begin = start
    while begin < stop:
        ts = market.known[market.order[begin]]
        end = begin + 1
        while end < stop and market.known[market.order[end]] == ts:
            end += 1
        if not has_room(state, end - begin):
            break
        count_input(state, market, ts)
        for place in range(begin, end):
            instrument, row = market.owner[place], market.order[place]
            book = books[instrument]
            if market.low[row] <= book[at.QUIET_LOW] or market.high[row] >= book[at.QUIET_HIGH]:
                meet(state, market, instrument, row, terms[instrument], rules, limits)
        for place in range(begin, end):
            instrument, row = market.owner[place], market.order[place]
            take_mark(state, instrument, row, market.close[row], terms[instrument])
        equity = checked_add(account[at.CASH], account[at.VALUE])
        if not mark_quickly(state.breakers, ts, equity, limits.drawdown_ppm):
            mark(state, ts, equity, limits)
        decide(state, market, script, (begin, end), ts, equity, terms, plan, limits)
        slices = account[at.SLICES]
        state.times[slices] = ts
        state.equity[slices] = equity
        account[at.SLICES] = slices + 1
        if account[at.POSITIONS] > 0:
            account[at.IN_MARKET] += 1
        if account[at.ORDERS] > account[at.FIRST_NEW] or state.breakers[at.STATE] == at.HALTED:
            carry_out(state, ts, terms, rules, limits)
        begin = end
    return begin
