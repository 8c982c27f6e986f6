"""Positions in parts over flat arrays, as `kernels.parts` has them.

``State.trades`` holds the sums over the parts, so whatever looks at orders and positions need not
know of parts; ``State.parts`` holds each of them.
"""

from __future__ import annotations

from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.layout import Int64, Plan, State
from tidewright.kernels.bulk.risk import Wanted
from tidewright.kernels.bulk.trades import read_trade
from tidewright.kernels.jit import inlined, unallocating
from tidewright.kernels.parts import Shares, part_lots, quiet_range_of_parts, risked_ticks


@inlined
def distances(candidate: Int64) -> Shares:
    """Return the ticks to the stop of each tier."""
    return (
        candidate[at.WANTED_STOP],
        candidate[at.WANTED_STOP_2],
        candidate[at.WANTED_STOP_3],
    )


@unallocating
def risked_by_parts(candidate: Int64, plan: Plan) -> int:
    """Return the ticks that a lot risks on average."""
    return risked_ticks(plan.shares, distances(candidate))


@unallocating
def protect_parts(wanted: Wanted, lots: Shares, candidate: Int64) -> Wanted:
    """Return an entry with the nearest stop and target of the parts that have a lot."""
    sign, mark = wanted.sign, wanted.mark
    stop = target = 0
    for place in range(3):
        if lots[place] == 0:
            continue
        column = at.WANTED_STOP if place == 0 else at.WANTED_STOP_2 + 2 * (place - 1)
        own_stop = max(mark - sign * candidate[column], 1)
        own_target = max(mark + sign * candidate[column + 1], 1)
        if stop == 0 or sign * own_stop > sign * stop:
            stop = own_stop
        if target == 0 or sign * own_target < sign * target:
            target = own_target
    return Wanted(
        wanted.instrument,
        sign,
        mark,
        wanted.limit,
        stop,
        target,
        wanted.trail,
        wanted.risked,
        wanted.yearly,
        wanted.share,
    )


@unallocating
def stake_of_parts(wanted: Wanted, lots: Shares, candidate: Int64) -> int:
    """Return lots times ticks to the stop, over all parts."""
    entry = wanted.limit if wanted.limit != 0 else wanted.mark
    total = 0
    for place in range(3):
        column = at.WANTED_STOP if place == 0 else at.WANTED_STOP_2 + 2 * (place - 1)
        stop = max(wanted.mark - wanted.sign * candidate[column], 1)
        total += lots[place] * abs(entry - stop)
    return total


@unallocating
def lots_of_parts(lots: int, candidate: Int64, plan: Plan) -> Shares:
    """Return the lots of each tier."""
    return part_lots(lots, plan.shares, distances(candidate))


@unallocating
def enter_parts(
    state: State, instrument: int, row: int, sign: int, mark: int, lots: Shares, candidate: Int64
) -> None:
    """Write the parts of an approved entry, those without a lot left out."""
    parts, whole = state.parts[instrument], state.trades[instrument]
    count = 0
    logged = row < state.order_parts.shape[0]
    if logged:
        state.order_parts[row, :] = 0
    for place in range(3):
        if lots[place] == 0:
            continue
        column = at.WANTED_STOP if place == 0 else at.WANTED_STOP_2 + 2 * (place - 1)
        part = parts[count]
        for field in range(at.N_TRADE):
            part[field] = whole[field]
        part[at.ENTRY_LOTS] = lots[place]
        part[at.STOP] = max(mark - sign * candidate[column], 1)
        part[at.TARGET] = max(mark + sign * candidate[column + 1], 1)
        if logged:
            state.order_parts[row, 3 * count] = lots[place]
            state.order_parts[row, 3 * count + 1] = part[at.STOP]
            state.order_parts[row, 3 * count + 2] = part[at.TARGET]
        count += 1
    for place in range(count, 3):
        parts[place, :] = 0
        parts[place, at.DIRECTION] = sign
    book = state.books[instrument]
    book[at.PARTS] = count if count > 1 else 0
    book[at.HAS_STOP] = book[at.HAS_TARGET] = 0 if count > 1 else 1
    for place in range(4):
        book[at.PART_FILLS + place] = 0


@unallocating
def follow_whole(state: State, instrument: int) -> tuple[int, int]:
    """Do to the parts what was done to the whole trade; return where bars change nothing.

    An entry that was cancelled is cancelled in each of them; a new exit leaves the first ones
    first.
    """
    whole, parts = state.trades[instrument], state.parts[instrument]
    leaving = parts[0, at.EXIT_LOTS] + parts[1, at.EXIT_LOTS] + parts[2, at.EXIT_LOTS]
    left = whole[at.EXIT_LOTS] if leaving == 0 else 0
    for place in range(3):
        part = parts[place]
        if whole[at.ENTRY_LOTS] == 0:
            part[at.ENTRY_LOTS] = 0
        if left > 0 or (leaving == 0 and whole[at.EXIT_LOTS] > 0):
            lots = min(part[at.HELD], left)
            part[at.EXIT_LOTS] = lots
            part[at.EXIT_LIMIT] = whole[at.EXIT_LIMIT]
            part[at.EXIT_SINCE] = whole[at.EXIT_SINCE]
            left -= lots
    return quiet_range_of_parts((read_trade(parts[0]), read_trade(parts[1]), read_trade(parts[2])))


@unallocating
def sum_parts(state: State, instrument: int) -> None:
    """Make the whole trade what its parts are together, and count their protective orders."""
    whole, parts, book = state.trades[instrument], state.parts[instrument], state.books[instrument]
    entering = held = leaving = working = 0
    for place in range(3):
        part = parts[place]
        entering += part[at.ENTRY_LOTS]
        held += part[at.HELD]
        leaving += part[at.EXIT_LOTS]
        working += 1 if part[at.HELD] > 0 else 0
    whole[at.ENTRY_LOTS] = entering
    whole[at.HELD] = held
    whole[at.EXIT_LOTS] = leaving
    book[at.HAS_STOP] = book[at.HAS_TARGET] = working
