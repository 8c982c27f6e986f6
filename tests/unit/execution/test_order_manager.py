from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fakes.risk_cases import NOON, make_account, make_exit, make_gate, make_intent
from tidewright.domain import events as ev
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.facts import AlertLogged, CancelOrder, OrderPlaced, QueryOrder, Severity
from tidewright.domain.orders import (
    ApprovedOrder,
    Bracket,
    Fill,
    Leg,
    OrderIntent,
    OrderRecord,
    OrderState,
    OrderType,
    Side,
)
from tidewright.domain.time import MINUTE, SECOND
from tidewright.execution.book import KEPT
from tidewright.execution.manager import AppliedEvent, OrderManager
from tidewright.execution.settings import ExecutionSettings
from tidewright.execution.transitions import TRANSITIONS, move

ENTRY = "feed-1-e"
STOP, TARGET = "feed-1-s", "feed-1-t"
BRACKET = Bracket(stop_ticks=9_900, target_ticks=10_200)


def approved(intent: OrderIntent) -> ApprovedOrder:
    decision = make_gate().check(
        intent, make_account(positions={"AAA": 10_000 * intent.reduce_only})
    )
    assert isinstance(decision, ApprovedOrder), decision
    return decision


def placed(**changes: Any) -> OrderManager:
    orders = OrderManager(ExecutionSettings())
    orders.place(approved(make_intent(**changes)), NOON)
    return orders


def fill(lots: int, number: int = 1, client_id: str = ENTRY, **changes: Any) -> ev.OrderFilled:
    side = Side.BUY if client_id == ENTRY else Side.SELL
    made = Fill(f"T{number}", client_id, "AAA", side, lots, 10_001, 7, False, NOON)
    return ev.OrderFilled(replace(made, **changes), number)


def accepted(client_id: str = ENTRY) -> ev.OrderAccepted:
    return ev.OrderAccepted(client_id, "V1", NOON, 1)


def canceled(client_id: str = ENTRY) -> ev.OrderCanceled:
    return ev.OrderCanceled(client_id, "asked", NOON, 9)


def lost(client_id: str = ENTRY) -> ev.AnswerLost:
    return ev.AnswerLost(client_id, "connection reset", NOON)


def state(orders: OrderManager, client_id: str = ENTRY) -> OrderState:
    record = orders.get(client_id)
    assert record is not None
    return record.state


def codes(applied: AppliedEvent) -> list[str]:
    return [fact.code for fact in applied.facts if isinstance(fact, AlertLogged)]


def test_every_move_of_the_table_is_allowed_and_every_other_raises() -> None:
    for before in OrderState:
        for after in OrderState:
            if after in TRANSITIONS[before]:
                assert move("x", before, after) is after
            else:
                with pytest.raises(DataIntegrityError, match=f"{before.value} to {after.value}"):
                    move("x", before, after)
    assert not any(TRANSITIONS[end] for end in OrderState if end.is_final)
    assert OrderState.SENT not in TRANSITIONS[OrderState.UNKNOWN]


def test_placed_order_is_sent_and_awaits_its_answer() -> None:
    orders = OrderManager(ExecutionSettings())
    assert orders.next_due == 0
    fact = orders.place(approved(make_intent()), NOON)
    assert fact.order.state is OrderState.SENT
    assert orders.next_due == NOON + 60 * SECOND
    assert [order.intent.client_id for order in orders.working_for("AAA")] == [ENTRY]
    assert orders.working_for("BBB") == []


def test_order_is_never_placed_twice() -> None:
    orders = placed()
    with pytest.raises(DataIntegrityError, match="second time"):
        orders.place(approved(make_intent()), NOON)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([accepted()], OrderState.OPEN),
        ([accepted(), fill(400)], OrderState.PARTIALLY_FILLED),
        ([accepted(), fill(400), fill(600, 2)], OrderState.FILLED),
        ([fill(400)], OrderState.PARTIALLY_FILLED),
        ([fill(400), accepted()], OrderState.PARTIALLY_FILLED),
        ([fill(1_000), accepted()], OrderState.FILLED),
        ([accepted(), canceled()], OrderState.CANCELED),
        ([fill(400), canceled()], OrderState.CANCELED),
        ([fill(1_000), canceled()], OrderState.FILLED),
        ([ev.OrderExpired(ENTRY, "old", NOON, 2)], OrderState.EXPIRED),
        ([ev.OrderRejected(ENTRY, "MIN", "small", NOON, 2)], OrderState.REJECTED),
        ([fill(5), ev.OrderRejected(ENTRY, "MIN", "small", NOON, 2)], OrderState.CANCELED),
        ([ev.OrderNotFound(ENTRY, NOON)], OrderState.REJECTED),
        ([accepted(), ev.OrderNotFound(ENTRY, NOON)], OrderState.OPEN),
        ([lost()], OrderState.UNKNOWN),
        ([lost(), lost()], OrderState.UNKNOWN),
        ([lost(), accepted()], OrderState.OPEN),
        ([lost(), fill(3)], OrderState.PARTIALLY_FILLED),
        ([lost(), ev.OrderNotFound(ENTRY, NOON)], OrderState.REJECTED),
        ([accepted(), lost()], OrderState.OPEN),
        ([ev.OrderRejected(ENTRY, "DUPLICATE", "used", NOON, 0)], OrderState.UNKNOWN),
        ([accepted(), ev.OrderRejected(ENTRY, "DUPLICATE", "used", NOON, 0)], OrderState.OPEN),
        ([canceled(), accepted()], OrderState.CANCELED),
        ([fill(1_000), ev.OrderExpired(ENTRY, "old", NOON, 2)], OrderState.FILLED),
        ([fill(1_000), ev.OrderRejected(ENTRY, "MIN", "?", NOON, 2)], OrderState.FILLED),
        ([canceled(), lost()], OrderState.CANCELED),
    ],
)
def test_events_lead_to_the_state(events: list[ev.VenueEvent], expected: OrderState) -> None:
    orders = placed()
    for event in events:
        orders.apply(event, NOON)
    assert state(orders) is expected
    assert (orders.next_due == 0) is (expected not in (OrderState.SENT, OrderState.UNKNOWN))
    assert ("AAA" in orders.unknown_instruments()) is (expected is OrderState.UNKNOWN)


def test_fill_is_booked_once_however_often_it_comes() -> None:
    orders = placed()
    first = orders.apply(fill(400), NOON)
    again = orders.apply(fill(400), NOON)
    assert first.fill is not None
    assert (again.fill, again.facts) == (None, ())
    record = orders.get(ENTRY)
    assert record is not None
    assert (record.filled_lots, record.filled_value, record.fees) == (400, 400 * 10_001, 7)


@pytest.mark.parametrize(
    ("before", "code", "severity"),
    [
        ([accepted(), canceled()], "LATE_FILL", Severity.WARNING),
        ([lost(), ev.OrderNotFound(ENTRY, NOON)], "LATE_FILL", Severity.CRITICAL),
        ([fill(1_000, 8)], "LATE_FILL", Severity.WARNING),
    ],
)
def test_fill_of_an_ended_order_is_booked_and_told(
    before: list[ev.VenueEvent], code: str, severity: Severity
) -> None:
    orders = placed()
    for event in before:
        orders.apply(event, NOON)
    ended = state(orders)
    applied = orders.apply(fill(10), NOON)
    assert applied.fill is not None
    assert state(orders) is ended
    alerts = [fact for fact in applied.facts if isinstance(fact, AlertLogged)]
    assert (alerts[0].code, alerts[0].severity) == (code, severity)


def test_fill_beyond_the_order_is_booked_and_told() -> None:
    applied = placed().apply(fill(1_001), NOON)
    assert applied.fill is not None
    assert codes(applied) == ["OVERFILL"]


@pytest.mark.parametrize("changes", [{"side": Side.SELL}, {"instrument": "BBB"}, {"lots": 0}])
def test_fill_that_is_not_the_orders_own_is_not_booked(changes: dict[str, Any]) -> None:
    wrong = replace(fill(10).fill, **changes)
    applied = placed().apply(ev.OrderFilled(wrong, 1), NOON)
    assert applied.fill is None
    assert codes(applied) == ["FILL_CONTRADICTED"]


def test_event_of_a_stranger_is_told_and_not_booked() -> None:
    orders = placed()
    for event, severity in (
        (fill(1, client_id="other-1-e"), Severity.CRITICAL),
        (accepted("other-1-e"), Severity.WARNING),
        (accepted("feed-1-s"), Severity.WARNING),
        (accepted("nonsense"), Severity.WARNING),
    ):
        applied = orders.apply(event, NOON)
        assert (applied.fill, applied.order) == (None, None)
        assert isinstance(applied.facts[0], AlertLogged)
        assert applied.facts[0].severity is severity


def test_account_report_changes_nothing() -> None:
    assert placed().apply(ev.AccountReported(1, (), NOON, 1), NOON) == AppliedEvent()


def test_order_without_an_answer_is_unknown_after_the_timeout_and_asked_for_with_back_off() -> None:
    orders = placed()
    assert orders.due(NOON + 60 * SECOND - 1) == ([], [])
    moments, critical = [], []
    while len(moments) < 7:
        ts = orders.next_due
        facts, commands = orders.due(ts)
        assert commands == [QueryOrder(ENTRY, "AAA")]
        moments.append((ts - NOON) // SECOND)
        critical += [f.code for f in facts if isinstance(f, AlertLogged) and "UNRES" in f.code]
    assert state(orders) is OrderState.UNKNOWN
    assert moments == [60, 65, 75, 95, 125, 155, 185]
    assert critical == ["ORDER_UNRESOLVED"]


def test_lost_answer_is_asked_for_after_the_retry_delay() -> None:
    orders = placed()
    orders.apply(lost(), NOON)
    assert orders.next_due == NOON + 5 * SECOND
    assert orders.due(NOON + 5 * SECOND)[1] == [QueryOrder(ENTRY, "AAA")]


def test_cancel_is_sent_once_and_ends_the_order() -> None:
    orders = placed()
    orders.apply(accepted(), NOON)
    fact, command = orders.request_cancel(ENTRY, NOON)
    assert fact is not None
    assert command == CancelOrder(ENTRY, "AAA")
    assert orders.request_cancel(ENTRY, NOON) == (None, None)
    orders.apply(fill(400), NOON)
    assert state(orders) is OrderState.CANCEL_SENT
    orders.apply(canceled(), NOON)
    assert state(orders) is OrderState.CANCELED
    assert orders.request_cancel(ENTRY, NOON) == (None, None)
    assert orders.next_due == 0


def test_cancel_that_a_fill_overtook_ends_filled() -> None:
    orders = placed()
    orders.request_cancel(ENTRY, NOON)
    orders.apply(fill(1_000), NOON)
    orders.apply(canceled(), NOON)
    assert state(orders) is OrderState.FILLED


def test_cancel_of_an_unknown_order_waits_until_it_is_known_to_work() -> None:
    orders = placed()
    orders.apply(lost(), NOON)
    assert orders.request_cancel(ENTRY, NOON) == (None, None)
    orders.apply(accepted(), NOON + SECOND)
    facts, commands = orders.due(orders.next_due)
    assert commands == [CancelOrder(ENTRY, "AAA")]
    assert len(facts) == 1
    assert state(orders) is OrderState.CANCEL_SENT


def test_cancel_whose_answer_is_lost_is_asked_for_and_sent_again_while_the_order_works() -> None:
    orders = placed()
    orders.apply(accepted(), NOON)
    orders.request_cancel(ENTRY, NOON)
    orders.apply(lost(), NOON)
    assert state(orders) is OrderState.UNKNOWN
    assert orders.due(orders.next_due)[1] == [QueryOrder(ENTRY, "AAA")]
    orders.apply(accepted(), NOON + 6 * SECOND)
    assert orders.due(orders.next_due)[1] == [CancelOrder(ENTRY, "AAA")]


def test_cancel_of_an_order_that_is_not_known_raises() -> None:
    with pytest.raises(DataIntegrityError, match="not known"):
        placed().request_cancel("feed-2-e", NOON)


def test_order_that_never_reached_the_venue_expires_after_its_time_to_live() -> None:
    orders = placed()
    orders.apply(lost(), NOON)
    orders.apply(ev.OrderNotFound(ENTRY, NOON), NOON + 60 * SECOND)
    assert state(orders) is OrderState.EXPIRED


def test_start_makes_every_unanswered_order_unknown_and_asks_for_it() -> None:
    orders = placed()
    orders.place(approved(make_intent(2, instrument="BBB")), NOON)
    orders.place(approved(make_intent(3, instrument="CCC")), NOON)
    orders.apply(accepted("feed-3-e"), NOON)
    facts, commands = orders.recover(NOON + SECOND)
    assert commands == [QueryOrder(ENTRY, "AAA"), QueryOrder("feed-2-e", "BBB")]
    assert orders.unknown_instruments() == {"AAA", "BBB"}
    assert len(facts) == 4


def legs(orders: OrderManager) -> list[tuple[str, OrderState, int]]:
    return [
        (order.intent.client_id, order.state, order.intent.lots)
        for order in orders.working()
        if order.intent.leg in (Leg.STOP, Leg.TARGET)
    ]


def test_protective_legs_open_with_the_first_fill_and_grow_with_the_next() -> None:
    orders = placed(bracket=BRACKET)
    orders.apply(accepted(), NOON)
    assert legs(orders) == []
    applied = orders.apply(fill(400), NOON)
    opened = [fact.order for fact in applied.facts if isinstance(fact, OrderPlaced)]
    assert [order.intent.client_id for order in opened] == [STOP, TARGET]
    stop, target = (order.intent for order in opened)
    assert (stop.side, stop.order_type, stop.reference_ticks) == (
        Side.SELL,
        OrderType.MARKET,
        9_900,
    )
    assert (target.order_type, target.limit_ticks, target.reduce_only) == (
        OrderType.LIMIT,
        10_200,
        True,
    )
    orders.apply(fill(600, 2), NOON)
    assert legs(orders) == [(STOP, OrderState.OPEN, 1_000), (TARGET, OrderState.OPEN, 1_000)]


def test_stop_that_fills_ends_and_the_venue_cancels_the_target() -> None:
    orders = placed(bracket=BRACKET)
    orders.apply(fill(1_000), NOON)
    applied = orders.apply(fill(1_000, 2, STOP), NOON)
    assert applied.fill is not None
    orders.apply(canceled(TARGET), NOON)
    assert (state(orders, STOP), state(orders, TARGET)) == (
        OrderState.FILLED,
        OrderState.CANCELED,
    )
    assert list(orders.working()) == []


def test_leg_that_fills_before_its_entry_is_known_to_have_filled_is_booked() -> None:
    orders = placed(bracket=BRACKET)
    applied = orders.apply(fill(400, 2, STOP), NOON)
    assert applied.fill is not None
    assert isinstance(applied.facts[0], OrderPlaced)
    applied = orders.apply(fill(400), NOON)
    assert state(orders, STOP) is OrderState.FILLED
    assert codes(applied) == []


def test_entry_that_fills_on_after_its_protection_ended_is_told() -> None:
    orders = placed(bracket=Bracket(stop_ticks=9_900))
    orders.apply(fill(400), NOON)
    orders.apply(canceled(STOP), NOON)
    assert codes(orders.apply(fill(100, 2), NOON)) == ["UNPROTECTED"]


def test_trailing_stop_moves_and_slippage_is_measured_against_it() -> None:
    orders = placed(bracket=Bracket(trail_ticks=50))
    orders.apply(fill(400), NOON)
    applied = orders.apply(ev.StopMoved(STOP, 9_970, NOON, 3), NOON)
    assert applied.order is not None
    assert applied.order.intent.bracket == Bracket(stop_ticks=9_970, trail_ticks=50)
    assert applied.order.intent.reference_ticks == 9_970
    assert orders.apply(ev.StopMoved(ENTRY, 9_980, NOON, 4), NOON).facts == ()


def test_contradictions_of_the_venue_are_told() -> None:
    orders = placed()
    orders.apply(ev.OrderNotFound(ENTRY, NOON), NOON)
    assert codes(orders.apply(accepted(), NOON)) == ["ORDER_CONTRADICTED"]
    orders = placed()
    orders.apply(accepted(), NOON)
    assert codes(orders.apply(ev.OrderNotFound(ENTRY, NOON), NOON)) == ["ORDER_CONTRADICTED"]


def test_snapshot_carries_everything_through_json() -> None:
    orders = placed(bracket=BRACKET)
    orders.apply(fill(400), NOON)
    orders.request_cancel(STOP, NOON)
    orders.place(approved(make_intent(2, instrument="BBB")), NOON)
    orders.apply(lost("feed-2-e"), NOON)
    orders.request_cancel("feed-2-e", NOON)
    written = json.loads(json.dumps(orders.snapshot()))
    other = OrderManager(ExecutionSettings())
    other.restore(written)
    assert other.snapshot() == orders.snapshot()
    assert list(other.working()) == list(orders.working())
    assert other.next_due == orders.next_due
    assert other.due(NOON + MINUTE) == orders.due(NOON + MINUTE)
    assert other.apply(fill(400), NOON).fill is None
    assert other.apply(fill(1, 77), NOON) == orders.apply(fill(1, 77), NOON)


@pytest.mark.parametrize("damage", ["orders", "trades", "timers", "to_cancel"])
def test_damaged_snapshot_is_refused(damage: str) -> None:
    written = json.loads(json.dumps(placed().snapshot()))
    for broken in ({**written, damage: 5}, {k: v for k, v in written.items() if k != damage}):
        with pytest.raises(DataIntegrityError):
            OrderManager(ExecutionSettings()).restore(broken)
    written["trades"] = {"nobody-1-e": ["T1"]}
    with pytest.raises(DataIntegrityError):
        OrderManager(ExecutionSettings()).restore(written)


def test_record_of_another_build_is_taken_over() -> None:
    orders = OrderManager(ExecutionSettings())
    intent = make_intent()
    for known, due in (
        (OrderState.SENT, NOON + 60 * SECOND),
        (OrderState.UNKNOWN, NOON),
        (OrderState.OPEN, 0),
        (OrderState.FILLED, 0),
    ):
        orders.adopt(OrderRecord(intent, known, ts_sent=NOON, ts_updated=NOON))
        assert (state(orders), orders.next_due) == (known, due)


def test_only_the_latest_ended_orders_are_remembered() -> None:
    orders = OrderManager(ExecutionSettings())
    for number in range(KEPT + 10):
        client_id = f"feed-{number:x}-e"
        record = OrderRecord(make_intent(number, client_id=client_id), OrderState.OPEN)
        orders.adopt(record)
        orders.apply(fill(1_000, number, client_id, side=Side.BUY), NOON)
    assert orders.get("feed-0-e") is None
    assert orders.get("feed-a-e") is not None
    assert len(orders.snapshot()["trades"]) == KEPT  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, 1.5, None, "60", True, 86_401])
def test_setting_that_is_no_number_of_seconds_is_an_error(value: Any) -> None:
    with pytest.raises(ConfigError, match="order_timeout_seconds"):
        ExecutionSettings(order_timeout_seconds=value)


def test_exit_gets_no_legs() -> None:
    orders = OrderManager(ExecutionSettings())
    orders.place(approved(make_exit()), NOON)
    assert legs(orders) == []
    orders.apply(fill(1_000, 1, "feed-1-x"), NOON)
    assert list(orders.working()) == []
