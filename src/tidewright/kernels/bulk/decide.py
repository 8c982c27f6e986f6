"""From a strategy's outputs to approved orders over flat arrays, as `engine.decide` does it."""

from __future__ import annotations

from tidewright.kernels.brackets import distance_ticks
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk import risk
from tidewright.kernels.bulk.breakers import halt
from tidewright.kernels.bulk.layout import Float64, Int64, Limits, Market, Plan, State
from tidewright.kernels.bulk.parts import (
    enter_parts,
    lots_of_parts,
    protect_parts,
    risked_by_parts,
    stake_of_parts,
)
from tidewright.kernels.bulk.rows import close_of
from tidewright.kernels.bulk.venue import settle
from tidewright.kernels.hashing import entry_key
from tidewright.kernels.jit import inlined
from tidewright.kernels.limits import PPM
from tidewright.kernels.sizing import yearly_ticks

ENTRY_LONG_BIT = 1 << at.ENTRY_LONG
"""The rule that opens a long position."""
ENTRY_SHORT_BIT = 1 << at.ENTRY_SHORT
"""The rule that opens a short position."""
ENTRY_BITS = ENTRY_LONG_BIT | ENTRY_SHORT_BIT
"""Rules that may open a position."""
EXIT_LONG_BIT = 1 << at.EXIT_LONG
"""The rule that closes a long position."""
EXIT_SHORT_BIT = 1 << at.EXIT_SHORT
"""The rule that closes a short position."""


@inlined
def propose(
    state: State, count: int, instrument: int, sign: int, outputs: Float64, own: Int64, plan: Plan
) -> int:
    """Add an entry to the candidates of the moment, ranked; return how many there are.

    Candidates come in the order of their instruments; the surer one goes before, and among equally
    sure ones the earlier.
    """
    sure = outputs[at.CONFIDENCE]
    place = count
    candidates, sureness = state.candidates, state.sureness
    while place > 0 and sureness[place - 1] < sure:
        for field in range(candidates.shape[1]):
            candidates[place, field] = candidates[place - 1, field]
        sureness[place] = sureness[place - 1]
        place -= 1
    sureness[place] = sure
    candidate = candidates[place]
    candidate[at.WANTED_INSTRUMENT] = instrument
    candidate[at.WANTED_SIGN] = sign
    numerator, denominator = own[at.PRICE_NUMERATOR], own[at.PRICE_DENOMINATOR]
    for output in range(at.STOP_DISTANCE, at.LIMIT_OFFSET + 1):
        candidate[output - at.STOP_DISTANCE + at.WANTED_STOP] = distance_ticks(
            outputs[output], numerator, denominator
        )
    candidate[at.WANTED_SHARE] = PPM
    candidate[at.WANTED_YEARLY] = 0
    if own[at.YEAR_ROOT] > 0:
        size = yearly_ticks(outputs[at.SIZE], own[at.YEAR_ROOT], numerator, denominator)
        candidate[at.WANTED_YEARLY] = size
    if plan.chosen:
        choose_tier(candidate, sure, outputs, own, plan)
    if plan.parts:
        for output in range(at.STOP_2, at.TARGET_3 + 1):
            candidate[output - at.STOP_2 + at.WANTED_STOP_2] = distance_ticks(
                outputs[output], numerator, denominator
            )
    return count + 1


@inlined
def choose_tier(candidate: Int64, sure: float, outputs: Float64, own: Int64, plan: Plan) -> None:
    """Give an entry the share, stop and target of the last tier that its confidence reaches."""
    numerator, denominator = own[at.PRICE_NUMERATOR], own[at.PRICE_DENOMINATOR]
    tier = 0
    for other in range(1, 3):
        if plan.shares[other] > 0 and plan.steps[other] <= sure:
            tier = other
    candidate[at.WANTED_SHARE] = plan.shares[tier]
    if tier > 0:
        stop = at.STOP_2 if tier == 1 else at.STOP_3
        candidate[at.WANTED_STOP] = distance_ticks(outputs[stop], numerator, denominator)
        candidate[at.WANTED_TARGET] = distance_ticks(outputs[stop + 1], numerator, denominator)


@inlined
def leave(state: State, market: Market, instrument: int, ts: int, why: int) -> None:
    """Place an exit of all that is held, unless one works."""
    trade, book = state.trades[instrument], state.books[instrument]
    if trade[at.EXIT_LOTS] > 0:
        return
    lots = state.holdings[instrument, at.LOTS]
    mark = close_of(market, book[at.ROW])
    row = log_order(state, instrument, ts, -1 if lots > 0 else 1, abs(lots), mark)
    state.orders[row, at.ORDER_LEG] = at.EXIT
    state.orders[row, at.ORDER_WHY] = why
    state.confidences[row] = 1.0
    book[at.EXIT_ORDER] = row
    book[at.EXIT_FILLS] = 0
    book[at.EXIT_REFERENCE] = mark
    trade[at.EXIT_LOTS] = abs(lots)
    trade[at.EXIT_LIMIT] = 0
    trade[at.EXIT_SINCE] = ts
    settle(state, instrument)


@inlined
def log_order(state: State, instrument: int, ts: int, sign: int, lots: int, mark: int) -> int:
    """Write a row of the order log and return its number."""
    row = state.account[at.ORDERS]
    order = state.orders[row]
    order[:] = 0
    order[at.ORDER_SEQUENCE] = state.account[at.SEQUENCE]
    order[at.ORDER_TIME] = ts
    order[at.ORDER_INSTRUMENT] = instrument
    order[at.ORDER_SIGN] = sign
    order[at.ORDER_LOTS] = lots
    order[at.ORDER_REFERENCE] = mark
    state.account[at.ORDERS] = row + 1
    return row  # type: ignore[no-any-return]


@inlined
def wanted_entry(state: State, market: Market, plan: Plan, place: int) -> risk.Wanted:
    """Return a candidate with its prices."""
    candidate = state.candidates[place]
    instrument, sign = candidate[at.WANTED_INSTRUMENT], candidate[at.WANTED_SIGN]
    stop, target = candidate[at.WANTED_STOP], candidate[at.WANTED_TARGET]
    trail, offset = candidate[at.WANTED_TRAIL], candidate[at.WANTED_OFFSET]
    mark = close_of(market, state.books[instrument, at.ROW])
    return risk.Wanted(
        instrument,
        sign,
        mark,
        max(mark - sign * offset, 1) if offset != 0 else 0,
        max(mark - sign * stop, 1) if stop != 0 else 0,
        max(mark + sign * target, 1) if target != 0 else 0,
        trail,
        risked_by_parts(candidate, plan) if plan.parts else stop if stop != 0 else trail,
        candidate[at.WANTED_YEARLY],
        candidate[at.WANTED_SHARE],
    )


@inlined
def try_entry(
    state: State,
    market: Market,
    wanted: risk.Wanted,
    candidate: Int64,
    sure: float,
    others: risk.Committed,
    ts: int,
    equity: int,
    own: Int64,
    plan: Plan,
    limits: Limits,
) -> int:
    """Size, check and place an entry; return 0 or the rule that refused it."""
    lots, code = risk.size(state.account, wanted, equity, others, own, plan, limits)
    cut, stake = (lots, 0, 0), 0
    if plan.parts and code == at.NOT_REFUSED:
        cut = lots_of_parts(lots, candidate, plan)
        wanted = protect_parts(wanted, cut, candidate)
        stake = stake_of_parts(wanted, cut, candidate)
    if code == at.NOT_REFUSED:
        code = risk.unsound(wanted, sure)
    if code == at.NOT_REFUSED:
        code = risk.refused_before_money(state, wanted, lots, ts, sure, own, limits)
    if code == at.NOT_REFUSED:
        code = risk.refused_by_money(wanted, lots, stake, equity, others, own, limits)
    if code == at.NOT_REFUSED and limits.max_correlated > 0:
        together = risk.moving_together(state, market, wanted.instrument, wanted.sign, limits)
        if together > limits.max_correlated:
            code = at.REFUSED_CORRELATED
    if code == at.NOT_REFUSED and risk.too_many(state, ts, limits.max_per_minute):
        code = at.REFUSED_RATE
        count = risk.approved_since(state.orders, state.account[at.ORDERS], ts - risk.MINUTE) + 1
        halt(state, ts, at.NOTE_RATE, (count, 0), limits)
    if code == at.NOT_REFUSED:
        enter(state, wanted, lots, ts, plan, sure, own[at.OWNER])
        if plan.parts:
            row = state.account[at.ORDERS] - 1
            enter_parts(state, wanted.instrument, row, wanted.sign, wanted.mark, cut, candidate)
            settle(state, wanted.instrument)
    return code


@inlined
def try_entries(
    state: State,
    market: Market,
    count: int,
    ts: int,
    equity: int,
    terms: Int64,
    plan: Plan,
    limits: Limits,
) -> None:
    """Try the candidates of the moment in their order."""
    code, others = at.NOT_REFUSED, risk.Committed(0, 0, 0)
    for place in range(count):
        before, code = code, risk.barred(state, ts)
        if code == at.NOT_REFUSED:
            # What is committed changes with each entry alone.
            if place == 0 or before == at.NOT_REFUSED:
                others = risk.committed(state, market, terms)
            wanted = wanted_entry(state, market, plan, place)
            own, sure = terms[wanted.instrument], state.sureness[place]
            candidate = state.candidates[place]
            code = try_entry(
                state, market, wanted, candidate, sure, others, ts, equity, own, plan, limits
            )
        if code != at.NOT_REFUSED:
            state.refusals[code] += 1


@inlined
def enter(
    state: State, wanted: risk.Wanted, lots: int, ts: int, plan: Plan, sure: float, owner: int
) -> None:
    """Place an approved entry: it works from here on, though the venue may still refuse it."""
    instrument = wanted.instrument
    row = log_order(state, instrument, ts, wanted.sign, lots, wanted.mark)
    order = state.orders[row]
    order[at.ORDER_LEG] = at.ENTRY
    order[at.ORDER_LIMIT] = wanted.limit
    order[at.ORDER_STOP] = wanted.stop
    order[at.ORDER_TARGET] = wanted.target
    order[at.ORDER_TRAIL] = wanted.trail
    state.confidences[row] = sure
    trade, book = state.trades[instrument], state.books[instrument]
    trade[:] = 0
    trade[at.DIRECTION] = wanted.sign
    trade[at.KEY] = entry_key(owner, state.account[at.SEQUENCE]) if plan.keyed else 0
    trade[at.ENTRY_LOTS] = lots
    trade[at.ENTRY_LIMIT] = wanted.limit
    trade[at.ENTRY_SINCE] = ts
    trade[at.ENTRY_BARS] = plan.expire_after_bars if wanted.limit != 0 else 0
    trade[at.STOP] = wanted.stop
    trade[at.TARGET] = wanted.target
    trade[at.TRAIL] = wanted.trail
    book[at.AT_VENUE] = 0
    book[at.REFERENCE] = wanted.mark
    book[at.ENTRY_ORDER] = row
    book[at.HAS_STOP] = 1 if wanted.stop != 0 or wanted.trail != 0 else 0
    book[at.HAS_TARGET] = 1 if wanted.target != 0 else 0
    book[at.PARTS] = 0
    book[at.ENTRY_FILLS] = book[at.EXIT_FILLS] = 0
    book[at.STOP_FILLS] = book[at.TARGET_FILLS] = 0
    activate(state, instrument)
    settle(state, instrument)


@inlined
def activate(state: State, instrument: int) -> None:
    """Put an instrument into its place among those that hold something or have an order."""
    active, place = state.active, state.account[at.ACTIVE]
    while place > 0 and active[place - 1] > instrument:
        active[place] = active[place - 1]
        place -= 1
    active[place] = instrument
    state.account[at.ACTIVE] += 1


@inlined
def exit_reason(held: Int64, found: int, bars: int, time_stop_bars: int) -> int:
    """Return why a position is to be left now; -1 when it is not.

    Parameters
    ----------
    held : int64 array of shape (N_HOLDING,)
        What is held, not nothing.
    found : int
        Bits of the rules that hold now.
    bars : int
        Bars of the instrument so far.
    time_stop_bars : int
        Leave after so many; 0 is never.
    """
    if found & (EXIT_LONG_BIT if held[at.LOTS] > 0 else EXIT_SHORT_BIT):
        return at.BY_RULE
    if 0 < time_stop_bars <= bars - held[at.OPENED_BAR]:
        return at.BY_TIME
    return -1
