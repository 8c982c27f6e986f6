"""Many intents at once: no rate, no cap and no cash is overrun."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from fakes.risk_cases import (
    EQUITY,
    MARK,
    NOON,
    make_account,
    make_exit,
    make_gate,
    make_instrument,
    make_intent,
)
from tidewright.domain.events import AnswerLost, TradingState
from tidewright.domain.facts import AlertLogged, TradingStateChanged
from tidewright.domain.orders import ApprovedOrder, RefusedOrder
from tidewright.domain.time import MINUTE, SECOND
from tidewright.execution.manager import OrderManager
from tidewright.execution.settings import ExecutionSettings
from tidewright.risk.settings import OFF

NAMES = [f"I{number:02d}" for number in range(50)]
WIDE = {"max_orders_per_minute": 100, "max_open_orders": 100, "max_correlated_positions": OFF}


def test_runaway_gets_the_set_number_of_orders_and_then_halts_for_good() -> None:
    gate = make_gate(max_orders_per_minute=10, duplicate_window_seconds=1, max_open_orders=100_000)
    decisions = [
        gate.check(
            make_intent(number, lots=50 + number), make_account(ts=NOON + number * SECOND // 1_000)
        )
        for number in range(1, 1_001)
    ]
    assert [type(decision) for decision in decisions[:10]] == [ApprovedOrder] * 10
    refused = [decision for decision in decisions[10:] if isinstance(decision, RefusedOrder)]
    assert len(refused) == 990
    assert refused[0].rule == "max_orders_per_minute"
    assert {decision.rule for decision in refused[1:]} == {"trading_state"}
    assert gate.trading_state is TradingState.HALTED
    facts = gate.take_facts()
    assert [type(fact) for fact in facts] == [AlertLogged, TradingStateChanged]
    assert gate.take_facts() == []
    later = make_account(ts=NOON + 60 * MINUTE, mark_times={"AAA": NOON + 60 * MINUTE})
    assert isinstance(gate.check(make_intent(5_000), later), RefusedOrder)


def test_facts_of_a_runaway_come_with_the_next_mark_when_nobody_took_them() -> None:
    gate = make_gate(max_orders_per_minute=1)
    gate.check(make_intent(1), make_account())
    gate.check(make_intent(2, lots=500), make_account())
    facts = gate.mark(NOON + MINUTE, EQUITY)
    assert [type(fact) for fact in facts] == [AlertLogged, TradingStateChanged]
    assert gate.mark(NOON + 2 * MINUTE, EQUITY) == []


def test_exits_pass_while_entries_run_away() -> None:
    gate = make_gate(max_orders_per_minute=1)
    gate.check(make_intent(1), make_account())
    gate.check(make_intent(2, lots=500), make_account())
    held = make_account(positions={"AAA": 100})
    assert isinstance(gate.check(make_exit(3, lots=100), held), ApprovedOrder)


@pytest.mark.parametrize("shared_view", [True, False])
def test_fifty_intents_at_once_never_exceed_the_exposure_cap(shared_view: bool) -> None:
    terms = {name: make_instrument(name) for name in NAMES}
    gate = make_gate(terms, **WIDE)
    orders = OrderManager(ExecutionSettings())
    marks = dict.fromkeys(NAMES, MARK)
    fresh = make_account(marks=marks, mark_times=dict.fromkeys(NAMES, NOON))
    approved: list[ApprovedOrder] = []
    for number, name in enumerate(NAMES):
        account = fresh
        if not shared_view:
            account = replace(fresh, working=orders.working(), unknown=orders.unknown_instruments())
        intent = make_intent(number, instrument=name, lots=3_000 + number)
        decision = gate.check(intent, account)
        if isinstance(decision, ApprovedOrder):
            approved.append(decision)
            orders.place(decision, NOON)
            if number % 2:
                orders.apply(AnswerLost(intent.client_id, "reset", NOON), NOON)
    exposure = sum(Decimal(order.intent.lots) * MARK / 100 / 1_000 for order in approved)
    assert len(orders.unknown_instruments()) > 5
    assert exposure <= 8_000
    assert exposure > 7_500
    assert exposure == sum(
        Decimal(order.intent.lots) * MARK / 100 / 1_000 for order in orders.working()
    )


def test_orders_of_unknown_outcome_keep_their_exposure_in_later_moments() -> None:
    terms = {name: make_instrument(name) for name in NAMES}
    gate = make_gate(terms, **WIDE)
    orders = OrderManager(ExecutionSettings())
    total = 0
    for number, name in enumerate(NAMES):
        ts = NOON + number * MINUTE
        account = make_account(
            ts=ts,
            marks=dict.fromkeys(NAMES, MARK),
            mark_times=dict.fromkeys(NAMES, ts),
            working=orders.working(),
            unknown=orders.unknown_instruments(),
        )
        intent = make_intent(number, instrument=name, lots=9_000, ts_decided=ts)
        decision = gate.check(intent, account)
        if isinstance(decision, ApprovedOrder):
            total += 1
            orders.place(decision, ts)
            orders.apply(AnswerLost(intent.client_id, "reset", ts), ts)
    assert total == 8


def test_approvals_of_a_moment_survive_a_restart() -> None:
    gate = make_gate()
    assert isinstance(gate.check(make_intent(1, lots=6_000), make_account()), ApprovedOrder)
    other = make_gate()
    other.restore(json.loads(json.dumps(gate.snapshot())))
    refused = other.check(make_intent(2, lots=4_001), make_account())
    assert isinstance(refused, RefusedOrder)
    assert refused.rule == "max_position_size_percent"
