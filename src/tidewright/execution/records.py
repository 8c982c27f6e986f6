"""Order records as values: how one follows from another."""

from __future__ import annotations

from dataclasses import replace

from tidewright.domain.errors import ConfigError
from tidewright.domain.orders import (
    PROTECTIVE,
    STOPS,
    TARGETS,
    Bracket,
    Fill,
    Leg,
    OrderIntent,
    OrderRecord,
    OrderState,
    OrderType,
    leg_client_id,
)
from tidewright.execution.transitions import move


def moved(record: OrderRecord, state: OrderState, ts: int, reason: str = "") -> OrderRecord:
    """Return a record after a legal move.

    Raises
    ------
    DataIntegrityError
        If the move is not legal.
    """
    return OrderRecord(
        record.intent,
        move(record.intent.client_id, record.state, state),
        record.filled_lots,
        record.filled_value,
        record.fees,
        record.ts_sent,
        ts,
        record.venue_order_id,
        reason or record.reason,
    )


def accepted(record: OrderRecord, state: OrderState, venue_order_id: str, ts: int) -> OrderRecord:
    """Return a record under the venue's own id, after a legal move where the state changes.

    Raises
    ------
    DataIntegrityError
        If the move is not legal.
    """
    if state is not record.state:
        state = move(record.intent.client_id, record.state, state)
    return OrderRecord(
        record.intent,
        state,
        record.filled_lots,
        record.filled_value,
        record.fees,
        record.ts_sent,
        ts,
        venue_order_id,
        record.reason,
    )


def filled(record: OrderRecord, fill: Fill, ts: int) -> OrderRecord:
    """Return a record after a fill: a final state stays, a cancellation stays under way."""
    lots = record.filled_lots + fill.lots
    state = record.state
    if not state.is_final:
        if lots >= record.intent.lots:
            state = move(record.intent.client_id, state, OrderState.FILLED)
        elif state not in (OrderState.CANCEL_SENT, OrderState.PARTIALLY_FILLED):
            state = move(record.intent.client_id, state, OrderState.PARTIALLY_FILLED)
    return OrderRecord(
        record.intent,
        state,
        lots,
        record.filled_value + fill.lots * fill.ticks,
        record.fees + fill.fee,
        record.ts_sent,
        ts,
        record.venue_order_id,
        record.reason,
    )


def acknowledged(record: OrderRecord) -> bool:
    """Return whether the venue is known to have held the order."""
    protective = record.intent.leg in PROTECTIVE
    return bool(record.venue_order_id) or record.filled_lots > 0 or protective


def leg_record(entry: OrderRecord, leg: Leg, ts: int) -> OrderRecord | None:
    """Return a protective leg as the venue opens it when its entry fills; None without one.

    Parameters
    ----------
    entry : OrderRecord
        An entry; the leg covers the lots that it has filled.
    leg : Leg
        A stop or a target; of an entry in parts it covers what its part has filled.
    ts : int
        Nanoseconds UTC.
    """
    intent, bracket = entry.intent, entry.intent.bracket
    if intent.leg is not Leg.ENTRY or bracket is None:
        return None
    lots, stop, target = entry.filled_lots or intent.lots, bracket.stop_ticks, bracket.target_ticks
    if bracket.parts:
        covered = _part_of(bracket, entry.filled_lots, leg.part)
        if covered is None:
            return None
        lots, stop, target = covered
    elif leg.part:
        return None
    if leg in STOPS and (stop or bracket.trail_ticks):
        kept = Bracket(stop_ticks=stop, trail_ticks=bracket.trail_ticks)
        price, limit = stop, None
    elif leg in TARGETS and target:
        kept = None
        price = limit = target
    else:
        return None
    return OrderRecord(
        OrderIntent(
            client_id=leg_client_id(intent.client_id, leg),
            strategy=intent.strategy,
            instrument=intent.instrument,
            side=intent.side.opposite,
            leg=leg,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            lots=lots,
            reference_ticks=price or intent.reference_ticks,
            ts_decided=intent.ts_decided,
            confidence=intent.confidence,
            reason=f"{leg.name.lower()} of {intent.client_id}",
            limit_ticks=limit,
            bracket=kept,
            reduce_only=True,
        ),
        OrderState.OPEN,
        ts_sent=ts,
        ts_updated=ts,
    )


def _part_of(bracket: Bracket, filled: int, place: int) -> tuple[int, int, int] | None:
    """Return lots, stop and target of a part of an entry; None while nothing of it has filled.

    Parts fill one after the other. Before any fill is known a part covers all of its lots.
    """
    if place >= len(bracket.parts):
        return None
    part = bracket.parts[place]
    if filled == 0:
        return part.lots, part.stop_ticks, part.target_ticks
    earlier = sum(one.lots for one in bracket.parts[:place])
    lots = min(max(filled - earlier, 0), part.lots)
    return (lots, part.stop_ticks, part.target_ticks) if lots else None


def resized(record: OrderRecord, lots: int, ts: int) -> OrderRecord:
    """Return a protective leg that covers another quantity; what it has filled may end it."""
    lots = max(lots, record.filled_lots)
    state = record.state
    if record.filled_lots == lots:
        state = move(record.intent.client_id, state, OrderState.FILLED)
    return _with_intent(replace(record, state=state), replace(record.intent, lots=lots), ts)


def stop_moved(record: OrderRecord, stop_ticks: int, ts: int) -> OrderRecord:
    """Return a stop leg at another price; slippage is measured against the new one."""
    trail = record.intent.bracket.trail_ticks if record.intent.bracket else None
    bracket = Bracket(stop_ticks=stop_ticks, trail_ticks=trail)
    intent = replace(record.intent, bracket=bracket, reference_ticks=stop_ticks)
    return _with_intent(record, intent, ts)


def entry_id(client_id: str) -> str:
    """Return the client id of the entry that a leg belongs to; empty when it is no leg id."""
    try:
        return leg_client_id(client_id, Leg.ENTRY)
    except ConfigError:
        return ""


def leg_of(client_id: str) -> Leg | None:
    """Return the leg that a client id names, None when it names none."""
    letter = client_id.rpartition("-")[2]
    return next((leg for leg in Leg if leg.value == letter), None)


def _with_intent(record: OrderRecord, intent: OrderIntent, ts: int) -> OrderRecord:
    return OrderRecord(
        intent,
        record.state,
        record.filled_lots,
        record.filled_value,
        record.fees,
        record.ts_sent,
        ts,
        record.venue_order_id,
        record.reason,
    )
