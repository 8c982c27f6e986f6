from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from fakes.risk_cases import (
    EQUITY,
    MARK,
    make_account,
    make_gate,
    make_instrument,
    make_intent,
    make_record,
    make_signal,
)
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass
from tidewright.domain.orders import ApprovedOrder, Bracket
from tidewright.domain.signals import Direction, Target
from tidewright.kernels.edge import NO_TRADES, TradeSums, kelly_ppm
from tidewright.risk.account import AccountView
from tidewright.risk.gate import RiskGate, SizingRefusal, SizingRequest
from tidewright.risk.sizing import year_root_ppm


def ask(
    method: str,
    value: Any,
    stop: int = 0,
    gate: RiskGate | None = None,
    account: AccountView | None = None,
    **changes: Any,
) -> Target | SizingRefusal:
    fields: dict[str, Any] = {
        "signal": make_signal(),
        "method": method,
        "value": Decimal(value) if isinstance(value, str) else value,
        "reference_ticks": MARK,
        "stop_ticks": stop,
    }
    request = SizingRequest(**{**fields, **changes})
    return (gate or make_gate()).size(request, account or make_account())


@pytest.mark.parametrize(
    ("method", "value", "stop", "lots"),
    [
        # 0.5 % of 10000.00 = 50.00 over a stop of 10.00 per unit.
        ("risk_percent", "0.5", 1_000, 5_000),
        # Risk beyond risk_per_trade_percent is cut to 1 % = 100.00.
        ("risk_percent", "3", 2_000, 5_000),
        # 100.00 over a stop of 2.00 would be 50 units = 5000.00: cut to 10 % of equity.
        ("risk_percent", "1", 200, 10_000),
        ("percent_of_equity", "4", 0, 4_000),
        ("percent_of_equity", "25", 0, 10_000),
        ("fixed_notional", "123.456", 0, 1_234),
        ("fixed_quantity", "1.2345", 0, 1_234),
        # 5 units at a stop of 50.00 would lose 250.00: cut to 1 % = 100.00.
        ("fixed_quantity", "5", 5_000, 2_000),
    ],
)
def test_method_gives_hand_computed_lots(method: str, value: str, stop: int, lots: int) -> None:
    target = ask(method, value, stop)
    assert isinstance(target, Target)
    assert target.lots == lots
    assert target.stop_ticks == (MARK - stop if stop else None)


def test_short_target_has_negative_lots_and_its_stop_above() -> None:
    target = ask("percent_of_equity", "1", 100, signal=make_signal(Direction.SHORT))
    assert isinstance(target, Target)
    assert (target.lots, target.stop_ticks) == (-1_000, MARK + 100)


@pytest.mark.parametrize(
    ("account", "lots"),
    [
        ({"positions": {"AAA": 9_000}}, 1_000),
        ({"working": (make_record(make_intent(5, lots=9_500)),)}, 500),
        ({"positions": {"BBB": 79_500}}, 500),
        # 100.00 stays; 100.00 of room holds 100.00 / 1.002 with both fees.
        ({"cash": 200 * 10**8}, 998),
    ],
)
def test_limits_leave_less_room(account: dict[str, Any], lots: int) -> None:
    target = ask("fixed_quantity", "1000", account=make_account(**account))
    assert isinstance(target, Target)
    assert target.lots == lots


@pytest.mark.parametrize(
    ("account", "rule"),
    [
        ({"positions": {"AAA": 10_000}}, "max_position_size_percent"),
        ({"positions": {"BBB": 80_000}}, "max_total_exposure_percent"),
        ({"cash": 100 * 10**8}, "min_free_cash_percent"),
        ({"cash": 104 * 10**8}, "min_free_cash_percent"),
        ({"marks": {}}, "max_data_age_minutes"),
        ({"marks": {"AAA": math.nan}}, "max_data_age_minutes"),
        ({"equity": 0}, "account_form"),
        ({"equity": math.nan}, "account_form"),
        ({"positions": {"ZZZ": 1}}, "known_price"),
    ],
)
def test_no_room_is_refused_with_the_rule_that_left_none(
    account: dict[str, Any], rule: str
) -> None:
    refused = ask("percent_of_equity", "5", account=make_account(**account))
    assert isinstance(refused, SizingRefusal)
    assert refused.rule == rule
    assert refused.limit
    assert refused.value
    assert refused.message.endswith(".")


@pytest.mark.parametrize(
    ("method", "value", "changes"),
    [
        ("risk_percent", "1", {}),
        ("risk_percent", "1", {"stop_ticks": -5}),
        ("percent_of_equity", "NaN", {}),
        ("percent_of_equity", "Infinity", {}),
        ("percent_of_equity", "0", {}),
        ("fixed_quantity", "-1", {}),
        ("fixed_quantity", 1.5, {}),
        ("fixed_quantity", None, {}),
        ("fixed_quantity", "1", {"reference_ticks": 0}),
        ("fixed_quantity", "1", {"reference_ticks": math.nan}),
        ("fixed_quantity", "1", {"stop_ticks": math.inf}),
        ("fixed_quantity", "1", {"signal": make_signal(Direction.FLAT)}),
    ],
)
def test_request_that_makes_no_sense_is_refused(
    method: str, value: Any, changes: dict[str, Any]
) -> None:
    refused = ask(method, value, **changes)
    assert isinstance(refused, SizingRefusal)
    assert refused.rule == "sizing"


def test_unknown_method_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'risk_percent'"):
        ask("risk_percnt", "1")


def test_unknown_instrument_is_refused() -> None:
    refused = ask("fixed_quantity", "1", signal=make_signal(instrument="ZZZ"))
    assert isinstance(refused, SizingRefusal)
    assert refused.rule == "known_instrument"


def test_less_than_the_smallest_order_is_refused() -> None:
    gate = make_gate({"AAA": make_instrument(min_quantity=Decimal(2), min_notional=Decimal(0))})
    refused = ask("fixed_quantity", "1.999", gate=gate)
    assert isinstance(refused, SizingRefusal)
    assert (refused.rule, refused.limit) == ("instrument_limits", "at least 2 AAA")
    assert isinstance(ask("fixed_quantity", "2", gate=gate), Target)


def test_less_than_the_smallest_value_is_refused() -> None:
    refused = ask("fixed_notional", "4.99")
    assert isinstance(refused, SizingRefusal)
    assert refused.limit == "at least 5.00 USDT"
    assert isinstance(ask("fixed_notional", "5"), Target)


@pytest.mark.parametrize("method", ["percent_of_equity", "fixed_notional", "risk_percent"])
def test_sized_entry_passes_the_gate(method: str) -> None:
    gate = make_gate()
    value = "100" if "percent" in method else "1000000"
    target = ask(method, value, 37, gate=gate)
    assert isinstance(target, Target)
    intent = make_intent(lots=target.lots, bracket=Bracket(stop_ticks=target.stop_ticks))
    assert isinstance(gate.check(intent, make_account(equity=EQUITY)), ApprovedOrder)


def test_volatility_target_buys_less_of_what_moves_more() -> None:
    # 2 % of 10000.00 over a deviation of 100.00 a year and unit: 2 units, then 1.
    for yearly, lots in ((10_000, 2_000), (20_000, 1_000)):
        target = ask("volatility_target", "2", yearly_ticks=yearly)
        assert isinstance(target, Target)
        assert target.lots == lots


def test_volatility_target_without_volatility_is_refused() -> None:
    refused = ask("volatility_target", "2")
    assert isinstance(refused, SizingRefusal)
    assert (refused.rule, refused.limit) == ("sizing", "a known volatility")


WINNING = TradeSums(700, 300, 0, 700 * 500_000, 300 * 500_000, 1_000 * 500_000**2)


def test_kelly_buys_for_the_share_that_closed_trades_justify() -> None:
    wide = make_gate(
        max_position_size_percent=Decimal(100), max_total_exposure_percent=Decimal(100)
    )
    share = kelly_ppm(WINNING, 100_000)
    assert 0 < share < 100_000
    target = ask("kelly", "0.1", gate=wide, trades=WINNING)
    assert isinstance(target, Target)
    by_percent = ask("percent_of_equity", str(Decimal(share) / 10_000), gate=wide)
    assert isinstance(by_percent, Target)
    assert target.lots == by_percent.lots > 0


def test_kelly_is_capped_like_every_other_method() -> None:
    sure = WINNING._replace(losses=0, lost=0, gained=10**9)
    target = ask("kelly", "1", trades=sure)
    assert isinstance(target, Target)
    assert target.lots == 10_000


@pytest.mark.parametrize(
    ("trades", "limit", "value"),
    [
        (NO_TRADES, "100 closed trades", "0"),
        (NO_TRADES._replace(wins=99, gained=99), "100 closed trades", "99"),
        (TradeSums(50, 50, 0, 50, 50, 100), "an edge above 0", "0 or below"),
    ],
)
def test_kelly_without_an_edge_is_no_trade(trades: TradeSums, limit: str, value: str) -> None:
    refused = ask("kelly", "0.5", trades=trades)
    assert isinstance(refused, SizingRefusal)
    assert (refused.rule, refused.limit, refused.value) == ("sizing", limit, value)


def test_kelly_falls_back_until_enough_trades_have_closed_and_not_after() -> None:
    fallback = ("percent_of_equity", Decimal(4))
    target = ask("kelly", "0.5", fallback=fallback)
    assert isinstance(target, Target)
    assert target.lots == 4_000
    losing = TradeSums(50, 60, 0, 50, 60, 110)
    assert isinstance(ask("kelly", "0.5", fallback=fallback, trades=losing), SizingRefusal)


@pytest.mark.parametrize(
    ("asset_class", "timeframe", "bars"),
    [
        (AssetClass.CRYPTO, "1m", 525_600),
        (AssetClass.CRYPTO, "1d", 365),
        (AssetClass.FOREX, "1h", 6_240),
        (AssetClass.STOCK, "5m", 252 * 78),
        (AssetClass.STOCK, "12h", 252),
        (AssetClass.STOCK, "1d", 252),
        (AssetClass.STOCK, "1w", 36),
    ],
)
def test_bars_of_a_year(asset_class: AssetClass, timeframe: str, bars: int) -> None:
    assert year_root_ppm(asset_class, timeframe) == math.isqrt(bars * 10**12)
