"""The order manager against a venue that is right and a wire that is not.

The model venue fills and cancels as it likes. Its messages are duplicated, reordered and dropped,
answers get lost, the trader restarts from its snapshot at any moment. Whatever happens: an order
leaves once, a final state stays, booked fills are the venue's fills, each once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fakes.risk_cases import NOON, make_account, make_gate, make_instrument, make_intent
from tidewright.domain import events as ev
from tidewright.domain.facts import CancelOrder, Command, QueryOrder
from tidewright.domain.orders import (
    ApprovedOrder,
    Bracket,
    Fill,
    OrderState,
    Side,
)
from tidewright.domain.time import SECOND
from tidewright.execution.manager import OrderManager
from tidewright.execution.settings import ExecutionSettings

LOTS = 10
INSTRUMENTS = [f"I{number}" for number in range(6)]


@dataclass
class VenueOrder:
    """An order as the venue has it; ``arrived`` is False while it is on its way or lost."""

    client_id: str
    instrument: str
    protected: bool
    arrived: bool = False
    ended: bool = False
    given_up: bool = False
    filled: int = 0
    history: list[ev.VenueEvent] = field(default_factory=list)


class OrderMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        terms = {name: make_instrument(name) for name in INSTRUMENTS}
        self.gate = make_gate(terms, max_open_orders=1_000)
        self.orders = OrderManager(ExecutionSettings())
        self.venue: dict[str, VenueOrder] = {}
        self.wire: list[ev.VenueEvent] = []
        self.booked: dict[str, list[Fill]] = {}
        self.sent: dict[str, int] = {}
        self.final: dict[str, OrderState] = {}
        self.ts = NOON
        self.sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence

    def tell(self, order: VenueOrder, event: ev.VenueEvent, delivered: bool = True) -> None:
        order.history.append(event)
        if delivered:
            self.wire.append(event)

    def deliver(self, event: ev.VenueEvent) -> None:
        applied = self.orders.apply(event, self.ts)
        if applied.fill is not None:
            self.booked.setdefault(applied.fill.client_id, []).append(applied.fill)

    def carry_out(self, commands: list[Command], lose: bool) -> None:
        for command in commands:
            assert isinstance(command, QueryOrder | CancelOrder), "an order was sent again"
            order = self.venue.get(command.client_id)
            assert order is not None
            if isinstance(command, CancelOrder):
                self.cancel_at_venue(order)
            if lose:
                self.wire.append(ev.AnswerLost(command.client_id, "lost", self.ts))
            elif order.arrived:
                self.wire.extend(order.history)
            else:
                order.given_up = True
                self.wire.append(ev.OrderNotFound(command.client_id, self.ts))

    def cancel_at_venue(self, order: VenueOrder) -> None:
        if order.arrived and not order.ended:
            order.ended = True
            event = ev.OrderCanceled(order.client_id, "asked", self.ts, self.next_sequence())
            self.tell(order, event)

    @precondition(lambda self: len(self.venue) < len(INSTRUMENTS))
    @rule(protected=st.booleans())
    def place(self, protected: bool) -> None:
        name = INSTRUMENTS[len(self.venue)]
        client_id = f"feed-{len(self.venue)}-e"
        intent = make_intent(
            client_id=client_id,
            instrument=name,
            lots=LOTS,
            ts_decided=self.ts,
            reference_ticks=1_000_000,
            bracket=Bracket(stop_ticks=900_000) if protected else None,
        )
        account = make_account(
            ts=self.ts,
            marks=dict.fromkeys(INSTRUMENTS, 1_000_000),
            mark_times=dict.fromkeys(INSTRUMENTS, self.ts),
        )
        decision = self.gate.check(intent, account)
        assert isinstance(decision, ApprovedOrder)
        self.orders.place(decision, self.ts)
        self.sent[client_id] = self.sent.get(client_id, 0) + 1
        self.venue[client_id] = VenueOrder(client_id, name, protected)

    @rule(data=st.data(), refused=st.booleans())
    def arrive(self, data: st.DataObject, refused: bool) -> None:
        waiting = [o for o in self.venue.values() if not o.arrived and not o.given_up]
        if not waiting:
            return
        order = data.draw(st.sampled_from(waiting))
        order.arrived = True
        sequence = self.next_sequence()
        if refused:
            order.ended = True
            self.tell(order, ev.OrderRejected(order.client_id, "NO", "no", self.ts, sequence))
        else:
            self.tell(order, ev.OrderAccepted(order.client_id, f"V{sequence}", self.ts, sequence))

    @rule(data=st.data(), lots=st.integers(1, LOTS))
    def fill(self, data: st.DataObject, lots: int) -> None:
        working = [o for o in self.venue.values() if o.arrived and not o.ended]
        if not working:
            return
        order = data.draw(st.sampled_from(working))
        lots = min(lots, LOTS - order.filled)
        order.filled += lots
        order.ended = order.filled == LOTS
        sequence = self.next_sequence()
        made = Fill(
            f"{order.client_id}.{sequence}",
            order.client_id,
            order.instrument,
            Side.BUY,
            lots,
            1_000_000,
            1,
            False,
            self.ts,
        )
        self.tell(order, ev.OrderFilled(made, sequence))

    @rule(data=st.data())
    def end_by_itself(self, data: st.DataObject) -> None:
        working = [o for o in self.venue.values() if o.arrived and not o.ended]
        if working:
            order = data.draw(st.sampled_from(working))
            order.ended = True
            event = ev.OrderExpired(order.client_id, "old", self.ts, self.next_sequence())
            self.tell(order, event)

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), keep=st.booleans(), drop=st.integers(0, 9))
    def deliver_some(self, data: st.DataObject, keep: bool, drop: int) -> None:
        index = data.draw(st.integers(0, len(self.wire) - 1))
        event = self.wire[index]
        if not keep:
            del self.wire[index]
        if drop:
            self.deliver(event)

    @rule(data=st.data())
    def lose_answer(self, data: st.DataObject) -> None:
        if self.venue:
            client_id = data.draw(st.sampled_from(sorted(self.venue)))
            self.deliver(ev.AnswerLost(client_id, "reset", self.ts))

    @rule(data=st.data())
    def ask_to_cancel(self, data: st.DataObject) -> None:
        if self.venue:
            client_id = data.draw(st.sampled_from(sorted(self.venue)))
            _fact, command = self.orders.request_cancel(client_id, self.ts)
            self.carry_out([command] if command else [], data.draw(st.booleans()))

    @rule(lose=st.booleans())
    def timer(self, lose: bool) -> None:
        if self.orders.next_due:
            self.ts = max(self.ts, self.orders.next_due)
            self.carry_out(self.orders.due(self.ts)[1], lose)
        else:
            self.ts += SECOND

    @rule(lose=st.booleans())
    def restart(self, lose: bool) -> None:
        written = json.loads(json.dumps(self.orders.snapshot()))
        self.orders = OrderManager(ExecutionSettings())
        self.orders.restore(written)
        assert json.loads(json.dumps(self.orders.snapshot())) == written
        self.carry_out(self.orders.recover(self.ts)[1], lose)

    @invariant()
    def no_order_left_twice(self) -> None:
        assert set(self.sent.values()) <= {1}

    @invariant()
    def final_states_stay(self) -> None:
        for client_id in self.venue:
            record = self.orders.get(client_id)
            assert record is not None
            if client_id in self.final:
                assert record.state is self.final[client_id]
            elif record.state.is_final:
                self.final[client_id] = record.state

    @invariant()
    def filled_lots_are_the_sum_of_the_booked_fills(self) -> None:
        for client_id, order in self.venue.items():
            record = self.orders.get(client_id)
            assert record is not None
            fills = self.booked.get(client_id, [])
            assert len({fill.trade_id for fill in fills}) == len(fills)
            assert record.filled_lots == sum(fill.lots for fill in fills) <= order.filled

    @invariant()
    def unknown_orders_block_their_instruments(self) -> None:
        waiting = (OrderState.SENT, OrderState.CANCEL_SENT, OrderState.UNKNOWN)
        records = [self.orders.get(client_id) for client_id in self.venue]
        unknown = {r.intent.instrument for r in records if r and r.state is OrderState.UNKNOWN}
        assert self.orders.unknown_instruments() == unknown
        if any(r.state in waiting for r in records if r):
            assert self.orders.next_due > 0

    @invariant()
    def legs_cover_what_their_entry_filled(self) -> None:
        for client_id, order in self.venue.items():
            entry, stop = self.orders.get(client_id), self.orders.get(client_id[:-1] + "s")
            assert entry is not None
            if order.protected and entry.filled_lots:
                assert stop is not None
                assert stop.intent.lots == entry.filled_lots
            else:
                assert stop is None

    def teardown(self) -> None:
        """Let the wire heal: everything then agrees with the venue, to the last lot."""
        for _ in range(40):
            while self.wire:
                self.deliver(self.wire.pop(0))
            if not self.orders.next_due:
                break
            self.ts = max(self.ts, self.orders.next_due)
            self.carry_out(self.orders.due(self.ts)[1], lose=False)
        assert self.orders.next_due == 0
        for order in self.venue.values():
            for event in order.history:
                self.deliver(event)
            record = self.orders.get(order.client_id)
            assert record is not None
            assert record.filled_lots == order.filled
            if order.arrived:
                assert record.state.is_final is order.ended
            else:
                assert record.state in (OrderState.REJECTED, OrderState.EXPIRED)


TestOrderMachine = OrderMachine.TestCase
TestOrderMachine.settings = settings(max_examples=60, stateful_step_count=40)
