"""The order manager: what is known of every order, from its leaving to its end.

It sends nothing: it says what must be asked or cancelled, and takes every answer as an event, in
whatever order, however often. Noise from a venue never raises; an illegal move of our own does.
A command whose answer got lost makes the order UNKNOWN, and UNKNOWN ends by asking alone: an order
is sent once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tidewright.domain import events as ev
from tidewright.domain.codec import untag
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.facts import (
    AlertLogged,
    CancelOrder,
    Command,
    Fact,
    OrderPlaced,
    OrderUpdated,
    QueryOrder,
    Severity,
)
from tidewright.domain.orders import (
    PROTECTIVE,
    STOPS,
    ApprovedOrder,
    Fill,
    Leg,
    OrderRecord,
    OrderState,
)
from tidewright.domain.time import SECOND
from tidewright.execution.book import OrderBook
from tidewright.execution.records import (
    accepted,
    acknowledged,
    entry_id,
    filled,
    leg_of,
    leg_record,
    moved,
    resized,
    stop_moved,
)
from tidewright.execution.settings import ExecutionSettings
from tidewright.execution.timers import Timers
from tidewright.execution.transitions import move

_AWAITING = frozenset({OrderState.SENT, OrderState.CANCEL_SENT})
_ON_BOOK = frozenset({OrderState.OPEN, OrderState.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class AppliedEvent:
    """What a venue event changed.

    Parameters
    ----------
    facts : tuple of Fact
        What to record.
    fill : Fill or None
        A fill to book; None for anything else and for a fill that was booked before.
    order : OrderRecord or None
        The order after the event; None when it is not known.
    """

    facts: tuple[Fact, ...] = ()
    fill: Fill | None = None
    order: OrderRecord | None = None


class OrderManager:
    """Follows every order.

    Parameters
    ----------
    settings : ExecutionSettings
        Timeouts and pauses.
    """

    def __init__(self, settings: ExecutionSettings) -> None:
        self._settings = settings
        self._book = OrderBook()
        self._timers = Timers(settings)
        self._to_cancel: dict[str, None] = {}
        self._handlers: Mapping[type, Callable[[OrderRecord, Any, int], AppliedEvent]] = {
            ev.OrderAccepted: self._on_accepted,
            ev.OrderRejected: self._on_rejected,
            ev.OrderFilled: self._on_filled,
            ev.OrderCanceled: self._on_canceled,
            ev.OrderExpired: self._on_expired,
            ev.StopMoved: self._on_stop_moved,
            ev.AnswerLost: self._on_answer_lost,
            ev.OrderNotFound: self._on_not_found,
        }

    @property
    def next_due(self) -> int:
        """When `due` must be called next, nanoseconds UTC; 0 when no timer is set."""
        return self._timers.next_due

    def working(self) -> Sequence[OrderRecord]:
        """Return every order that is not final, in the order in which they appeared."""
        return self._book.working()

    def working_for(self, instrument: str) -> Sequence[OrderRecord]:
        """Return the orders of one instrument that are not final."""
        return [order for order in self._book.working() if order.intent.instrument == instrument]

    def unknown_instruments(self) -> frozenset[str]:
        """Return the instruments that have an order of unknown outcome."""
        return self._book.unknown_instruments()

    def get(self, client_id: str) -> OrderRecord | None:
        """Return an order, None when it is not known or ended long ago."""
        return self._book.get(client_id)

    def place(self, approved: ApprovedOrder, ts: int) -> OrderPlaced:
        """Take an approved order whose command leaves with this step.

        Raises
        ------
        DataIntegrityError
            If its client id is known already: no order is sent twice.
        """
        intent = approved.intent
        if self._book.get(intent.client_id) is not None:
            raise DataIntegrityError(
                f"order {intent.client_id} was placed a second time; expected a new client id"
            )
        state = move(intent.client_id, OrderState.APPROVED, OrderState.SENT)
        record = OrderRecord(intent, state, ts_sent=ts, ts_updated=ts)
        self._store(record)
        self._timers.await_answer(intent.client_id, ts)
        return OrderPlaced(record)

    def adopt(self, record: OrderRecord) -> None:
        """Take an order as a record of another build says it is."""
        self._store(record)
        if record.state in _AWAITING:
            self._timers.await_answer(record.intent.client_id, record.ts_updated)
        elif record.state is OrderState.UNKNOWN:
            self._timers.at_once(record.intent.client_id, record.ts_updated)
        else:
            self._timers.clear(record.intent.client_id)

    def apply(self, event: ev.VenueEvent, ts: int) -> AppliedEvent:
        """Take note of what a venue said.

        Parameters
        ----------
        event : VenueEvent
            The event, however late, early or often it comes.
        ts : int
            When it became known, nanoseconds UTC.
        """
        if isinstance(event, (ev.AccountReported, ev.BorrowCharged)):
            return AppliedEvent()
        if isinstance(event, ev.OrderFilled):
            client_id, severity = event.fill.client_id, Severity.CRITICAL
        else:
            client_id, severity = event.client_id, Severity.WARNING
        facts: tuple[Fact, ...] = ()
        record = self._book.get(client_id)
        if record is None:
            record = self._early_leg(client_id, ts)
            if record is None:
                return AppliedEvent((_alert(severity, "UNKNOWN_ORDER", _stranger(event)),))
            facts = (OrderPlaced(record),)
        applied = self._handlers[type(event)](record, event, ts)
        if facts:
            return AppliedEvent(facts + applied.facts, applied.fill, applied.order)
        return applied

    def request_cancel(
        self, client_id: str, ts: int
    ) -> tuple[OrderUpdated | None, CancelOrder | None]:
        """Ask for an order to be cancelled.

        An order of unknown outcome is cancelled as soon as it is known to work. Where nothing is
        left to do, nothing is returned.

        Raises
        ------
        DataIntegrityError
            If the order is not known.
        """
        record = self._book.get(client_id)
        if record is None:
            raise DataIntegrityError(f"order {client_id!r} was to be cancelled but is not known")
        if record.state.is_final or record.state is OrderState.CANCEL_SENT:
            return None, None
        self._to_cancel[client_id] = None
        if record.state is OrderState.UNKNOWN:
            return None, None
        record = moved(record, OrderState.CANCEL_SENT, ts)
        self._store(record)
        self._timers.await_answer(client_id, ts)
        return OrderUpdated(record), CancelOrder(client_id, record.intent.instrument)

    def due(self, ts: int) -> tuple[list[Fact], list[Command]]:
        """Fire the timers that are due: ask for what is unanswered, cancel what was to be."""
        facts: list[Fact] = []
        commands: list[Command] = []
        for client_id in self._timers.due(ts):
            record = self._book.get(client_id)
            if record is None or record.state.is_final:
                self._timers.clear(client_id)
            elif record.state in _ON_BOOK:
                self._timers.clear(client_id)
                if client_id in self._to_cancel:
                    updated, cancel = self.request_cancel(client_id, ts)
                    facts += [updated] if updated else []
                    commands += [cancel] if cancel else []
            else:
                self._ask(record, ts, facts, commands)
        return facts, commands

    def recover(self, ts: int) -> tuple[list[Fact], list[Command]]:
        """Take over after a start: whatever was not answered is unknown, and is asked for."""
        facts: list[Fact] = []
        commands: list[Command] = []
        for record in self.working():
            if record.state in _AWAITING or record.state is OrderState.UNKNOWN:
                self._timers.at_once(record.intent.client_id, ts)
                self._ask(record, ts, facts, commands)
        return facts, commands

    def snapshot(self) -> dict[str, object]:
        """Return everything that must survive a restart, as JSON-able values."""
        return {
            "orders": [asdict(order) for order in self._book.all()],
            "trades": self._book.trade_ids(),
            "timers": self._timers.snapshot(),
            "to_cancel": list(self._to_cancel),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over a snapshot.

        Raises
        ------
        DataIntegrityError
            If it is not one.
        """
        try:
            orders = [untag("OrderRecord", item) for item in snapshot["orders"]]
            self._book = OrderBook()
            for order in orders:
                self._book.store(order)
            self._book.restore_trades(snapshot["trades"])
            self._timers.restore(snapshot["timers"])
            self._to_cancel = dict.fromkeys(snapshot["to_cancel"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataIntegrityError(f"order snapshot cannot be read: {error!r}") from error

    def _store(self, record: OrderRecord) -> None:
        self._book.store(record)
        if record.state.is_final:
            self._timers.clear(record.intent.client_id)
            self._to_cancel.pop(record.intent.client_id, None)

    def _update(self, record: OrderRecord, *more: Fact) -> AppliedEvent:
        self._store(record)
        return AppliedEvent((OrderUpdated(record), *more), None, record)

    def _ask(
        self, record: OrderRecord, ts: int, facts: list[Fact], commands: list[Command]
    ) -> None:
        """Query an order, which is of unknown outcome from here on if it was not yet."""
        client_id = record.intent.client_id
        attempts = self._timers.attempts(client_id) + 1
        if record.state in _AWAITING:
            record, attempts = self._make_unknown(record, "no answer", ts), 1
            facts.append(OrderUpdated(record))
            facts.append(_order_alert(Severity.WARNING, "ORDER_UNKNOWN", record, "got no answer"))
        if attempts == self._settings.max_retry_attempts + 1:
            what = f"is still of unknown outcome after {attempts - 1} queries; entries stay blocked"
            facts.append(_order_alert(Severity.CRITICAL, "ORDER_UNRESOLVED", record, what))
        commands.append(QueryOrder(client_id, record.intent.instrument))
        self._timers.ask_again(client_id, ts, attempts)

    def _make_unknown(self, record: OrderRecord, reason: str, ts: int) -> OrderRecord:
        if record.state is OrderState.CANCEL_SENT:
            self._to_cancel[record.intent.client_id] = None
        record = moved(record, OrderState.UNKNOWN, ts, reason)
        self._store(record)
        return record

    def _resolved(self, record: OrderRecord, ts: int) -> None:
        """Stop waiting for an answer; a cancellation that was asked for goes out next."""
        client_id = record.intent.client_id
        if record.state not in _ON_BOOK:
            return
        if client_id in self._to_cancel:
            self._timers.at_once(client_id, ts)
        else:
            self._timers.clear(client_id)

    def _on_accepted(self, record: OrderRecord, event: ev.OrderAccepted, ts: int) -> AppliedEvent:
        if record.state.is_final:
            if acknowledged(record) or record.state in (OrderState.FILLED, OrderState.CANCELED):
                return AppliedEvent(order=record)
            what = f"was {record.state.value} here, but the venue says that it accepted it"
            alert = _order_alert(Severity.CRITICAL, "ORDER_CONTRADICTED", record, what)
            return AppliedEvent((alert,), None, record)
        state = record.state
        if state in (OrderState.SENT, OrderState.UNKNOWN):
            state = OrderState.PARTIALLY_FILLED if record.filled_lots else OrderState.OPEN
        if state is record.state and record.venue_order_id:
            return AppliedEvent(order=record)
        after = accepted(record, state, event.venue_order_id, ts)
        applied = self._update(after)
        self._resolved(after, ts)
        return applied

    def _on_rejected(self, record: OrderRecord, event: ev.OrderRejected, ts: int) -> AppliedEvent:
        if event.code == "DUPLICATE":
            if record.state not in _AWAITING:
                return AppliedEvent(order=record)
            record = self._make_unknown(record, "the venue holds the id already", ts)
            self._timers.at_once(record.intent.client_id, ts)
            return AppliedEvent((OrderUpdated(record),), None, record)
        reason = f"{event.code}: {event.reason}"
        if record.state is OrderState.REJECTED:
            return AppliedEvent(order=record)
        if record.state.is_final:
            what = f"was {record.state.value} here, but the venue says that it refused it: {reason}"
            alert = _order_alert(Severity.WARNING, "ORDER_CONTRADICTED", record, what)
            return AppliedEvent((alert,), None, record)
        state = OrderState.CANCELED if record.filled_lots else OrderState.REJECTED
        record = moved(record, state, ts, reason)
        alert = _order_alert(Severity.WARNING, "ORDER_REJECTED", record, f"was refused: {reason}")
        return self._update(record, alert)

    def _on_canceled(self, record: OrderRecord, event: ev.OrderCanceled, ts: int) -> AppliedEvent:
        return self._end(record, OrderState.CANCELED, event.reason, ts)

    def _on_expired(self, record: OrderRecord, event: ev.OrderExpired, ts: int) -> AppliedEvent:
        return self._end(record, OrderState.EXPIRED, event.reason, ts)

    def _end(self, record: OrderRecord, state: OrderState, reason: str, ts: int) -> AppliedEvent:
        if record.state.is_final:
            return AppliedEvent(order=record)
        return self._update(moved(record, state, ts, reason))

    def _on_filled(self, record: OrderRecord, event: ev.OrderFilled, ts: int) -> AppliedEvent:
        fill = event.fill
        intent = record.intent
        if (fill.instrument, fill.side) != (intent.instrument, intent.side) or fill.lots <= 0:
            what = f"got a fill that is not its own and was not booked: {fill}"
            alert = _order_alert(Severity.CRITICAL, "FILL_CONTRADICTED", record, what)
            return AppliedEvent((alert,), None, record)
        if not self._book.note_trade(fill):
            return AppliedEvent(order=record)
        after = filled(record, fill, ts)
        self._store(after)
        self._resolved(after, ts)
        facts: list[Fact] = [OrderUpdated(after)]
        if record.state.is_final:
            what = f"was {record.state.value} already when a fill of {fill.lots} lots came"
            severity = Severity.WARNING if acknowledged(record) else Severity.CRITICAL
            facts.append(_order_alert(severity, "LATE_FILL", after, what))
        if after.filled_lots > after.intent.lots:
            what = f"filled {after.filled_lots} of {after.intent.lots} lots"
            facts.append(_order_alert(Severity.CRITICAL, "OVERFILL", after, what))
        if intent.leg is Leg.ENTRY:
            facts += self._protect(after, ts)
        return AppliedEvent(tuple(facts), fill, after)

    def _protect(self, entry: OrderRecord, ts: int) -> list[Fact]:
        """Open the protective legs of an entry, or make them cover what has filled."""
        facts: list[Fact] = []
        legs: list[OrderRecord] = []
        for leg in PROTECTIVE:
            wanted = leg_record(entry, leg, ts)
            if wanted is None:
                continue
            known = self._book.get(wanted.intent.client_id)
            if known is None:
                self._store(wanted)
                facts.append(OrderPlaced(wanted))
                legs.append(wanted)
                continue
            if not known.state.is_final and known.intent.lots != wanted.intent.lots:
                known = resized(known, wanted.intent.lots, ts)
                self._store(known)
                facts.append(OrderUpdated(known))
            legs.append(known)
        left = entry.filled_lots - sum(leg.filled_lots for leg in legs)
        if left > 0 and legs and all(leg.state.is_final for leg in legs):
            what = f"holds {left} lots whose protective orders have all ended"
            facts.append(_order_alert(Severity.CRITICAL, "UNPROTECTED", entry, what))
        return facts

    def _early_leg(self, client_id: str, ts: int) -> OrderRecord | None:
        """Return a leg that the venue spoke of before its entry's fill arrived."""
        leg = leg_of(client_id)
        entry = self._book.get(entry_id(client_id)) if leg in PROTECTIVE else None
        record = leg_record(entry, leg, ts) if entry is not None and leg is not None else None
        if record is not None:
            self._store(record)
        return record

    def _on_stop_moved(self, record: OrderRecord, event: ev.StopMoved, ts: int) -> AppliedEvent:
        if record.state.is_final or record.intent.leg not in STOPS:
            return AppliedEvent(order=record)
        return self._update(stop_moved(record, event.stop_ticks, ts))

    def _on_answer_lost(self, record: OrderRecord, event: ev.AnswerLost, ts: int) -> AppliedEvent:
        if record.state not in _AWAITING:
            return AppliedEvent(order=record)
        record = self._make_unknown(record, event.detail, ts)
        self._timers.ask_again(record.intent.client_id, ts, 0)
        what = f"is of unknown outcome: {event.detail}"
        alert = _order_alert(Severity.WARNING, "ORDER_UNKNOWN", record, what)
        return AppliedEvent((OrderUpdated(record), alert), None, record)

    def _on_not_found(self, record: OrderRecord, event: ev.OrderNotFound, ts: int) -> AppliedEvent:
        if record.state.is_final:
            return AppliedEvent(order=record)
        if acknowledged(record):
            what = "was accepted before, but the venue says that it never held it"
            alert = _order_alert(Severity.CRITICAL, "ORDER_CONTRADICTED", record, what)
            return AppliedEvent((alert,), None, record)
        old = ts - record.ts_sent >= self._settings.intent_ttl_seconds * SECOND
        state = OrderState.EXPIRED if old else OrderState.REJECTED
        return self._update(moved(record, state, ts, "it never reached the venue"))


def _alert(severity: Severity, code: str, message: str, instrument: str = "") -> AlertLogged:
    return AlertLogged(severity, code, message, instrument)


def _order_alert(severity: Severity, code: str, record: OrderRecord, what: str) -> AlertLogged:
    intent = record.intent
    return _alert(severity, code, f"Order {intent.client_id} {what}.", intent.instrument)


def _stranger(event: object) -> str:
    return f"The venue speaks of an order that is not known here, and nothing was booked: {event}."
