from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.risk_cases import EQUITY, NOON, make_account, make_gate, make_intent, make_trade
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import OperatorCommand, TradingState
from tidewright.domain.facts import AlertLogged, Fact, Severity, TradingStateChanged
from tidewright.domain.orders import ApprovedOrder, RefusedOrder
from tidewright.domain.time import DAY, HOUR, MINUTE
from tidewright.risk.gate import RiskGate
from tidewright.risk.settings import OFF, LossType, RiskSettings

MIDNIGHT = NOON + 12 * HOUR
OTHERS_OFF = {"max_daily_loss_percent": Decimal(100)}


def resume(gate: RiskGate) -> list[Fact]:
    return gate.operator(OperatorCommand(TradingState.ACTIVE, "cli", "checked"), NOON)


def command(state: TradingState) -> OperatorCommand:
    return OperatorCommand(state, "cli", "test")


def rule_of(gate: RiskGate, ts: int = NOON, number: int = 1) -> str:
    decision = gate.check(
        make_intent(number, ts_decided=ts), make_account(ts=ts, mark_times={"AAA": ts})
    )
    return decision.rule if isinstance(decision, RefusedOrder) else ""


def changes(facts: list[Fact]) -> list[tuple[TradingState, TradingState, str]]:
    return [
        (fact.before, fact.after, fact.actor)
        for fact in facts
        if isinstance(fact, TradingStateChanged)
    ]


def test_quiet_mark_says_nothing() -> None:
    gate = make_gate()
    for step, equity in enumerate((EQUITY, EQUITY + 5, EQUITY - 5)):
        assert gate.mark(NOON + step * MINUTE, equity) == []


def test_drawdown_at_the_limit_halts_and_one_unit_above_does_not() -> None:
    gate = make_gate(**OTHERS_OFF)
    gate.mark(NOON + MINUTE, 2 * EQUITY)
    level = 2 * EQUITY * 85 // 100
    assert gate.mark(NOON + 2 * MINUTE, level + 1) == []
    facts = gate.mark(NOON + 3 * MINUTE, level)
    assert changes(facts) == [(TradingState.ACTIVE, TradingState.HALTED, "risk")]
    alert = facts[0]
    assert isinstance(alert, AlertLogged)
    assert alert.severity is Severity.CRITICAL
    assert "3000" in alert.message
    assert rule_of(gate) == "trading_state"


def test_halt_stays_latched_whatever_equity_and_days_do() -> None:
    gate = make_gate(**OTHERS_OFF)
    gate.mark(NOON, EQUITY // 2)
    for day in range(1, 5):
        assert gate.mark(NOON + day * DAY, EQUITY * 3) == []
    assert gate.trading_state is TradingState.HALTED


def test_resume_restarts_the_drawdown_and_records_it() -> None:
    gate = make_gate(**OTHERS_OFF)
    gate.mark(NOON, EQUITY // 2)
    facts = resume(gate)
    assert changes(facts) == [(TradingState.HALTED, TradingState.ACTIVE, "cli")]
    assert isinstance(facts[0], AlertLogged)
    assert facts[0].code == "RISK_LIMITS_RESTARTED"
    assert "10000" in facts[0].message
    assert "5000" in facts[0].message
    assert gate.mark(NOON + MINUTE, EQUITY // 2 - 1) == []
    assert changes(gate.mark(NOON + MINUTE, EQUITY * 85 // 200))


def test_daily_loss_reduces_until_the_next_day() -> None:
    gate = make_gate()
    assert gate.mark(NOON, EQUITY * 95 // 100 + 1) == []
    facts = gate.mark(NOON + MINUTE, EQUITY * 95 // 100)
    assert changes(facts) == [(TradingState.ACTIVE, TradingState.REDUCING, "risk")]
    assert rule_of(gate) == "trading_state"
    assert gate.mark(MIDNIGHT - 1, EQUITY * 94 // 100) == []
    facts = gate.mark(MIDNIGHT, EQUITY * 94 // 100)
    assert changes(facts) == [(TradingState.REDUCING, TradingState.ACTIVE, "risk")]
    assert gate.mark(MIDNIGHT + MINUTE, EQUITY * 90 // 100) == []


def test_loss_over_midnight_counts_from_the_last_equity_of_the_day_before() -> None:
    gate = make_gate()
    gate.mark(MIDNIGHT - MINUTE, EQUITY)
    facts = gate.mark(MIDNIGHT + MINUTE, EQUITY * 95 // 100)
    assert changes(facts) == [(TradingState.ACTIVE, TradingState.REDUCING, "risk")]


def test_drawdown_halts_while_a_daily_loss_reduces() -> None:
    gate = make_gate()
    gate.mark(NOON, EQUITY * 94 // 100)
    facts = gate.mark(NOON + MINUTE, EQUITY * 85 // 100)
    assert changes(facts) == [(TradingState.REDUCING, TradingState.HALTED, "risk")]


def test_operators_reducing_outlives_the_day() -> None:
    gate = make_gate()
    gate.operator(command(TradingState.REDUCING), NOON)
    assert gate.mark(MIDNIGHT + MINUTE, EQUITY) == []
    assert gate.trading_state is TradingState.REDUCING


def test_operator_can_keep_a_daily_reducing_beyond_the_day() -> None:
    gate = make_gate()
    gate.mark(NOON, EQUITY * 94 // 100)
    assert changes(gate.operator(command(TradingState.REDUCING), NOON)) == []
    gate.mark(MIDNIGHT + MINUTE, EQUITY)
    assert gate.trading_state is TradingState.REDUCING


def test_reducing_never_loosens_halted() -> None:
    gate = make_gate()
    gate.operator(command(TradingState.HALTED), NOON)
    facts = gate.operator(command(TradingState.REDUCING), NOON)
    assert changes(facts) == []
    assert gate.trading_state is TradingState.HALTED


def test_repeated_command_changes_nothing() -> None:
    gate = make_gate()
    assert gate.operator(command(TradingState.ACTIVE), NOON) == []
    gate.operator(command(TradingState.HALTED), NOON)
    assert gate.operator(command(TradingState.HALTED), NOON) == []


def test_resume_after_a_daily_loss_keeps_the_drawdown_peak() -> None:
    gate = make_gate()
    gate.mark(NOON, EQUITY * 94 // 100)
    resume(gate)
    assert gate.mark(NOON + MINUTE, EQUITY * 90 // 100) == []
    facts = gate.mark(NOON + 2 * MINUTE, EQUITY * 85 // 100)
    assert changes(facts) == [(TradingState.ACTIVE, TradingState.HALTED, "risk")]


@pytest.mark.parametrize(
    ("kind", "realized", "equity", "trips"),
    [
        (LossType.BOTH, -100, 9_500, True),
        (LossType.BOTH, -500, 9_501, False),
        (LossType.UNREALIZED, -300, 9_200, True),
        (LossType.UNREALIZED, -300, 9_201, False),
        (LossType.UNREALIZED, 300, 9_800, True),
        (LossType.REALIZED, -500, 10_000, True),
        (LossType.REALIZED, -499, 9_000, False),
    ],
)
def test_loss_type_says_which_losses_count(
    kind: LossType, realized: int, equity: int, trips: bool
) -> None:
    gate = make_gate(loss_type=kind)
    facts = gate.trade_closed(make_trade(realized * 10**8), NOON)
    facts += gate.mark(NOON + MINUTE, equity * 10**8)
    assert bool(changes(facts)) is trips


def test_daily_loss_as_an_amount_counts_where_it_is_the_smaller() -> None:
    gate = make_gate(max_daily_loss=Decimal(200))
    assert gate.mark(NOON, EQUITY - 200 * 10**8 + 1) == []
    assert changes(gate.mark(NOON, EQUITY - 200 * 10**8))


def test_losing_streak_starts_a_cooldown_of_the_set_length() -> None:
    gate = make_gate()
    for pnl in (-1, -1, 0, -1, -1):
        assert gate.trade_closed(make_trade(pnl), NOON) == []
    facts = gate.trade_closed(make_trade(-1), NOON)
    assert [fact.code for fact in facts if isinstance(fact, AlertLogged)] == ["CONSECUTIVE_LOSSES"]
    assert rule_of(gate, NOON) == "cooldown_minutes"
    assert rule_of(gate, NOON + 30 * MINUTE - 1) == "cooldown_minutes"
    assert rule_of(gate, NOON + 30 * MINUTE) == ""
    assert gate.trade_closed(make_trade(-1), NOON) == []


def test_losing_streak_that_is_off_starts_nothing() -> None:
    gate = make_gate(max_consecutive_losses=OFF)
    for _ in range(50):
        assert gate.trade_closed(make_trade(-1), NOON) == []


def test_resume_ends_a_cooldown() -> None:
    gate = make_gate()
    for _ in range(3):
        gate.trade_closed(make_trade(-1), NOON)
    gate.operator(command(TradingState.HALTED), NOON)
    resume(gate)
    assert rule_of(gate) == ""


def test_row_of_venue_errors_starts_a_cooldown_and_an_answer_breaks_the_row() -> None:
    gate = make_gate()
    for definite in (False, False, False, False, True, False, False, False, False):
        assert gate.venue_answer(definite, NOON) == []
    facts = gate.venue_answer(False, NOON)
    assert [fact.code for fact in facts if isinstance(fact, AlertLogged)] == ["VENUE_ERRORS"]
    assert rule_of(gate) == "cooldown_minutes"


@pytest.mark.parametrize("equity", [math.nan, math.inf, -math.inf, 2**62, -(2**62), None])
def test_equity_that_is_no_amount_halts(equity: Any) -> None:
    gate = make_gate()
    if equity is None:
        with pytest.raises(TypeError):
            gate.mark(NOON, equity)
        return
    facts = gate.mark(NOON + MINUTE, equity)
    assert changes(facts) == [(TradingState.ACTIVE, TradingState.HALTED, "risk")]


def test_equity_before_the_account_is_known_trips_nothing() -> None:
    gate = RiskGate(RiskSettings(), {})
    assert gate.mark(NOON, 0) == []
    assert gate.mark(NOON + MINUTE, EQUITY) == []
    assert gate.trading_state is TradingState.ACTIVE


def test_snapshot_carries_every_latch_through_json() -> None:
    gate = make_gate()
    assert isinstance(gate.check(make_intent(), make_account()), ApprovedOrder)
    gate.trade_closed(make_trade(-5), NOON)
    gate.venue_answer(False, NOON)
    gate.mark(NOON + MINUTE, EQUITY * 94 // 100)
    written = json.loads(json.dumps(gate.snapshot()))
    other = make_gate()
    other.restore(written)
    assert other.snapshot() == gate.snapshot()
    assert other.trading_state is TradingState.REDUCING
    ours, theirs = (g.mark(MIDNIGHT, EQUITY * 90 // 100) for g in (gate, other))
    assert ours == theirs
    assert changes(ours) == [(TradingState.REDUCING, TradingState.ACTIVE, "risk")]
    assert rule_of(other, MIDNIGHT) == rule_of(gate, MIDNIGHT) == ""


@pytest.mark.parametrize(
    "damage", [{}, {"breakers": {}, "approvals": []}, {"breakers": None, "approvals": None}]
)
def test_damaged_snapshot_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(DataIntegrityError):
        make_gate().restore(damage)
    whole = json.loads(json.dumps(make_gate().snapshot()))
    whole["approvals"] = [[1, 2]]
    with pytest.raises(DataIntegrityError):
        make_gate().restore(whole)
    whole = json.loads(json.dumps(make_gate().snapshot()))
    whole["breakers"]["peak"] = "many"
    with pytest.raises(DataIntegrityError):
        make_gate().restore(whole)


def test_state_of_a_record_is_taken_over() -> None:
    gate = make_gate()
    gate.latch(TradingState.HALTED)
    assert gate.trading_state is TradingState.HALTED


def pilot(gate: RiskGate | None = None, budget: int = 100, **limits: object) -> RiskGate:
    gate = gate or make_gate(pilot_loss_budget=Decimal(budget), **OTHERS_OFF, **limits)
    gate.mark(NOON, EQUITY)
    return gate


def test_pilot_stops_for_good_at_its_budget_and_not_one_unit_before() -> None:
    gate = pilot()
    level = EQUITY - 100 * 10**8
    assert gate.mark(NOON + MINUTE, level + 1) == []
    facts = gate.mark(NOON + 2 * MINUTE, level)
    assert changes(facts) == [(TradingState.ACTIVE, TradingState.HALTED, "risk")]
    assert [fact.code for fact in facts if isinstance(fact, AlertLogged)] == ["PILOT_LOSS_BUDGET"]
    for state in (TradingState.ACTIVE, TradingState.REDUCING):
        told = gate.operator(command(state), NOON + 3 * MINUTE)
        assert changes(told) == []
        assert "for good" in str(told[0])
    gate.mark(MIDNIGHT + DAY, 3 * EQUITY)
    assert gate.trading_state is TradingState.HALTED
    gate.latch(TradingState.ACTIVE)
    assert gate.trading_state is TradingState.HALTED


def test_budget_counts_from_the_first_equity_not_from_a_peak_or_a_resume() -> None:
    gate = pilot(max_drawdown_percent=Decimal("0.5"))
    gate.mark(NOON + MINUTE, EQUITY + 40 * 10**8)
    assert gate.mark(NOON + 2 * MINUTE, EQUITY - 11 * 10**8) != []
    resume(gate)
    assert gate.trading_state is TradingState.ACTIVE
    assert gate.mark(NOON + 3 * MINUTE, EQUITY - 60 * 10**8) == []
    assert changes(gate.mark(NOON + 4 * MINUTE, EQUITY - 100 * 10**8))
    resume(gate)
    assert gate.trading_state is TradingState.HALTED


def test_budget_is_spent_by_what_is_held_while_trading_is_halted() -> None:
    gate = pilot()
    gate.operator(command(TradingState.HALTED), NOON)
    facts = gate.mark(NOON + MINUTE, EQUITY - 101 * 10**8)
    assert changes(facts) == []
    assert [fact.code for fact in facts if isinstance(fact, AlertLogged)] == ["PILOT_LOSS_BUDGET"]
    assert gate.mark(NOON + 2 * MINUTE, EQUITY - 102 * 10**8) == []
    resume(gate)
    assert gate.trading_state is TradingState.HALTED


def test_spent_pilot_survives_a_restart_and_a_larger_budget() -> None:
    gate = pilot()
    base = make_gate(pilot_loss_budget=Decimal(100), **OTHERS_OFF)
    base.restore(json.loads(json.dumps(gate.snapshot())))
    assert base.mark(NOON + MINUTE, EQUITY - 99 * 10**8) == []
    assert changes(base.mark(NOON + 2 * MINUTE, EQUITY - 100 * 10**8))
    for budget in (Decimal(5_000), OFF):
        again = make_gate(pilot_loss_budget=budget, **OTHERS_OFF)
        again.restore(json.loads(json.dumps(base.snapshot())))
        resume(again)
        assert again.trading_state is TradingState.HALTED


def test_snapshot_of_a_build_without_pilots_is_taken_over() -> None:
    gate = make_gate(pilot_loss_budget=Decimal(100), **OTHERS_OFF)
    gate.mark(NOON, EQUITY)
    saved: dict[str, Any] = json.loads(json.dumps(gate.snapshot()))
    del saved["breakers"]["pilot_base"], saved["breakers"]["pilot_spent"]
    again = make_gate(pilot_loss_budget=Decimal(100), **OTHERS_OFF)
    again.restore(saved)
    assert again.mark(NOON + MINUTE, EQUITY - 99 * 10**8) == []
    again.mark(NOON + DAY, EQUITY - 99 * 10**8)
    assert changes(again.mark(NOON + DAY + MINUTE, EQUITY - 199 * 10**8))


def test_record_of_a_spent_pilot_stops_whoever_takes_it_over() -> None:
    gate = make_gate(**OTHERS_OFF)
    gate.mark(NOON, EQUITY)
    gate.stop_for_good()
    resume(gate)
    assert gate.trading_state is TradingState.HALTED


@given(
    st.lists(st.integers(-150, 150), min_size=1, max_size=40),
    st.lists(st.sampled_from(list(TradingState)), min_size=40, max_size=40),
)
def test_pilot_is_spent_exactly_when_equity_ever_reached_the_level(steps, orders) -> None:
    gate = pilot(max_drawdown_percent=Decimal("0.8"), max_daily_loss=Decimal(70))
    equity, spent = EQUITY, False
    for number, (step, order) in enumerate(zip(steps, orders, strict=False), 1):
        equity += step * 10**8
        spent |= equity <= EQUITY - 100 * 10**8
        facts = gate.mark(NOON + number * HOUR, equity)
        assert any(getattr(fact, "code", "") == "PILOT_LOSS_BUDGET" for fact in facts) <= spent
        gate.operator(command(order), NOON)
        if spent:
            assert gate.trading_state is TradingState.HALTED
        else:
            gate.operator(command(TradingState.ACTIVE), NOON)
            assert gate.trading_state is TradingState.ACTIVE


def test_without_a_budget_nothing_stops_for_good() -> None:
    gate = make_gate(**OTHERS_OFF, max_drawdown_percent=Decimal(100))
    gate.mark(NOON, EQUITY)
    assert gate.mark(NOON + MINUTE, EQUITY // 100) == []
