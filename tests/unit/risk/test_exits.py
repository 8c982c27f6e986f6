from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from fakes.risk_cases import NOON, make_account, make_exit, make_gate, make_intent, make_record
from tidewright.domain.events import OperatorCommand, TradingState
from tidewright.domain.orders import ApprovedOrder, Leg, OrderState, RefusedOrder, Side


@pytest.mark.parametrize(
    "trouble",
    [
        {"feed_live": False},
        {"unknown": frozenset({"AAA"})},
        {"marks": {}, "mark_times": {}},
        {"equity": -5, "cash": -5},
        {"equity": math.nan},
        {"positions": {"AAA": 100, "ZZZ": 1}},
    ],
    ids=str,
)
def test_exit_is_approved_whatever_else_is_wrong(trouble: dict[str, Any]) -> None:
    gate = make_gate()
    gate.operator(OperatorCommand(TradingState.HALTED, "cli", "test"), NOON)
    account = replace(make_account(positions={"AAA": 100}), **trouble)
    order = make_exit(lots=100, confidence=math.nan, reference_ticks=0)
    assert isinstance(gate.check(order, account), ApprovedOrder)


@pytest.mark.parametrize(
    ("position", "side", "working", "allowed"),
    [
        (100, Side.SELL, 0, 100),
        (40, Side.SELL, 0, 40),
        (100, Side.SELL, 30, 70),
        (100, Side.SELL, 100, 0),
        (100, Side.BUY, 0, 0),
        (-100, Side.BUY, 0, 100),
        (-30, Side.BUY, 0, 30),
        (-30, Side.SELL, 0, 0),
        (0, Side.SELL, 0, 0),
    ],
)
@pytest.mark.parametrize("state", [OrderState.SENT, OrderState.UNKNOWN, OrderState.CANCEL_SENT])
def test_exit_is_capped_at_what_is_left_to_leave(
    position: int, side: Side, working: int, allowed: int, state: OrderState
) -> None:
    orders = [make_record(make_exit(7, lots=working, side=side), state)] if working else []
    stop = make_intent(8, leg=Leg.STOP, reduce_only=True, side=side, client_id="feed-8-s")
    account = make_account(positions={"AAA": position}, working=(*orders, make_record(stop)))
    decision = make_gate().check(make_exit(lots=100, side=side), account)
    if allowed:
        assert isinstance(decision, ApprovedOrder)
        assert decision.intent.lots == allowed
    else:
        assert isinstance(decision, RefusedOrder)
        assert decision.rule == "reduce_only"


def test_second_exit_of_one_moment_cannot_turn_the_position_around() -> None:
    gate, account = make_gate(), make_account(positions={"AAA": 100})
    first = gate.check(make_exit(1, lots=60), account)
    second = gate.check(make_exit(2, lots=60), account)
    assert isinstance(first, ApprovedOrder)
    assert isinstance(second, ApprovedOrder)
    assert (first.intent.lots, second.intent.lots) == (60, 40)
    assert isinstance(gate.check(make_exit(3, lots=1), account), RefusedOrder)


def test_exit_of_a_known_id_is_refused() -> None:
    gate, account = make_gate(), make_account(positions={"AAA": 100})
    assert isinstance(gate.check(make_exit(1, lots=10), account), ApprovedOrder)
    assert isinstance(gate.check(make_exit(1, lots=10), account), RefusedOrder)


def test_malformed_exit_is_refused() -> None:
    account = make_account(positions={"AAA": 100})
    for changes in ({"lots": 0}, {"lots": -3}, {"reduce_only": False}, {"instrument": "ZZZ"}):
        assert isinstance(make_gate().check(make_exit(**changes), account), RefusedOrder)
