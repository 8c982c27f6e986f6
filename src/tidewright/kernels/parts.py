"""A trade in parts against one bar: one entry and one exit, a stop and a target for each part.

Each part is a trade of its own to `kernels.fills`: what a bar does to it is decided there, so a
bar that touches the stop and the target of a part gives the stop. The parts share what may be
traded in a bar, the first part before the second; the entry fills them in this order and is priced
as one order, and so is the exit. Once a part is over, what is left of the entry is cancelled.
"""

from __future__ import annotations

from typing import NamedTuple

from tidewright.kernels.fills import (
    EXIT_SALT,
    FAR,
    BarStep,
    FillRules,
    LegFill,
    StepResult,
    Taking,
    TradeState,
    capacity,
    latency_of,
    leave_at_open,
    limit_fill,
    quiet_range,
    step_within,
    takes_part,
    unchanged,
)
from tidewright.kernels.jit import compiled
from tidewright.kernels.limits import PPM, ceiling_ratio, share_of

Parts = tuple[TradeState, TradeState, TradeState]
"""The parts of a trade; those that are not used hold nothing and enter nothing."""
Shares = tuple[int, int, int]
"""One number for each part, 0 where there is none."""


class PartsResult(NamedTuple):
    """A trade in parts after a bar, and what was traded in it.

    Parameters
    ----------
    first, second, third : StepResult
        Each part after the bar; their entry and exit fills are in ``entry`` and ``exit``.
    entry, exit : LegFill
        What the entry and the exit order traded for all parts together.
    closed : int
        1 when the last part became flat: the trade is over.
    expired : int
        1 when what was left of the entry expired.
    """

    first: StepResult
    second: StepResult
    third: StepResult
    entry: LegFill
    exit: LegFill
    closed: int
    expired: int


@compiled
def risked_ticks(shares: Shares, stops: Shares) -> int:
    """Return the mean distance to the stops of all parts, weighted by their shares, rounded up.

    Parameters
    ----------
    shares : (int, int, int)
        Millionths of the position; their sum is a million.
    stops : (int, int, int)
        Ticks from the entry to the stop of each part.
    """
    total = 0
    for place in range(3):
        total += shares[place] * stops[place]
    return ceiling_ratio(total, 1, PPM)


@compiled
def part_lots(lots: int, shares: Shares, stops: Shares) -> Shares:
    """Return the lots of each part: its share rounded down, the rest to the one that risks least.

    So the parts together never lose more at their stops than all lots at `risked_ticks`.
    """
    one, two = share_of(lots, shares[0]), share_of(lots, shares[1])
    three = share_of(lots, shares[2])
    rest, least = lots - one - two - three, 0
    for place in range(1, 3):
        if shares[place] > 0 and stops[place] < stops[least]:
            least = place
    return (
        one + (rest if least == 0 else 0),
        two + (rest if least == 1 else 0),
        three + (rest if least == 2 else 0),
    )


@compiled
def without_entry(state: TradeState) -> TradeState:
    """Return a part whose entry works no more."""
    return TradeState(
        state.direction,
        state.key,
        0,
        state.entry_limit,
        state.entry_since,
        0,
        state.held,
        state.stop,
        state.target,
        state.trail,
        state.best,
        state.triggered,
        state.exit_lots,
        state.exit_limit,
        state.exit_since,
    )


@compiled
def goes_at_open(state: TradeState, bar: BarStep, rules: FillRules, room: int) -> bool:
    """Return whether a part is left in full at the open."""
    if state.held == 0:
        return False
    sign, exit_lots = state.direction, state.exit_lots
    late = latency_of(rules, state.key + EXIT_SALT, state.exit_since)
    if exit_lots > 0 and not takes_part(state.exit_since, late, bar.opened, bar.closed):
        exit_lots = 0
    by_exit, by_stop, by_target, _ = leave_at_open(
        sign * bar.open,
        state.held,
        room,
        exit_lots,
        sign * state.exit_limit,
        (sign * state.stop, sign * state.target, state.triggered),
    )
    return by_exit + by_stop + by_target == state.held


@compiled
def _gone(result: StepResult) -> int:
    """Return lots that left."""
    return result.exit.lots + result.stop.lots + result.target.lots


@compiled
def _with_state(result: StepResult, state: TradeState) -> StepResult:
    return StepResult(
        state, result.entry, result.exit, result.stop, result.target, result.closed, result.expired
    )


@compiled
def step_parts(parts: Parts, bar: BarStep, rules: FillRules) -> PartsResult:
    """Take a trade in parts through one bar.

    Parameters
    ----------
    parts : (TradeState, TradeState, TradeState)
        The parts before the bar, with one key, entry limit and exit limit.
    bar : BarStep
        A bar that the trade has not met.
    rules : FillRules
        Costs, latency and shares.
    """
    first, second, third = parts
    if rules.quiet_bars and bar.volume == 0:
        still = unchanged(first), unchanged(second), unchanged(third)
        nothing = LegFill(0, 0, 0, 0)
        return PartsResult(still[0], still[1], still[2], nothing, nothing, 0, 0)
    entry_room = capacity(rules, first.key, bar.opened, bar.volume)
    room = capacity(rules, first.key + EXIT_SALT, bar.opened, bar.volume)
    entering = first.entry_lots + second.entry_lots + third.entry_lots
    if entering > 0 and (
        goes_at_open(first, bar, rules, room)
        or goes_at_open(second, bar, rules, room)
        or goes_at_open(third, bar, rules, room)
    ):
        first, second, third = without_entry(first), without_entry(second), without_entry(third)
    one = step_within(first, bar, rules, entry_room, room)
    entry_room, room = entry_room - one.entry.lots, room - _gone(one)
    two = step_within(second, bar, rules, entry_room, room)
    entry_room, room = entry_room - two.entry.lots, room - _gone(two)
    three = step_within(third, bar, rules, entry_room, room)
    if one.closed or two.closed or three.closed:
        one = _with_state(one, without_entry(one.state))
        two = _with_state(two, without_entry(two.state))
        three = _with_state(three, without_entry(three.state))
    sign = first.direction
    taking = Taking(rules.cost_ppm, rules.impact_ppm, bar.high - bar.low, bar.volume)
    entered = one.entry.lots + two.entry.lots + three.entry.lots
    exited = one.exit.lots + two.exit.lots + three.exit.lots
    held_before = first.held + second.held + third.held
    held = one.state.held + two.state.held + three.state.held
    return PartsResult(
        one,
        two,
        three,
        limit_fill(sign, entered, bar.open, first.entry_limit, taking),
        limit_fill(-sign, exited, bar.open, first.exit_limit, taking),
        1 if held == 0 and (held_before > 0 or entered > 0) else 0,
        1 if one.expired or two.expired or three.expired else 0,
    )


@compiled
def quiet_range_of_parts(parts: Parts) -> tuple[int, int]:
    """Return the open interval of prices within which a bar cannot change any part."""
    low, high = -FAR, FAR
    for place in range(3):
        part = parts[place]
        if part.held > 0 or part.entry_lots > 0:
            lower, upper = quiet_range(part)
            low, high = max(low, lower), min(high, upper)
    return low, high


@compiled
def step_parts_flat(
    first: tuple[int, ...],
    second: tuple[int, ...],
    third: tuple[int, ...],
    bar: tuple[int, ...],
    rules: tuple[int, ...],
) -> tuple[int, ...]:
    """Take a trade in parts through one bar, in plain tuples; `read_parts` names the numbers."""
    parts = TradeState(*first), TradeState(*second), TradeState(*third)
    result = step_parts(parts, BarStep(*bar), FillRules(*rules))
    one, two, three = result.first, result.second, result.third
    return (
        *_part_numbers(one),
        *_part_numbers(two),
        *_part_numbers(three),
        *_fill_numbers(result.entry),
        *_fill_numbers(result.exit),
        result.closed,
        result.expired,
    )


@compiled
def _fill_numbers(fill: LegFill) -> tuple[int, int, int, int]:
    return fill.lots, fill.ticks, fill.maker, fill.opening


@compiled
def _part_numbers(part: StepResult) -> tuple[int, ...]:
    state = part.state
    return (
        state.direction,
        state.key,
        state.entry_lots,
        state.entry_limit,
        state.entry_since,
        state.entry_bars,
        state.held,
        state.stop,
        state.target,
        state.trail,
        state.best,
        state.triggered,
        state.exit_lots,
        state.exit_limit,
        state.exit_since,
        part.stop.lots,
        part.stop.ticks,
        part.stop.maker,
        part.stop.opening,
        part.target.lots,
        part.target.ticks,
        part.target.maker,
        part.target.opening,
        part.closed,
    )


_PART_NUMBERS = 24


class PartStep(NamedTuple):
    """A part after a bar: its state, what its legs traded and whether it is over."""

    state: TradeState
    stop: LegFill
    target: LegFill
    closed: int


class PartsStep(NamedTuple):
    """What `step_parts_flat` gave: three parts, entry and exit fills, and how it ended."""

    parts: tuple[PartStep, PartStep, PartStep]
    entry: LegFill
    exit: LegFill
    closed: int
    expired: int


def read_parts(numbers: tuple[int, ...]) -> PartsStep:
    """Return what `step_parts_flat` gave, with names."""
    one, two, three = (
        _read_part(numbers[place * _PART_NUMBERS : (place + 1) * _PART_NUMBERS])
        for place in range(3)
    )
    rest = numbers[3 * _PART_NUMBERS :]
    entry, left = LegFill._make(rest[:4]), LegFill._make(rest[4:8])
    return PartsStep((one, two, three), entry, left, rest[8], rest[9])


def _read_part(numbers: tuple[int, ...]) -> PartStep:
    state = TradeState._make(numbers[:15])
    stop, target = LegFill._make(numbers[15:19]), LegFill._make(numbers[19:23])
    return PartStep(state, stop, target, numbers[23])


def aggregate(parts: tuple[TradeState, ...]) -> TradeState:
    """Return the parts of a trade as one: sums of lots, and the nearest stop and target.

    Parameters
    ----------
    parts : tuple of TradeState
        At least one.
    """
    first = parts[0]
    sign = first.direction
    held = [part for part in parts if part.held or part.entry_lots]
    stops = [sign * part.stop for part in held if part.stop]
    targets = [sign * part.target for part in held if part.target]
    return first._replace(
        entry_lots=sum(part.entry_lots for part in parts),
        entry_bars=max(part.entry_bars for part in parts),
        held=sum(part.held for part in parts),
        stop=sign * max(stops, default=0),
        target=sign * min(targets, default=0),
        triggered=max(part.triggered for part in parts),
        exit_lots=sum(part.exit_lots for part in parts),
    )
