"""Every limit of an entry, just inside and just outside."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from fakes.risk_cases import (
    EQUITY,
    MARK,
    NOON,
    make_account,
    make_gate,
    make_instrument,
    make_intent,
    make_record,
)
from tidewright.domain.orders import (
    ApprovedOrder,
    Bracket,
    OrderRecord,
    OrderState,
    OrderType,
    RefusedOrder,
    Side,
)
from tidewright.domain.time import MINUTE, SECOND
from tidewright.risk.gate import RiskGate


@dataclass(frozen=True)
class Boundary:
    """A rule, and what an entry looks like that meets it and one that breaks it."""

    rule: str
    inside: Mapping[str, Any]
    outside: Mapping[str, Any]
    limits: Mapping[str, Any] = field(default_factory=dict)


def entry_of(name: str, lots: int, **changes: Any) -> OrderRecord:
    intent = make_intent(int(name, 36), instrument=name, lots=lots, client_id=f"w-{name}-e")
    return make_record(replace(intent, **changes))


def correlated(value: float) -> Callable[[str, str], float]:
    return lambda _first, _second: value


HELD = {"BBB": 100, "CCC": 100, "DDD": 100}

BOUNDARIES = [
    Boundary("feed_live", {}, {"feed_live": False}),
    Boundary(
        "unknown_order", {"unknown": frozenset({"BBB"})}, {"unknown": frozenset({"BBB", "AAA"})}
    ),
    Boundary(
        "max_data_age_minutes",
        {"mark_times": {"AAA": NOON - 15 * MINUTE}},
        {"mark_times": {"AAA": NOON - 15 * MINUTE - 1}},
    ),
    Boundary("max_data_age_minutes", {}, {"mark_times": {"AAA": NOON + 1}}),
    Boundary("max_data_age_minutes", {}, {"mark_times": {}}),
    Boundary("max_data_age_minutes", {}, {"marks": {}}),
    Boundary("max_data_age_minutes", {}, {"marks": {"AAA": 0}}),
    Boundary("max_data_age_minutes", {}, {"marks": {"AAA": math.nan}}),
    Boundary("min_confidence", {"confidence": 0.6}, {"confidence": math.nextafter(0.6, 0)}),
    Boundary("shortable", {"side": Side.BUY}, {"side": Side.SELL}),
    Boundary("instrument_limits", {"lots": 50}, {"lots": 49}),
    Boundary(
        "price_collar_percent",
        {"order_type": OrderType.LIMIT, "limit_ticks": 9_500},
        {"order_type": OrderType.LIMIT, "limit_ticks": 9_499},
    ),
    Boundary(
        "price_collar_percent",
        {"reference_ticks": 10_500},
        {"reference_ticks": 10_501},
    ),
    Boundary(
        "max_open_orders",
        {"working": (entry_of("BBB", 10),)},
        {"working": (entry_of("BBB", 10), entry_of("CCC", 10))},
        {"max_open_orders": 2},
    ),
    Boundary(
        "risk_per_trade_percent",
        {"lots": 4_000, "bracket": Bracket(stop_ticks=MARK - 2_500)},
        {"lots": 4_000, "bracket": Bracket(stop_ticks=MARK - 2_501)},
    ),
    Boundary(
        "risk_per_trade_percent",
        {"lots": 4_000, "bracket": Bracket(trail_ticks=2_500)},
        {"lots": 4_000, "bracket": Bracket(trail_ticks=2_501)},
    ),
    Boundary("max_position_size_percent", {"lots": 10_000}, {"lots": 10_001}),
    Boundary(
        "max_position_size_percent",
        {"lots": 4_000, "positions": {"AAA": 6_000}},
        {"lots": 4_001, "positions": {"AAA": 6_000}},
    ),
    Boundary(
        "max_position_size_percent",
        {"lots": 4_000, "working": (entry_of("AAA", 6_000),)},
        {"lots": 4_001, "working": (entry_of("AAA", 6_000),)},
    ),
    Boundary(
        "max_total_exposure_percent",
        {"lots": 5_000, "positions": {"BBB": 75_000}},
        {"lots": 5_001, "positions": {"BBB": 75_000}},
    ),
    Boundary(
        "max_total_exposure_percent",
        {"lots": 5_000, "working": (entry_of("BBB", 70_000),), "positions": {"CCC": 5_000}},
        {"lots": 5_001, "working": (entry_of("BBB", 70_000),), "positions": {"CCC": 5_000}},
    ),
    Boundary(
        "min_free_cash_percent",
        # 1000 lots cost 100.00 and two fees of 0.10; 100.00 must stay.
        {"cash": 200_20000000},
        {"cash": 200_19999999},
    ),
    Boundary(
        "max_correlated_positions",
        {"positions": HELD, "correlation": correlated(0.79999)},
        {"positions": HELD, "correlation": correlated(0.8)},
    ),
    Boundary(
        "max_correlated_positions",
        {"positions": {"BBB": 100, "CCC": 100}, "correlation": correlated(0.9)},
        {"positions": HELD, "correlation": correlated(0.9)},
    ),
    Boundary(
        "max_correlated_positions",
        {"positions": {"BBB": 100, "CCC": 100}, "correlation": correlated(math.nan)},
        {"positions": HELD, "correlation": correlated(math.nan)},
    ),
    Boundary(
        "max_correlated_positions",
        {"positions": {name: -100 for name in HELD}, "correlation": correlated(0.9)},
        {"positions": {name: -100 for name in HELD}, "correlation": correlated(-0.9)},
    ),
    Boundary("no_flip", {"positions": {"AAA": 10}}, {"positions": {"AAA": -10}}),
    Boundary(
        "no_flip",
        {"working": (entry_of("AAA", 10),)},
        {"working": (entry_of("AAA", 10, side=Side.SELL),)},
    ),
    Boundary(
        "duplicate_window_seconds",
        {"working": (entry_of("BBB", 10),)},
        {"working": (entry_of("BBB", 10, client_id="feed-1-e"),)},
    ),
]


def ask(gate: RiskGate, changes: Mapping[str, Any]) -> ApprovedOrder | RefusedOrder:
    account = make_account()
    view = {name: value for name, value in changes.items() if hasattr(account, name)}
    order = {name: value for name, value in changes.items() if name not in view}
    return gate.check(make_intent(**order), replace(account, **view))


@pytest.mark.parametrize("case", BOUNDARIES, ids=lambda case: case.rule)
def test_entry_just_inside_a_limit_is_approved_and_just_outside_refused(case: Boundary) -> None:
    inside = ask(make_gate(**case.limits), case.inside)
    assert isinstance(inside, ApprovedOrder), inside
    assert case.rule in {check.rule for check in inside.checks}
    outside = ask(make_gate(**case.limits), case.outside)
    assert isinstance(outside, RefusedOrder)
    assert outside.rule == case.rule
    assert outside.limit
    assert outside.value
    assert outside.message.endswith(".")


def test_refusal_tells_limit_and_value_exactly() -> None:
    refused = ask(make_gate(), {"lots": 10_001})
    assert isinstance(refused, RefusedOrder)
    assert refused.limit == "10 % of equity = 1000.00 USDT"
    assert refused.value == "1000.10 USDT"
    assert refused.message == (
        "AAA would be worth 1000.10 USDT; at most 10 % of equity = 1000.00 USDT is allowed."
    )


def test_larger_order_than_the_venue_takes_is_refused() -> None:
    gate = make_gate({"AAA": make_instrument(max_quantity=Decimal("1.0005"))})
    assert isinstance(ask(gate, {"lots": 1_000}), ApprovedOrder)
    refused = ask(gate, {"lots": 1_001})
    assert isinstance(refused, RefusedOrder)
    assert (refused.rule, refused.limit) == ("instrument_limits", "at most 1")


def test_short_entry_is_approved_where_the_instrument_allows_it() -> None:
    gate = make_gate({"AAA": make_instrument(shortable=True)})
    assert isinstance(ask(gate, {"side": Side.SELL}), ApprovedOrder)


def test_short_position_claims_its_value_twice_from_free_cash() -> None:
    terms = {name: make_instrument(name, shortable=True) for name in ("AAA", "BBB")}
    held = {"positions": {"BBB": -1_000}}
    assert isinstance(ask(make_gate(terms), {**held, "cash": 400_20000000}), ApprovedOrder)
    refused = ask(make_gate(terms), {**held, "cash": 400_19999999})
    assert isinstance(refused, RefusedOrder)
    assert refused.rule == "min_free_cash_percent"


def test_price_of_another_holding_that_is_missing_refuses() -> None:
    refused = ask(make_gate(), {"positions": {"ZZZ": 5}})
    assert isinstance(refused, RefusedOrder)
    assert (refused.rule, refused.value) == ("known_price", "none for ZZZ")


def test_instrument_that_is_not_defined_is_refused() -> None:
    refused = ask(make_gate(), {"instrument": "ZZZ"})
    assert isinstance(refused, RefusedOrder)
    assert refused.rule == "known_instrument"


UNSOUND_INTENTS: list[dict[str, Any]] = [
    {"confidence": math.nan},
    {"confidence": math.inf},
    {"confidence": -0.1},
    {"confidence": 1.1},
    {"confidence": None},
    {"lots": 0},
    {"lots": -1},
    {"lots": 1.5},
    {"lots": math.nan},
    {"lots": math.inf},
    {"lots": 2**62},
    {"lots": True},
    {"reference_ticks": 0},
    {"reference_ticks": -5},
    {"reference_ticks": math.nan},
    {"limit_ticks": 5},
    {"order_type": OrderType.LIMIT},
    {"order_type": OrderType.LIMIT, "limit_ticks": 0},
    {"order_type": OrderType.LIMIT, "limit_ticks": math.nan},
    {"order_type": "market-ish"},
    {"side": "buy-ish"},
    {"client_id": ""},
    {"client_id": "x" * 37},
    {"client_id": "semi;colon"},
    {"client_id": None},
    {"reduce_only": True},
    {"ts_decided": NOON + 1},
    {"ts_decided": math.nan},
    {"expire_after_bars": -1},
    {"bracket": Bracket(stop_ticks=MARK)},
    {"bracket": Bracket(stop_ticks=MARK + 1)},
    {"bracket": Bracket(stop_ticks=0)},
    {"bracket": Bracket(target_ticks=MARK - 1)},
    {"bracket": Bracket(trail_ticks=0)},
    {"bracket": Bracket(trail_ticks=math.nan)},  # type: ignore[arg-type]
]


@pytest.mark.parametrize("changes", UNSOUND_INTENTS, ids=str)
def test_intent_with_a_field_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    refused = ask(make_gate(), changes)
    assert isinstance(refused, RefusedOrder)
    assert refused.rule in {"intent_form", "bracket"}


UNSOUND_ACCOUNTS: list[dict[str, Any]] = [
    {"equity": math.nan},
    {"equity": math.inf},
    {"equity": 0},
    {"equity": -1},
    {"equity": None},
    {"equity": 2**63},
    {"cash": math.nan},
    {"cash": -math.inf},
    {"cash": None},
    {"ts": -1},
    {"ts": math.nan},
    {"positions": {"BBB": math.nan}},
    {"positions": {"BBB": 2**62}},
]


@pytest.mark.parametrize("changes", UNSOUND_ACCOUNTS, ids=str)
def test_account_with_a_field_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    refused = ask(make_gate(), changes)
    assert isinstance(refused, RefusedOrder)
    assert refused.rule == "account_form"


def test_amounts_beyond_64_bits_are_refused() -> None:
    refused = ask(make_gate(), {"marks": {"AAA": 2**61}, "reference_ticks": 2**61, "lots": 2**61})
    assert isinstance(refused, RefusedOrder)
    assert refused.rule == "arithmetic"


def test_equal_entry_is_refused_within_the_window_and_approved_after_it() -> None:
    gate = make_gate()
    assert isinstance(gate.check(make_intent(1), make_account()), ApprovedOrder)
    for later, expected in ((30 * SECOND - 1, RefusedOrder), (30 * SECOND, ApprovedOrder)):
        account = make_account(ts=NOON + later)
        assert isinstance(gate.check(make_intent(2), account), expected)


def test_client_id_is_never_approved_twice() -> None:
    gate = make_gate()
    assert isinstance(gate.check(make_intent(1), make_account()), ApprovedOrder)
    again = gate.check(make_intent(1, lots=77), make_account(ts=NOON + 40 * SECOND))
    assert isinstance(again, RefusedOrder)
    assert again.rule == "duplicate_window_seconds"


def test_order_of_unknown_outcome_counts_as_filled() -> None:
    lost = make_record(make_intent(9, lots=6_000), OrderState.UNKNOWN)
    account = {"working": (lost,), "unknown": frozenset({"BBB"})}
    assert isinstance(ask(make_gate(), {**account, "lots": 4_000}), ApprovedOrder)
    assert isinstance(ask(make_gate(), {**account, "lots": 4_001}), RefusedOrder)


def test_equity_of_the_account_is_the_base_of_percentages() -> None:
    gate = make_gate(equity=EQUITY)
    assert isinstance(ask(gate, {"equity": EQUITY // 2, "lots": 5_001}), RefusedOrder)
    assert isinstance(ask(gate, {"equity": EQUITY // 2, "lots": 5_000}), ApprovedOrder)
