"""Trading state, loss limits and cooldowns over flat arrays; `risk.breakers` is their live form."""

from __future__ import annotations

from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.layout import Int64, Limits, State
from tidewright.kernels.integer import checked_add
from tidewright.kernels.jit import inlined, unallocating
from tidewright.kernels.limits import daily_allowance, trip_level

DAY = 86_400_000_000_000
"""Nanoseconds of a UTC day."""
NEVER = -(2**62)
"""Below every equity."""
BOUND = 2**62
"""Equity stays below."""


@inlined
def note(state: State, ts: int, code: int, first: int, second: int, third: int) -> None:
    """Write a row of the note log."""
    row = state.account[at.NOTES]
    notes = state.notes
    notes[row, 0] = ts
    notes[row, 1] = code
    notes[row, 2] = first
    notes[row, 3] = second
    notes[row, 4] = third
    state.account[at.NOTES] = row + 1


@unallocating
def rearm(breakers: Int64, limits: Limits) -> None:
    """Recompute the highest equity that trips, and when the next slow look is due."""
    breakers[at.WAKE] = 0 if breakers[at.PEAK] == 0 else breakers[at.DAY_END]
    breakers[at.LEVEL] = breakers[at.DAILY_LEVEL] = NEVER
    if breakers[at.PEAK] == 0 or breakers[at.STATE] == at.HALTED:
        return
    if breakers[at.STATE] == at.TRADING and limits.loss_type != at.REALIZED:
        day = breakers[at.DAY_EQUITY]
        realized = breakers[at.DAY_REALIZED] if limits.loss_type == at.UNREALIZED else 0
        allowed = daily_allowance(day, limits.daily_ppm, limits.daily_amount)
        breakers[at.DAILY_LEVEL] = checked_add(day, realized) - allowed
    drawn = trip_level(breakers[at.PEAK], limits.drawdown_ppm)
    breakers[at.LEVEL] = max(drawn, breakers[at.DAILY_LEVEL])


@unallocating
def change(breakers: Int64, after: int, limits: Limits) -> None:
    """Stand in another trading state."""
    breakers[at.STATE] = after
    breakers[at.ENDS_WITH_DAY] = 0
    rearm(breakers, limits)


@unallocating
def roll(state: State, ts: int, equity: int, limits: Limits) -> None:
    """Begin another UTC day, which is due; its losses count from its first moment."""
    breakers = state.breakers
    end = breakers[at.DAY_END]
    breakers[at.DAY_EQUITY] = equity if ts == end or end == 0 else breakers[at.EQUITY]
    breakers[at.DAY_REALIZED] = 0
    breakers[at.DAY_END] = (ts // DAY + 1) * DAY
    breakers[at.WAKE] = breakers[at.DAY_END]
    if breakers[at.STATE] == at.REDUCING and breakers[at.ENDS_WITH_DAY]:
        change(breakers, at.TRADING, limits)
        note(state, ts, at.NOTE_NEW_DAY, 0, 0, 0)


@unallocating
def halt(state: State, ts: int, code: int, numbers: tuple[int, int], limits: Limits) -> None:
    """Latch HALTED; a second cause adds nothing."""
    if state.breakers[at.STATE] == at.HALTED:
        return
    note(state, ts, code, numbers[0], numbers[1], 0)
    change(state.breakers, at.HALTED, limits)


@unallocating
def trip_daily(state: State, ts: int, lost: int, limits: Limits) -> None:
    """Take no entries until the day ends."""
    breakers = state.breakers
    allowed = daily_allowance(breakers[at.DAY_EQUITY], limits.daily_ppm, limits.daily_amount)
    note(state, ts, at.NOTE_DAILY_LOSS, lost, allowed, breakers[at.DAY_END])
    change(breakers, at.REDUCING, limits)
    breakers[at.ENDS_WITH_DAY] = 1


@inlined
def mark_quickly(breakers: Int64, ts: int, equity: int, drawdown_ppm: int) -> bool:
    """Take note of equity where nothing can trip; False when `mark` must look."""
    if not (breakers[at.LEVEL] < equity < BOUND and ts < breakers[at.WAKE]):
        return False
    breakers[at.EQUITY] = equity
    raise_peak(breakers, equity, drawdown_ppm)
    return True


@inlined
def raise_peak(breakers: Int64, equity: int, drawdown_ppm: int) -> None:
    """Take note of a new highest equity."""
    if equity > breakers[at.PEAK]:
        breakers[at.PEAK] = equity
        if breakers[at.STATE] != at.HALTED:
            level = trip_level(equity, drawdown_ppm)
            breakers[at.LEVEL] = max(level, breakers[at.DAILY_LEVEL])


@unallocating
def mark(state: State, ts: int, equity: int, limits: Limits) -> None:
    """Take note of equity at a time, and trip what it trips.

    Raises
    ------
    OverflowError
        If equity is outside 62 bits.
    """
    breakers = state.breakers
    if not -BOUND < equity < BOUND:
        raise OverflowError("equity outside 62 bits")
    if breakers[at.PEAK] == 0 and equity <= 0:
        return
    if ts >= breakers[at.DAY_END]:
        roll(state, ts, equity, limits)
    breakers[at.EQUITY] = equity
    if equity > breakers[at.PEAK]:
        breakers[at.PEAK] = equity
    rearm(breakers, limits)
    if equity > breakers[at.LEVEL]:
        return
    peak = breakers[at.PEAK]
    if equity <= trip_level(peak, limits.drawdown_ppm):
        halt(state, ts, at.NOTE_DRAWDOWN, (peak - equity, peak), limits)
        return
    base = breakers[at.DAY_EQUITY]
    if limits.loss_type == at.UNREALIZED:
        base += breakers[at.DAY_REALIZED]
    trip_daily(state, ts, base - equity, limits)


@unallocating
def cool_down(state: State, ts: int, code: int, count: int, limits: Limits) -> None:
    """Refuse entries for a while."""
    breakers = state.breakers
    until = max(breakers[at.COOLDOWN_UNTIL], ts + limits.cooldown)
    breakers[at.COOLDOWN_UNTIL] = until
    note(state, ts, code, count, until, 0)


@inlined
def trade_closed(state: State, ts: int, pnl: int, limits: Limits) -> None:
    """Count a round trip towards the day's realised loss and the losing streak."""
    breakers = state.breakers
    if breakers[at.PEAK] != 0 and ts >= breakers[at.DAY_END]:
        roll(state, ts, breakers[at.EQUITY], limits)
    breakers[at.DAY_REALIZED] = checked_add(breakers[at.DAY_REALIZED], pnl)
    breakers[at.LOSSES] = breakers[at.LOSSES] + 1 if pnl < 0 else 0
    if 0 < limits.max_losses <= breakers[at.LOSSES]:
        cool_down(state, ts, at.NOTE_LOSSES, breakers[at.LOSSES], limits)
        breakers[at.LOSSES] = 0
    active = breakers[at.STATE] == at.TRADING and breakers[at.PEAK] != 0
    if limits.loss_type == at.REALIZED and active:
        day = breakers[at.DAY_EQUITY]
        allowed = daily_allowance(day, limits.daily_ppm, limits.daily_amount)
        if -breakers[at.DAY_REALIZED] >= allowed:
            trip_daily(state, ts, -breakers[at.DAY_REALIZED], limits)
    rearm(breakers, limits)


@inlined
def venue_answer(state: State, ts: int, definite: bool, limits: Limits) -> None:
    """Count a venue's failure, or forget the row of them."""
    if definite:
        state.breakers[at.ERRORS] = 0
    else:
        venue_failed(state, ts, limits)


@unallocating
def venue_failed(state: State, ts: int, limits: Limits) -> None:
    """Count a venue's failure."""
    breakers = state.breakers
    breakers[at.ERRORS] += 1
    if breakers[at.ERRORS] >= limits.max_errors:
        count = breakers[at.ERRORS]
        breakers[at.ERRORS] = 0
        cool_down(state, ts, at.NOTE_ERRORS, count, limits)
