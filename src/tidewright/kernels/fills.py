"""Where an order fills against one bar: the whole order of events, written once.

`step` takes a trade (an entry order, the position that it made, its protective legs and an exit
order) through one bar. A bar says where price opened, how far it went and where it closed, not in
which order; wherever that leaves a choice, the trader gets the worse one.

1. At the open: an exit at market; a stop that the open gapped through, at the open; then limits
   and targets that the open gapped through, at the open.
2. The entry: at market at the open; a limit that the open passed, at the open; a limit that the
   bar traded through, at the limit.
3. Inside the bar: the stop, before anything that would help. An entry that filled in this bar is
   protected at once.
4. Inside the bar: the exit limit and the target, the nearer one first, unless the entry filled
   inside this bar: the favourable price may have come before it. A level that an entry at the
   open finds already passed trades at the open.
5. At the close: a flat trade is over and what is left of its orders is cancelled; else the
   trailing stop follows the best price, in force from the next bar, and the entry ages.

A short trade is a long one in a mirror: prices change sign, highs and lows change places.
Market orders, stops and limits filled at the open take liquidity and pay spread, slippage and
impact; limits filled at their price do not. What an order trades in a bar is at most a share of
what was traded in it. Prices stay below 2**42 ticks, so no product leaves int64.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tidewright.kernels.accounting import fee, notional
from tidewright.kernels.integer import checked_add
from tidewright.kernels.jit import compiled
from tidewright.kernels.latency import ORDER_LEG, Travel, travel_time
from tidewright.kernels.limits import ceiling_ratio, floor_ratio

MILLION = 1_000_000
"""Denominator of shares in millionths."""
FAR = 2**62
"""Beyond every price and quantity."""

EXIT_SALT = 1
"""Added to a trade's key for the draws of whatever leaves it."""
_RANGE_TO_DEVIATION = 600_561
"""1 / (2 * sqrt(ln 2)) in millionths: a bar's range times this estimates its standard deviation."""
_MOST_SHARES = 1_000
"""Impact grows no further once an order is so many times what the bar traded."""


class FillRules(NamedTuple):
    """What the market costs, in whole numbers.

    Parameters
    ----------
    cost_ppm : int
        Half the spread plus slippage, in millionths of the price, paid by who takes liquidity.
    through_ticks : int
        How far a bar must trade beyond a resting limit to fill it; 0 fills at a touch.
    latency : int
        Nanoseconds between decision and arrival; the median where it varies.
    partial_ppm : int
        Probability, in millionths, that an order gets only a share of a bar's volume; 0 is never.
    share_ppm : int
        That share, in millionths.
    seed : int
        Seed of the draws, in [0, 2**63).
    most_ppm : int
        Largest share of a bar's volume that an order trades in it, in millionths; 0 is no limit.
    impact_ppm : int
        Coefficient of the impact, in millionths; 0 is no impact.
    quiet_bars : int
        1 where a bar without volume fills nothing, as if it were absent.
    spread_ppm, spike_ppm, spike : int
        How the latency varies from order to order, as `kernels.latency.Travel` has it.
    """

    cost_ppm: int
    through_ticks: int
    latency: int
    partial_ppm: int
    share_ppm: int
    seed: int
    most_ppm: int
    impact_ppm: int
    quiet_bars: int
    spread_ppm: int = 0
    spike_ppm: int = 0
    spike: int = 0


class BarStep(NamedTuple):
    """The bar that a trade meets: times in nanoseconds, prices in ticks, volume in lots."""

    opened: int
    closed: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class TradeState(NamedTuple):
    """A trade at a venue: orders, position and protection; prices in ticks, 0 means none.

    Parameters
    ----------
    direction : int
        +1 for a long trade, -1 for a short one.
    key : int
        Hash of the entry's client id, in [0, 2**62); what its draws depend on.
    entry_lots, entry_limit : int
        What is left of the entry order and its limit; limit 0 is a market order.
    entry_since : int
        When the entry was decided, nanoseconds.
    entry_bars : int
        Bars after which what is left of the entry expires; 0 is never.
    held : int
        Lots held, >= 0.
    stop, target, trail : int
        Protective stop, profit target and trailing distance.
    best : int
        Best price since the entry filled; 0 before.
    triggered : int
        1 after the stop triggered: what is left leaves at the next open.
    exit_lots, exit_limit, exit_since : int
        What is left of the exit order, its limit (0 is market) and when it was decided.
    """

    direction: int
    key: int
    entry_lots: int
    entry_limit: int
    entry_since: int
    entry_bars: int
    held: int
    stop: int
    target: int
    trail: int
    best: int
    triggered: int
    exit_lots: int
    exit_limit: int
    exit_since: int


class Taking(NamedTuple):
    """What taking liquidity costs in one bar.

    Parameters
    ----------
    cost_ppm, impact_ppm : int
        As `FillRules` has them.
    span, volume : int
        Ticks between the bar's extremes, and lots traded in it.
    """

    cost_ppm: int
    impact_ppm: int
    span: int
    volume: int


class LegFill(NamedTuple):
    """What one leg traded in a bar; no leg trades twice in one bar.

    Parameters
    ----------
    lots, ticks : int
        Quantity (0 when it did not trade) and price after costs.
    maker : int
        1 when it provided liquidity.
    opening : int
        1 when it traded at the open of the bar.
    """

    lots: int
    ticks: int
    maker: int
    opening: int


NO_FILL = LegFill(0, 0, 0, 0)
"""A leg that did not trade."""


class StepResult(NamedTuple):
    """A trade after a bar, and what its legs traded in it.

    Parameters
    ----------
    state : TradeState
        The trade after the bar.
    entry, exit, stop, target : LegFill
        What each leg traded; the entry goes before the others in the books.
    closed : int
        1 when the position became flat: the trade is over.
    expired : int
        1 when what was left of the entry expired.
    """

    state: TradeState
    entry: LegFill
    exit: LegFill
    stop: LegFill
    target: LegFill
    closed: int
    expired: int


@compiled
def draw_ppm(seed: int, key: int, moment: int) -> int:
    """Return a number in [0, 1,000,000) that depends on the three arguments alone.

    Two rounds of the SplitMix64 finaliser over their sum with odd multipliers; the same arguments
    give the same draw whenever and wherever it is asked for.
    """
    mixed = (
        np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        + np.uint64(key) * np.uint64(0xD1342543DE82EF95)
        + np.uint64(moment)
    )
    for _ in range(2):
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.int64(mixed % np.uint64(1_000_000))  # type: ignore[return-value]


@compiled
def capacity(rules: FillRules, key: int, moment: int, volume: int) -> int:
    """Return how many lots an order can trade in a bar: a share of its volume, or no limit.

    Where anything was traded, the largest share is at least one lot.

    Parameters
    ----------
    rules : FillRules
        The largest share, and probability and size of a smaller one.
    key, moment : int
        Hash of the order and open time of the bar: what the draw depends on.
    volume : int
        Lots traded in the bar.
    """
    most = FAR
    if rules.most_ppm > 0 and volume > 0:
        most = max(_volume_share(volume, rules.most_ppm), 1)
    if rules.partial_ppm == 0 or draw_ppm(rules.seed, key, moment) >= rules.partial_ppm:
        return most
    return min(most, _volume_share(volume, rules.share_ppm))


@compiled
def _volume_share(volume: int, share_ppm: int) -> int:
    """Return a share of a bar's volume, rounded down."""
    return volume // MILLION * share_ppm + volume % MILLION * share_ppm // MILLION


@compiled
def impact_ticks(lots: int, taking: Taking) -> int:
    """Return how far an order moves the price against itself, in ticks, rounded up.

    ``impact_ppm / 1e6 * deviation * sqrt(lots / volume)``: the square-root law of market impact
    (Torre, BARRA Market Impact Model Handbook, 1997; Toth et al., Physical Review X 1, 021006,
    2011, who find coefficients near 1). The deviation over the bar is estimated by its range over
    ``2 * sqrt(ln 2)`` (Parkinson, Journal of Business 53, 1980). Deviation and volume are those of
    one and the same span of time, so the length of the bar cancels out.

    Parameters
    ----------
    lots : int
        What the order trades in the bar, > 0.
    taking : Taking
        The bar; without volume there is no impact.
    """
    if taking.impact_ppm == 0 or taking.volume <= 0 or taking.span <= 0:
        return 0
    shares = floor_ratio(min(lots, _MOST_SHARES * taking.volume), MILLION * MILLION, taking.volume)
    root = _square_root(shares)
    deviation = taking.span * _RANGE_TO_DEVIATION
    moved_ppm = floor_ratio(taking.impact_ppm, root, MILLION)
    return ceiling_ratio(deviation, moved_ppm, MILLION * MILLION)


@compiled
def impact_flat(lots: int, taking: tuple[int, ...]) -> int:
    """Return `impact_ticks` of the four numbers of a `Taking`."""
    return impact_ticks(lots, Taking(*taking))


@compiled
def _square_root(value: int) -> int:
    """Return the square root of a number in [0, 2**62), rounded down."""
    root = int(math.sqrt(np.float64(value)))
    while root * root > value:
        root -= 1
    while (root + 1) * (root + 1) <= value:
        root += 1
    return root


@compiled
def worsen(ticks: int, sign: int, cost_ppm: int) -> int:
    """Return a price after costs, rounded to a tick against the trader, at least 1.

    Parameters
    ----------
    ticks : int
        Price before costs, > 0.
    sign : int
        +1 for a buy, -1 for a sell.
    cost_ppm : int
        Costs in millionths of the price.
    """
    return max(ticks + sign * -(-ticks * cost_ppm // MILLION), 1)


@compiled
def entry_need(
    limit: int,
    reference: int,
    sign: int,
    lots: int,
    cost_ppm: int,
    terms: tuple[int, int, int],
) -> int:
    """Return what an entry is expected to take from free cash, in money units.

    Parameters
    ----------
    limit : int
        Limit price in ticks; 0 is a market order, valued at the reference price after costs.
    reference : int
        Latest close when it was decided, ticks.
    sign : int
        +1 for a buy, -1 for a sell.
    lots : int
        What is left of it.
    cost_ppm : int
        Costs in millionths of the price.
    terms : (int, int, int)
        The instrument's ``value_ratio`` and its taker fee in millionths.
    """
    ticks = limit if limit != 0 else worsen(reference, sign, cost_ppm)
    return charged(ticks, lots, terms)


@compiled
def charged(ticks: int, lots: int, terms: tuple[int, int, int]) -> int:
    """Return the value of lots at a price with its fee, in money units.

    Parameters
    ----------
    ticks, lots : int
        Price and quantity, > 0.
    terms : (int, int, int)
        The instrument's ``value_ratio`` and the fee rate in millionths.
    """
    value = notional(ticks, lots, terms[0], terms[1])
    return checked_add(value, fee(value, terms[2]))


@compiled
def latency_of(rules: FillRules, key: int, decided: int) -> int:
    """Return how long an order travels, nanoseconds.

    Parameters
    ----------
    rules : FillRules
        Latency and how it varies.
    key, decided : int
        Hash of the order and when it was decided: what the draw depends on.
    """
    if rules.spread_ppm == 0 and rules.spike_ppm == 0:
        return rules.latency
    travel = Travel(rules.latency, rules.spread_ppm, rules.spike_ppm, rules.spike)
    return travel_time(travel, rules.seed, ORDER_LEG, key ^ decided)


@compiled
def takes_part(decided: int, latency: int, opened: int, closed: int) -> bool:
    """Return whether an order meets a bar.

    Latency shorter than the bar means the first bar that opens at or after the decision; longer
    latency means the first bar that opens at or after arrival.

    Parameters
    ----------
    decided, latency : int
        When the order was decided and how long it travels, nanoseconds.
    opened, closed : int
        Open and close time of the bar, nanoseconds.
    """
    if latency < closed - opened:
        return opened >= decided
    return opened >= decided + latency


@compiled
def _leg_fill(
    sign: int, lots: int, base: int, opening: int, limit: int, resting: int, taking: Taking
) -> LegFill:
    """Price a fill; ``base`` and ``limit`` (0 is none) are true prices, ``sign`` the order's."""
    if lots == 0:
        return LegFill(0, 0, 0, 0)
    if resting:
        return LegFill(lots, base, 1, opening)
    ticks = worsen(base, sign, taking.cost_ppm)
    if taking.impact_ppm > 0:
        ticks = max(ticks + sign * impact_ticks(lots, taking), 1)
    if limit != 0:
        ticks = min(ticks, limit) if sign > 0 else max(ticks, limit)
    return LegFill(lots, ticks, 0, opening)


@compiled
def leave_at_open(
    open_: int, held: int, room: int, exit_lots: int, exit_limit: int, bounds: tuple[int, int, int]
) -> tuple[int, int, int, int]:
    """Return lots that exit, stop and target trade at the open, and whether the stop triggered.

    Prices are mirrored for a short trade. ``room`` is what may leave in this bar; ``bounds`` holds
    stop (0 is none), target (0 is none) and whether the stop triggered before.
    """
    stop, target, triggered = bounds
    by_exit = by_stop = by_target = 0
    if exit_lots > 0 and exit_limit == 0:
        by_exit = min(exit_lots, held, room)
        held, room = held - by_exit, room - by_exit
    if held > 0 and stop != 0 and (triggered or open_ <= stop):
        triggered = 1
        by_stop = min(held, room)
    elif held > 0:
        if exit_lots > 0 and exit_limit != 0 and open_ >= exit_limit:
            by_exit = min(exit_lots, held, room)
            held, room = held - by_exit, room - by_exit
        if target != 0 and open_ >= target:
            by_target = min(held, room)
    return by_exit, by_stop, by_target, triggered


@compiled
def _enter(
    open_: int, low: int, lots: int, limit: int, room: int, through: int
) -> tuple[int, int, int]:
    """Return lots that the entry trades, its price before costs, and whether inside the bar."""
    if limit == 0 or open_ <= limit:
        return min(lots, room), open_, 0
    if low <= limit - through:
        return min(lots, room), limit, 1
    return 0, 0, 0


@compiled
def _leave_at_limits(
    high: int, held: int, room: int, exit_lots: int, exit_limit: int, target: int, through: int
) -> tuple[int, int]:
    """Return lots that exit limit and target trade inside the bar, the nearer one first."""
    by_exit = by_target = 0
    reaches_target = target != 0 and high >= target + through
    reaches_exit = exit_lots > 0 and exit_limit != 0 and high >= exit_limit + through
    if reaches_exit and (not reaches_target or exit_limit <= target):
        by_exit = min(exit_lots, held, room)
        held, room = held - by_exit, room - by_exit
    if reaches_target:
        by_target = min(held, room)
        held, room = held - by_target, room - by_target
    if reaches_exit and by_exit == 0:
        by_exit = min(exit_lots, held, room)
    return by_exit, by_target


@compiled
def _first_stop(stop: int, base: int, trail: int) -> int:
    """Return the stop that an entry at ``base`` begins with; 0 means none."""
    if trail == 0:
        return stop
    return base - trail if stop == 0 else max(stop, base - trail)


@compiled
def unchanged(state: TradeState) -> StepResult:
    """Return a trade that did nothing in a bar."""
    nothing = LegFill(0, 0, 0, 0)
    return StepResult(state, nothing, nothing, nothing, nothing, 0, 0)


@compiled
def step(state: TradeState, bar: BarStep, rules: FillRules) -> StepResult:
    """Take a trade through one bar, in the order of events of this module.

    Parameters
    ----------
    state : TradeState
        The trade before the bar.
    bar : BarStep
        A bar that the trade has not met.
    rules : FillRules
        Costs, latency and shares.
    """
    if rules.quiet_bars and bar.volume == 0:
        return unchanged(state)
    entry_room = 0
    if state.entry_lots > 0:
        entry_room = capacity(rules, state.key, bar.opened, bar.volume)
    room = capacity(rules, state.key + EXIT_SALT, bar.opened, bar.volume)
    return step_within(state, bar, rules, entry_room, room)


@compiled
def step_within(
    state: TradeState, bar: BarStep, rules: FillRules, entry_room: int, room: int
) -> StepResult:
    """Take a trade through a bar in which so many lots may enter and leave."""
    sign = state.direction
    open_ = sign * bar.open
    high = max(sign * bar.high, sign * bar.low)
    low = min(sign * bar.high, sign * bar.low)
    stop, target = sign * state.stop, sign * state.target
    exit_limit, entry_limit = sign * state.exit_limit, sign * state.entry_limit
    best, held, triggered = sign * state.best, state.held, state.triggered
    exit_lots = state.exit_lots
    late = latency_of(rules, state.key + EXIT_SALT, state.exit_since)
    if exit_lots > 0 and not takes_part(state.exit_since, late, bar.opened, bar.closed):
        exit_lots = 0

    # 1. At the open.
    by_exit, by_stop, by_target, triggered = leave_at_open(
        open_, held, room, exit_lots, exit_limit, (stop, target, triggered)
    )
    early_stop, stop_base = by_stop, open_
    left = by_exit + by_stop + by_target
    held, room, exit_lots = held - left, room - left, exit_lots - by_exit
    over = state.held > 0 and held == 0

    # 2. The entry.
    entered, entry_base, inside = 0, 0, 0
    late = latency_of(rules, state.key, state.entry_since)
    due = state.entry_lots > 0 and takes_part(state.entry_since, late, bar.opened, bar.closed)
    if due and not over:
        entered, entry_base, inside = _enter(
            open_, low, state.entry_lots, entry_limit, entry_room, rules.through_ticks
        )
    if entered > 0 and state.best == 0:
        best = entry_base
        stop = _first_stop(stop, entry_base, state.trail)
    held += entered

    # 3. The stop. 4. The limits.
    if held > 0 and stop != 0 and low <= stop and not triggered:
        triggered = 1
        stop_base = min(stop, entry_base) if entered > 0 else stop
        by_stop = min(held, room)
        held -= by_stop
    elif held > 0 and not triggered and not inside:
        late_exit, late_target = _leave_at_limits(
            high, held, room, exit_lots, exit_limit, target, rules.through_ticks
        )
        by_exit, by_target = by_exit + late_exit, by_target + late_target
        held -= late_exit + late_target

    closed = 1 if held == 0 and (state.held > 0 or entered > 0) else 0
    after, expired = _close_bar(
        state,
        (entered, held, stop, best, triggered, by_exit, closed, 1 if due else 0),
        sign * bar.close if inside else high,
    )
    taking = Taking(rules.cost_ppm, rules.impact_ppm, bar.high - bar.low, bar.volume)
    opening = 1 if early_stop else 0
    return StepResult(
        after,
        limit_fill(sign, entered, bar.open, state.entry_limit, taking),
        limit_fill(-sign, by_exit, bar.open, state.exit_limit, taking),
        _leg_fill(-sign, by_stop, sign * stop_base, opening, 0, 0, taking),
        limit_fill(-sign, by_target, bar.open, state.target, taking),
        closed,
        expired,
    )


@compiled
def limit_fill(sign: int, lots: int, open_: int, limit: int, taking: Taking) -> LegFill:
    """Price a fill at a limit (0 is market) or, where the open is beyond it, at the open."""
    if limit == 0 or sign * open_ <= sign * limit:
        return _leg_fill(sign, lots, open_, 1, limit, 0, taking)
    return _leg_fill(sign, lots, limit, 0, limit, 1, taking)


@compiled
def _close_bar(
    state: TradeState, moved: tuple[int, int, int, int, int, int, int, int], favourable: int
) -> tuple[TradeState, int]:
    """Return the trade after the bar and whether what was left of its entry expired.

    ``moved`` holds lots entered, lots held, stop, best price, whether the stop triggered, lots
    that the exit traded, whether the trade is over and whether its entry took part; prices, the
    ``favourable`` one included, are mirrored for a short trade.
    """
    entered, held, stop, best, triggered, by_exit, closed, due = moved
    sign = state.direction
    if closed:
        return (
            TradeState(
                sign,
                state.key,
                0,
                state.entry_limit,
                state.entry_since,
                0,
                0,
                0,
                0,
                0,
                sign * best,
                0,
                0,
                state.exit_limit,
                state.exit_since,
            ),
            0,
        )
    if held > 0 and state.trail != 0 and not triggered:
        best = max(best, favourable)
        stop = max(stop, best - state.trail)
    entry_lots = state.entry_lots - entered
    entry_bars, expired = state.entry_bars, 0
    if entry_lots > 0 and due and entry_bars > 0:
        entry_bars -= 1
        if entry_bars == 0:
            entry_lots, expired = 0, 1
    return (
        TradeState(
            sign,
            state.key,
            entry_lots,
            state.entry_limit,
            state.entry_since,
            entry_bars,
            held,
            sign * stop,
            state.target,
            state.trail,
            sign * best,
            triggered,
            state.exit_lots - by_exit,
            state.exit_limit,
            state.exit_since,
        ),
        expired,
    )


@compiled
def quiet_range(state: TradeState) -> tuple[int, int]:
    """Return the open interval of prices within which a bar cannot change the trade.

    A bar with ``low`` above the first and ``high`` below the second value may skip `step`.

    Returns
    -------
    low, high : int
        Ticks; ``(FAR, -FAR)``, which no bar satisfies, when every bar counts.
    """
    sign = state.direction
    exits_at_market = state.exit_lots > 0 and state.exit_limit == 0
    if exits_at_market or (state.held > 0 and state.triggered):
        return FAR, -FAR
    lower, upper = -FAR, FAR
    if state.entry_lots > 0:
        if state.entry_limit == 0 or state.entry_bars > 0:
            return FAR, -FAR
        lower = sign * state.entry_limit
    if state.held > 0:
        if state.stop != 0:
            lower = max(lower, sign * state.stop)
        if state.target != 0:
            upper = min(upper, sign * state.target)
        if state.exit_lots > 0:
            upper = min(upper, sign * state.exit_limit)
        if state.trail != 0:
            upper = min(upper, sign * state.best + 1)
    if sign > 0:
        return lower, upper
    return -upper, -lower


@compiled
def step_flat(
    state: tuple[int, ...], bar: tuple[int, ...], rules: tuple[int, ...]
) -> tuple[int, ...]:
    """Take a trade through one bar, in plain tuples: cheap to call from outside compiled code.

    Parameters
    ----------
    state, bar, rules : tuple of int
        The fields of `TradeState`, `BarStep` and `FillRules`, as plain tuples.

    Returns
    -------
    tuple of int
        The fields of `StepResult` one after the other, 33 numbers; `read_step` names them.
    """
    result = step(TradeState(*state), BarStep(*bar), FillRules(*rules))
    after, entry, exit_ = result.state, result.entry, result.exit
    stop, target = result.stop, result.target
    return (
        after.direction,
        after.key,
        after.entry_lots,
        after.entry_limit,
        after.entry_since,
        after.entry_bars,
        after.held,
        after.stop,
        after.target,
        after.trail,
        after.best,
        after.triggered,
        after.exit_lots,
        after.exit_limit,
        after.exit_since,
        entry.lots,
        entry.ticks,
        entry.maker,
        entry.opening,
        exit_.lots,
        exit_.ticks,
        exit_.maker,
        exit_.opening,
        stop.lots,
        stop.ticks,
        stop.maker,
        stop.opening,
        target.lots,
        target.ticks,
        target.maker,
        target.opening,
        result.closed,
        result.expired,
    )


@compiled
def quiet_range_flat(state: tuple[int, ...]) -> tuple[int, int]:
    """Return `quiet_range` of a state given as a plain tuple."""
    return quiet_range(TradeState(*state))


def read_step(numbers: tuple[int, ...]) -> StepResult:
    """Return what `step_flat` gave, with names."""
    return StepResult(
        TradeState._make(numbers[:15]),
        LegFill._make(numbers[15:19]) if numbers[15] else NO_FILL,
        LegFill._make(numbers[19:23]) if numbers[19] else NO_FILL,
        LegFill._make(numbers[23:27]) if numbers[23] else NO_FILL,
        LegFill._make(numbers[27:31]) if numbers[27] else NO_FILL,
        numbers[31],
        numbers[32],
    )
