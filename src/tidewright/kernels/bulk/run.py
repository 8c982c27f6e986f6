"""The loop: every slice of a history in one call, in the order of the engine's step.

`run` is called once for each set of parameters. A backtest of one set keeps every row of its logs
and the equity of every slice. A sweep shares a `Market` (with ``extremes``, ``worth`` and
``lines``, and with the last slice of each day in ``kept``) between its sets; each set brings its
own `Script` (flags and program), `Plan` (``logged`` 0), row of sizes in ``terms`` and a `State` as
`research.bulk.prepare.new_state` makes it, whose logs may be short. What a set earned then stands
in ``state.equity`` (a row for each of ``kept``), ``state.account`` (``PAID``, ``ROUND_TRIPS``,
``TRADE_DAYS``) and ``state.totals`` (``TURNOVER``, ``EXPOSURE``). Call it from compiled code, or
again with longer logs where it returns before ``stop``.
"""

from __future__ import annotations

from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.breakers import mark, mark_quickly
from tidewright.kernels.bulk.decide import (
    ENTRY_BITS,
    ENTRY_LONG_BIT,
    ENTRY_SHORT_BIT,
    exit_reason,
    leave,
    propose,
    try_entries,
)
from tidewright.kernels.bulk.layout import Int64, Limits, Market, Plan, Script, State
from tidewright.kernels.bulk.quiet import (
    entry_from,
    first_at,
    keep_equity,
    revalue,
    stride,
)
from tidewright.kernels.bulk.risk import MINUTE
from tidewright.kernels.bulk.rows import close_of, reached, row_in, time_of
from tidewright.kernels.bulk.venue import carry_out, charge, meet
from tidewright.kernels.expressions import evaluate_row
from tidewright.kernels.fills import FAR, FillRules
from tidewright.kernels.integer import checked_add
from tidewright.kernels.jit import inlined, unallocating


@inlined
def has_room(state: State, bars: int) -> bool:
    """Return whether the logs can take whatever a slice of so many bars may write."""
    account = state.account
    return bool(
        account[at.ORDERS] + bars <= state.orders.shape[0]
        and account[at.FILLS] + 8 * bars <= state.fills.shape[0]
        and account[at.TRADES] + bars <= state.round_trips.shape[0]
        and account[at.NOTES] + 13 * bars + 4 <= state.notes.shape[0]
    )


@unallocating
def forget(account: Int64, orders: Int64, oldest: int) -> None:
    """Empty the logs but for the orders that a limit of pace still looks at."""
    first, end = account[at.ORDERS], account[at.ORDERS]
    while first > 0 and orders[first - 1, at.ORDER_TIME] > oldest:
        first -= 1
    for row in range(first, end):
        for column in range(at.N_ORDER):
            orders[row - first, column] = orders[row, column]
    account[at.ORDERS] = account[at.FIRST_NEW] = end - first
    account[at.FILLS] = account[at.TRADES] = account[at.NOTES] = 0


@inlined
def count_input(account: Int64, silent: Int64, ts: int, moment: int) -> None:
    """Count this slice and all before it as inputs, those without bars too."""
    place = account[at.SILENT]
    while place < len(silent) and silent[place] < ts:
        place += 1
    account[at.SILENT] = place
    account[at.SEQUENCE] = account[at.BESIDE] + place + moment + 1


@inlined
def entry_numbers(market: Market, script: Script, instrument: int, row: int, found: int) -> None:
    """Find the numbers of an entry, and whether it stands with them."""
    outputs = script.outputs
    outputs[at.ENTRY_LONG] = 1.0 if found & ENTRY_LONG_BIT else 0.0
    outputs[at.ENTRY_SHORT] = 1.0 if found & ENTRY_SHORT_BIT else 0.0
    at_row = row if len(market.column_row) == 0 else market.column_row[row]
    known = at_row > market.first_column[instrument]
    before = market.columns[:, at_row - 1] if known else script.unknown[:, 0]
    current = market.columns[:, at_row]
    evaluate_row(script.code, script.constants, current, before, script.stack, outputs)


@inlined
def decide_exits(
    state: State, market: Market, script: Script, plan: Plan, moment: int, ts: int
) -> None:
    """Leave the positions whose rule holds or whose time is up."""
    for place in range(state.account[at.ACTIVE]):
        instrument = state.active[place]
        held = state.holdings[instrument]
        row = row_in(market, state.books[instrument], instrument, moment)
        if row < 0 or held[at.LOTS] == 0:
            continue
        if len(market.column_row) > 0 and market.column_row[row] < 0:
            continue
        bars = row - market.first[instrument] + 1
        why = exit_reason(held, script.flags[row], bars, plan.time_stop_bars)
        if why >= 0:
            leave(state, market, instrument, ts, why)


@inlined
def find_entries(
    state: State, market: Market, script: Script, plan: Plan, terms: Int64, moment: int
) -> int:
    """Write down the entries whose rule holds where nothing is held; return how many."""
    count, flags = 0, script.flags
    one = len(market.order) == 0
    begin = moment if one else market.begins[moment]
    end = moment + 1 if one else market.begins[moment + 1]
    place = begin if one else entry_from(state.account, market, flags, begin)
    while place < end:
        row = place if one else market.order[place]
        instrument, found = 0 if one else market.owner[place], flags[row]
        place = place + 1 if one else entry_from(state.account, market, flags, place + 1)
        if not found & ENTRY_BITS:
            continue
        if state.holdings[instrument, at.LOTS] != 0:
            continue
        if state.trades[instrument, at.ENTRY_LOTS] != 0:
            continue
        entry_numbers(market, script, instrument, row, found)
        sign = 0
        if script.outputs[at.ENTRY_LONG] == 1.0:
            sign = 1
        elif script.outputs[at.ENTRY_SHORT] == 1.0:
            sign = -1
        if sign != 0:
            state.books[instrument, at.ROW] = row
            own = terms[instrument]
            count = propose(state, count, instrument, sign, script.outputs, own, plan)
    return count


@inlined
def meet_bars(
    state: State,
    market: Market,
    limits: Limits,
    rules: FillRules,
    terms: Int64,
    moment: int,
) -> None:
    """Take what is active through the bars of a slice, then value what is held."""
    account, active, books = state.account, state.active, state.books
    for place in range(account[at.ACTIVE]):
        instrument = active[place]
        book = books[instrument]
        row = row_in(market, book, instrument, moment)
        if row >= 0:
            book[at.ROW] = row
            if book[at.CHARGE_FROM] < FAR and market.opened[row] >= book[at.CHARGE_FROM]:
                charge(state, market, instrument, row, terms[instrument])
            if reached(market, row, book[at.QUIET_LOW], book[at.QUIET_HIGH]):
                meet(state, market, instrument, row, moment, terms[instrument], rules, limits)
    for place in range(account[at.ACTIVE]):
        instrument = active[place]
        row = row_in(market, books[instrument], instrument, moment)
        held = state.holdings[instrument]
        if held[at.LOTS] != 0 and row >= 0:
            revalue(account, held, close_of(market, row), terms[instrument])


@inlined
def drop_finished(state: State) -> None:
    """Keep active what holds something or has an order."""
    account, active, kept = state.account, state.active, 0
    for place in range(account[at.ACTIVE]):
        instrument = active[place]
        lots = state.holdings[instrument, at.LOTS]
        if lots != 0 or state.trades[instrument, at.ENTRY_LOTS] != 0:
            active[kept] = instrument
            kept += 1
    account[at.ACTIVE] = kept


@inlined
def attend(
    state: State,
    market: Market,
    script: Script,
    plan: Plan,
    limits: Limits,
    rules: FillRules,
    terms: Int64,
    moment: int,
    inside: bool,
) -> None:
    """Do everything that a slice may ask for: fills, limits, exits before entries, orders."""
    account, breakers = state.account, state.breakers
    ts = time_of(market, moment)
    count_input(account, market.silent, ts, moment)
    meet_bars(state, market, limits, rules, terms, moment)
    equity = checked_add(account[at.CASH], account[at.VALUE])
    if not mark_quickly(breakers, ts, equity, limits.drawdown_ppm):
        mark(state, ts, equity, limits)
    decide_exits(state, market, script, plan, moment, ts)
    if inside:
        count = find_entries(state, market, script, plan, terms, moment)
        if count > 0:
            # What became flat in this slice may enter again and must not be active twice.
            drop_finished(state)
            try_entries(state, market, count, ts, equity, terms, plan, limits)
    keep_equity(state, market.kept, moment, moment + 1, equity)
    if account[at.POSITIONS] > 0:
        account[at.IN_MARKET] += 1
    if account[at.ORDERS] > account[at.FIRST_NEW] or breakers[at.STATE] == at.HALTED:
        carry_out(state, ts, terms, rules, limits)
    drop_finished(state)


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
    """Run a strategy over the slices ``[start, stop)``.

    Parameters
    ----------
    market, script, plan, limits, rules, state
        What is run, over what, within which limits and costs; ``state`` is changed in place.
    terms : int64 array of shape (n_instruments, N_TERMS)
        Of the instruments.
    start, stop : int
        Slices; a run that stopped early goes on where it stopped.

    Returns
    -------
    int
        Where it stopped: ``stop``, or earlier, to go on from there with longer logs.

    Raises
    ------
    OverflowError
        If an amount leaves int64.
    """
    moments, breakers, instruments = market.moments, state.breakers, state.trades.shape[0]
    opens = first_at(moments, plan.start, start, stop)
    closes = stop if plan.end == 0 else first_at(moments, plan.end, start, stop)
    wake, wakes = 0, start
    moment = start
    while moment < stop:
        if breakers[at.WAKE] != wake:
            wake = breakers[at.WAKE]
            wakes = first_at(moments, wake, moment, stop)
        inside = opens <= moment < closes
        end = min(closes if inside else stop if moment >= closes else min(opens, closes), wakes)
        if state.account[at.OWES_FROM] < FAR:
            end = min(end, first_at(moments, state.account[at.OWES_FROM] + 1, moment, stop))
        if moment < end:
            moment = stride(state, market, script.flags, plan, limits, terms, moment, end, inside)
        if moment >= stop:
            break
        if not has_room(state, instruments):
            if plan.logged:
                break
            oldest = moments[moment] - max(MINUTE, limits.duplicate_window)
            forget(state.account, state.orders, oldest)
            if not has_room(state, instruments):
                break
        inside = opens <= moment < closes
        attend(state, market, script, plan, limits, rules, terms, moment, inside)
        moment += 1
    state.account[at.SLICES] = moment
    return moment
