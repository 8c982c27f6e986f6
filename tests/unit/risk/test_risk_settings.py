from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.risk.settings import LIMITS, OFF, LossType, RiskSettings


def test_defaults_are_the_documented_ones() -> None:
    settings = RiskSettings()
    assert settings.risk_per_trade_percent == 1
    assert settings.max_position_size_percent == 10
    assert settings.max_total_exposure_percent == 80
    assert settings.max_drawdown_percent == 15
    assert settings.max_daily_loss_percent == 5
    assert settings.max_consecutive_losses == 3
    assert settings.cooldown_minutes == 30
    assert settings.max_correlated_positions == 3
    assert settings.api_error_threshold == 5
    assert settings.loss_type is LossType.BOTH


@pytest.mark.parametrize("blank", [None, "", 0, 0.0, Decimal(0), "0", False, True])
@pytest.mark.parametrize("name", sorted(LIMITS))
def test_blank_or_zero_limit_is_an_error_that_says_how_to_switch_it_off(
    name: str, blank: Any
) -> None:
    with pytest.raises(ConfigError) as caught:
        RiskSettings(**{name: blank})
    hint = "write 'off'" if LIMITS[name].may_be_off else "cannot be switched off"
    assert name in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal(-1), -1, 1.5, 101])
def test_limit_that_is_no_exact_number_in_range_is_an_error(value: Any) -> None:
    with pytest.raises(ConfigError, match="max_drawdown_percent"):
        RiskSettings(max_drawdown_percent=value)


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_off_is_accepted_only_where_a_limit_may_be_off(name: str) -> None:
    if LIMITS[name].may_be_off:
        assert getattr(RiskSettings(**{name: OFF}), name) == OFF  # type: ignore[arg-type]
    else:
        with pytest.raises(ConfigError, match=name):
            RiskSettings(**{name: OFF})  # type: ignore[arg-type]


def test_percent_with_five_places_is_an_error() -> None:
    with pytest.raises(ConfigError, match="four decimal places"):
        RiskSettings(risk_per_trade_percent=Decimal("0.00001"))


def test_unknown_loss_type_is_an_error() -> None:
    with pytest.raises(ConfigError, match="realized, unrealized, both"):
        RiskSettings(loss_type="sometimes")  # type: ignore[arg-type]


def test_every_field_but_the_loss_type_has_a_range() -> None:
    assert {item.name for item in fields(RiskSettings)} - set(LIMITS) == {"loss_type"}
