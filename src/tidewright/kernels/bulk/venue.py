"""The venue over flat arrays: what bars do to trades, what is taken and what is refused.

What a bar does to a trade is `kernels.fills.step` alone.
"""

from __future__ import annotations

from tidewright.kernels.accounting import borrow_fee, notional
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.booking import book_fill
from tidewright.kernels.bulk.breakers import DAY, note, venue_answer
from tidewright.kernels.bulk.layout import Int64, Limits, Market, State
from tidewright.kernels.bulk.parts import follow_whole, sum_parts
from tidewright.kernels.bulk.rows import ahead_of, bar_of
from tidewright.kernels.bulk.trades import read_trade, write_trade
from tidewright.kernels.fills import (
    FAR,
    FillRules,
    LegFill,
    StepResult,
    TradeState,
    charged,
    entry_need,
    quiet_range,
    step,
)
from tidewright.kernels.integer import checked_add, checked_mul
from tidewright.kernels.jit import inlined, unallocating
from tidewright.kernels.limits import floor_ratio
from tidewright.kernels.parts import step_parts, without_entry

PRICE_END = 2**42
"""Prices stay below this many ticks."""

TAKEN = 0
"""The venue took an order."""
INVALID_PRICE = 1
"""A price of the order is outside what the venue counts in."""
MIN_NOTIONAL = 2
"""The order is worth too little."""
INSUFFICIENT_CASH = 3
"""Free cash does not cover it."""


@inlined
def settle(state: State, instrument: int) -> None:
    """Find the range in which bars change nothing, or end a trade of which nothing is left."""
    trade, book = state.trades[instrument], state.books[instrument]
    if trade[at.HELD] == 0 and trade[at.ENTRY_LOTS] == 0:
        trade[:] = 0
        book[at.QUIET_LOW] = -FAR
        book[at.QUIET_HIGH] = FAR
        book[at.PARTS] = 0
        return
    if book[at.PARTS] > 0:
        book[at.QUIET_LOW], book[at.QUIET_HIGH] = follow_whole(state, instrument)
        return
    low, high = quiet_range(read_trade(trade))
    book[at.QUIET_LOW] = low
    book[at.QUIET_HIGH] = high


@inlined
def free_cash(account: Int64) -> int:
    """Return cash that may be spent: sold-short value is owed, and as much again is collateral."""
    return account[at.CASH] - 2 * account[at.OWED]  # type: ignore[no-any-return]


@inlined
def meet(
    state: State,
    market: Market,
    instrument: int,
    row: int,
    moment: int,
    terms: Int64,
    rules: FillRules,
    limits: Limits,
) -> None:
    """Take an instrument's trade through its bar of a slice and book what it traded."""
    book = state.books[instrument]
    if book[at.PARTS] > 0:
        meet_parts(state, market, instrument, row, moment, terms, rules, limits)
        return
    before = read_trade(state.trades[instrument])
    bar = bar_of(market, row)
    result = step(before, bar, rules)
    entry = result.entry
    if entry.lots > 0:
        rate = terms[at.MAKER_PPM] if entry.maker else terms[at.TAKER_PPM]
        cost = charged(entry.ticks, entry.lots, (terms[at.NUMERATOR], terms[at.DENOMINATOR], rate))
        if cost > free_cash(state.account):
            state.trades[instrument, at.ENTRY_LOTS] = 0
            before = read_trade(state.trades[instrument])
            result = step(before, bar, rules)
    times = bar.opened, bar.closed, row - market.first[instrument]
    sign = before.direction
    for leg in range(at.N_LEGS):
        filled = leg_of(result, leg)
        if filled.lots > 0:
            side, ahead = (
                sign if leg == at.ENTRY else -sign,
                ahead_of(market, instrument, row, moment),
            )
            book_fill(state, instrument, leg, side, filled, times, ahead, terms, limits)
            if leg == at.ENTRY and before.best == 0:
                protect(state, book, before, bar.closed, limits)
    if result.state.held > 0 and result.state.stop != before.stop:
        book[at.STOP_REFERENCE] = result.state.stop
    write_trade(state.trades[instrument], result.state)
    settle(state, instrument)
    if terms[at.BORROW_PPM] > 0:
        watch_borrow(state, instrument, bar.closed)


@unallocating
def meet_parts(
    state: State,
    market: Market,
    instrument: int,
    row: int,
    moment: int,
    terms: Int64,
    rules: FillRules,
    limits: Limits,
) -> None:
    """Take a trade in parts through a bar: one entry and exit, legs for each part."""
    book, parts = state.books[instrument], state.parts[instrument]
    bar = bar_of(market, row)
    before = read_trade(parts[0]), read_trade(parts[1]), read_trade(parts[2])
    result = step_parts(before, bar, rules)
    entry, leaving = result.entry, result.exit
    if entry.lots > 0:
        rate = terms[at.MAKER_PPM] if entry.maker else terms[at.TAKER_PPM]
        cost = charged(entry.ticks, entry.lots, (terms[at.NUMERATOR], terms[at.DENOMINATOR], rate))
        if cost > free_cash(state.account):
            before = without_entry(before[0]), without_entry(before[1]), without_entry(before[2])
            result = step_parts(before, bar, rules)
            entry, leaving = result.entry, result.exit
    times = bar.opened, bar.closed, row - market.first[instrument]
    sign, ahead = before[0].direction, ahead_of(market, instrument, row, moment)
    if entry.lots > 0:
        book_fill(state, instrument, at.ENTRY, sign, entry, times, ahead, terms, limits)
        one, two, three = result.first.state, result.second.state, result.third.state
        if (
            (before[0].best == 0 and one.best != 0)
            or (before[1].best == 0 and two.best != 0)
            or (before[2].best == 0 and three.best != 0)
        ):
            # The venue took the protective orders of a part that began to fill.
            venue_answer(state, bar.closed, True, limits)
    if leaving.lots > 0:
        book_fill(state, instrument, at.EXIT, -sign, leaving, times, ahead, terms, limits)
    for place in range(3):
        part = result.first if place == 0 else result.second if place == 1 else result.third
        was, first = before[place], at.STOPPED if place == 0 else at.STOPPED_2 + 2 * (place - 1)
        if part.stop.lots > 0:
            book[at.STOP_REFERENCE] = was.stop
            book_fill(state, instrument, first, -sign, part.stop, times, ahead, terms, limits)
        if part.target.lots > 0:
            state.trades[instrument, at.TARGET] = was.target
            book_fill(state, instrument, first + 1, -sign, part.target, times, ahead, terms, limits)
        write_trade(parts[place], part.state)
    sum_parts(state, instrument)
    settle(state, instrument)
    if terms[at.BORROW_PPM] > 0:
        watch_borrow(state, instrument, bar.closed)


@inlined
def watch_borrow(state: State, instrument: int, closed: int) -> None:
    """Begin or end to owe what is sold short, after a bar that closed at a time."""
    book, lots = state.books[instrument], state.holdings[instrument, at.LOTS]
    if lots >= 0:
        if book[at.CHARGED_DAY] != at.NOT_SHORT:
            owe(state, instrument, at.NOT_SHORT)
    elif book[at.CHARGED_DAY] == at.NOT_SHORT:
        # A bar that closes at midnight belongs to the day before.
        owe(state, instrument, (closed - 1) // DAY)


@inlined
def owe(state: State, instrument: int, day: int) -> None:
    """Owe borrowed lots, charged up to a UTC day, or none."""
    book, account = state.books[instrument], state.account
    book[at.CHARGED_DAY] = day
    book[at.CHARGE_FROM] = FAR if day == at.NOT_SHORT else (day + 1) * DAY
    first = FAR
    for place in range(account[at.ACTIVE]):
        first = min(first, state.books[state.active[place], at.CHARGE_FROM])
    account[at.OWES_FROM] = first


@inlined
def charge(state: State, market: Market, instrument: int, row: int, terms: Int64) -> None:
    """Charge for what is owed on the first bar of a UTC day, before anything else in it."""
    book, held, account = state.books[instrument], state.holdings[instrument], state.account
    opened = market.opened[row]
    days = opened // DAY - book[at.CHARGED_DAY]
    value = notional(market.open[row], -held[at.LOTS], terms[at.NUMERATOR], terms[at.DENOMINATOR])
    amount = borrow_fee(value, terms[at.BORROW_PPM], days)
    account[at.CASH] = checked_add(account[at.CASH], -amount)
    account[at.PAID] = checked_add(account[at.PAID], amount)
    held[at.FEES] = checked_add(held[at.FEES], amount)
    note(state, market.known[row], at.NOTE_BORROW, instrument, amount, days)
    owe(state, instrument, opened // DAY)


@inlined
def leg_of(result: StepResult, leg: int) -> LegFill:
    """Return what a leg traded in a bar; in the order of the legs, which is that of the books."""
    if leg == at.ENTRY:
        return result.entry
    if leg == at.EXIT:
        return result.exit
    return result.stop if leg == at.STOPPED else result.target


@inlined
def protect(state: State, book: Int64, before: TradeState, ts: int, limits: Limits) -> None:
    """Hear the venue's answer to the protective orders that go with an entry's first fill."""
    if before.stop != 0 or before.trail != 0 or before.target != 0:
        venue_answer(state, ts, True, limits)
    book[at.STOP_REFERENCE] = before.stop if before.stop != 0 else book[at.REFERENCE]


@inlined
def needed(state: State, instrument: int, lots: int, terms: Int64, cost_ppm: int) -> int:
    """Return what an instrument's entry is expected to take from free cash."""
    trade = state.trades[instrument]
    return entry_need(
        trade[at.ENTRY_LIMIT],
        state.books[instrument, at.REFERENCE],
        trade[at.DIRECTION],
        lots,
        cost_ppm,
        (terms[at.NUMERATOR], terms[at.DENOMINATOR], terms[at.TAKER_PPM]),
    )


@inlined
def refusal(state: State, instrument: int, terms: Int64, rules: FillRules) -> int:
    """Return why the venue refuses an instrument's new entry, or `TAKEN`.

    Sides, quantities and directions were looked at before an order is approved.

    Parameters
    ----------
    state : State
        The entry stands in it, not yet at the venue.
    instrument : int
        Whose entry.
    terms : int64 array of shape (n_instruments, N_TERMS)
        Of all instruments.
    rules : FillRules
        What the market costs.
    """
    trade, own = state.trades[instrument], terms[instrument]
    reference = state.books[instrument, at.REFERENCE]
    limit, lots = trade[at.ENTRY_LIMIT], trade[at.ENTRY_LOTS]
    for price in (limit, reference, trade[at.STOP], trade[at.TARGET], trade[at.TRAIL]):
        if price >= PRICE_END:
            return INVALID_PRICE
    if state.books[instrument, at.PARTS] > 0:
        for place in range(3):
            part = state.parts[instrument, place]
            if part[at.STOP] >= PRICE_END or part[at.TARGET] >= PRICE_END:
                return INVALID_PRICE
    valued = checked_mul(limit if limit != 0 else reference, lots)
    if floor_ratio(valued, own[at.NUMERATOR], own[at.DENOMINATOR]) < own[at.MIN_NOTIONAL]:
        return MIN_NOTIONAL
    need = needed(state, instrument, lots, own, rules.cost_ppm)
    free = free_cash(state.account)
    for place in range(state.account[at.ACTIVE]):
        other = state.active[place]
        left = state.trades[other, at.ENTRY_LOTS]
        if left > 0 and state.books[other, at.AT_VENUE]:
            reserved = needed(state, other, left, terms[other], rules.cost_ppm)
            free = checked_add(free, -reserved)
    return TAKEN if need <= free else INSUFFICIENT_CASH


@inlined
def entries_work(state: State) -> bool:
    """Return whether an entry works, those on their way to the venue included."""
    for place in range(state.account[at.ACTIVE]):
        if state.trades[state.active[place], at.ENTRY_LOTS] > 0:
            return True
    return False


@inlined
def carry_out(state: State, ts: int, terms: Int64, rules: FillRules, limits: Limits) -> None:
    """Bring the moment's orders to the venue and hear its answers; a halt ends all entries."""
    account = state.account
    cancel = state.breakers[at.STATE] == at.HALTED and entries_work(state)
    refused = 0
    for row in range(account[at.FIRST_NEW], account[at.ORDERS]):
        instrument = state.orders[row, at.ORDER_INSTRUMENT]
        if state.orders[row, at.ORDER_LEG] == at.EXIT:
            # What is left of the entry was cancelled before the exit left.
            if state.trades[instrument, at.ENTRY_LOTS] > 0:
                state.trades[instrument, at.ENTRY_LOTS] = 0
                settle(state, instrument)
            venue_answer(state, ts, True, limits)
            continue
        code = refusal(state, instrument, terms, rules)
        if code == TAKEN:
            state.books[instrument, at.AT_VENUE] = 1
            venue_answer(state, ts, True, limits)
            continue
        refused += 1
        state.trades[instrument, at.ENTRY_LOTS] = 0
        settle(state, instrument)
        note(state, ts, at.NOTE_REJECTED, instrument, code, row)
        venue_answer(state, ts, False, limits)
    if cancel:
        for place in range(account[at.ACTIVE]):
            instrument = state.active[place]
            if state.trades[instrument, at.ENTRY_LOTS] > 0:
                state.trades[instrument, at.ENTRY_LOTS] = 0
                settle(state, instrument)
        # The venue answers the cancellation of an order that it refused with its refusal.
        for _ in range(refused):
            venue_answer(state, ts, False, limits)
    if cancel or account[at.ORDERS] > account[at.FIRST_NEW]:
        account[at.BESIDE] += 1
    account[at.FIRST_NEW] = account[at.ORDERS]
