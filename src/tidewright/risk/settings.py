"""Risk settings: every limit with its unit, its range and whether it may be switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import from_decimal

OFF: Final = "off"
"""Written in place of a limit that is switched off on purpose."""

Off = Literal["off"]


class LossType(StrEnum):
    """Which losses count against the daily loss limits."""

    REALIZED = "realized"
    UNREALIZED = "unrealized"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Range:
    """What a limit may be: above 0, up to ``high``.

    Parameters
    ----------
    unit : str
        Unit of the limit.
    high : int
        Largest value.
    may_be_off : bool
        Whether the word ``"off"`` may switch the limit off.
    """

    unit: str
    high: int
    may_be_off: bool = False


LIMITS: Final[Mapping[str, Range]] = {
    "risk_per_trade_percent": Range("% of equity", 100),
    "max_position_size_percent": Range("% of equity", 100),
    "max_total_exposure_percent": Range("% of equity", 100),
    "max_drawdown_percent": Range("% of peak equity", 100),
    "max_daily_loss_percent": Range("% of the day's first equity", 100),
    "max_daily_loss": Range("account currency", 10**9, may_be_off=True),
    "max_consecutive_losses": Range("trades", 1_000, may_be_off=True),
    "cooldown_minutes": Range("minutes", 10_080),
    "stop_loss_atr_multiplier": Range("ATR", 100),
    "take_profit_atr_multiplier": Range("ATR", 100),
    "max_correlated_positions": Range("positions", 1_000, may_be_off=True),
    "correlation_threshold": Range("correlation", 1),
    "api_error_threshold": Range("errors in a row", 1_000),
    "max_data_age_minutes": Range("minutes", 100_000),
    "min_confidence": Range("confidence", 1),
    "price_collar_percent": Range("% of the latest price", 100),
    "max_orders_per_minute": Range("orders in 60 s", 100_000),
    "max_open_orders": Range("orders", 100_000),
    "min_free_cash_percent": Range("% of equity", 99),
    "duplicate_window_seconds": Range("seconds", 86_400),
    "max_slippage_percent": Range("% of the order's reference price", 100, may_be_off=True),
    "pilot_loss_budget": Range("account currency", 10**9, may_be_off=True),
}
"""Range of every limit, by the name of its setting."""


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """Limits that every order is held against; blank or 0 never means "no limit".

    Percentages are exact, with at most four decimal places. Where a limit may be switched off, the
    word ``"off"`` does it.

    Parameters
    ----------
    risk_per_trade_percent : Decimal
        Percent of equity that one trade may lose between entry and stop.
    max_position_size_percent : Decimal
        Percent of equity that one instrument may take, working orders included.
    max_total_exposure_percent : Decimal
        Percent of equity that all instruments together may take, working orders included.
    max_drawdown_percent : Decimal
        Fall of equity from its peak that halts trading.
    max_daily_loss_percent : Decimal
        Loss of one UTC day, in percent of the equity it began with, that stops entries until the
        next day.
    max_daily_loss : Decimal or "off"
        The same as an amount of the account currency; whichever limit is met first counts.
    loss_type : LossType
        Which losses count for the two daily limits.
    max_consecutive_losses : int or "off"
        Losing trades in a row that start a cooldown.
    cooldown_minutes : int
        How long entries are refused after that, or after too many venue errors.
    stop_loss_atr_multiplier, take_profit_atr_multiplier : Decimal
        Distances of protection in ATR for strategies that name none of their own, where
        ``signals.default_stops`` says so.
    max_correlated_positions : int or "off"
        Positions that may be held at once in instruments that move together.
    correlation_threshold : Decimal
        Correlation from which on two instruments move together.
    api_error_threshold : int
        Venue errors in a row that start a cooldown.
    max_data_age_minutes : int
        Age of an instrument's latest price from which on entries are refused.
    min_confidence : Decimal
        Smallest confidence of an entry.
    price_collar_percent : Decimal
        Largest distance of an order's prices from the latest price.
    max_orders_per_minute : int
        Orders that may be approved within 60 s; one more halts trading.
    max_open_orders : int
        Orders that may work at once, protective ones included.
    min_free_cash_percent : Decimal
        Percent of equity that stays in cash after an entry and its fees in and out.
    duplicate_window_seconds : int
        Time within which a second entry of equal strategy, instrument, side and size is refused.
    max_slippage_percent : Decimal or "off"
        How much worse than its order's reference price a fill may be before an alert says so.
    pilot_loss_budget : Decimal or "off"
        Amount of the account currency below its first equity at which a trial with real money
        stops for good; no operator can resume it.

    Raises
    ------
    ConfigError
        If a limit is blank, 0, not finite, out of range or of a wrong type.
    """

    risk_per_trade_percent: Decimal = Decimal(1)
    max_position_size_percent: Decimal = Decimal(10)
    max_total_exposure_percent: Decimal = Decimal(80)
    max_drawdown_percent: Decimal = Decimal(15)
    max_daily_loss_percent: Decimal = Decimal("5.0")
    max_daily_loss: Decimal | Off = OFF
    loss_type: LossType = LossType.BOTH
    max_consecutive_losses: int | Off = 3
    cooldown_minutes: int = 30
    stop_loss_atr_multiplier: Decimal = Decimal("2.0")
    take_profit_atr_multiplier: Decimal = Decimal("3.0")
    max_correlated_positions: int | Off = 3
    correlation_threshold: Decimal = Decimal("0.8")
    api_error_threshold: int = 5
    max_data_age_minutes: int = 15
    min_confidence: Decimal = Decimal("0.6")
    price_collar_percent: Decimal = Decimal(5)
    max_orders_per_minute: int = 60
    max_open_orders: int = 50
    min_free_cash_percent: Decimal = Decimal(1)
    duplicate_window_seconds: int = 30
    max_slippage_percent: Decimal | Off = Decimal("0.2")
    pilot_loss_budget: Decimal | Off = OFF

    def __post_init__(self) -> None:
        if not isinstance(self.loss_type, LossType):
            raise ConfigError(
                f"risk.loss_type was {self.loss_type!r}; "
                f"expected one of {', '.join(kind.value for kind in LossType)}"
            )
        for item in fields(self):
            if item.name in LIMITS:
                whole = type(item.default) is int
                _validate(item.name, LIMITS[item.name], getattr(self, item.name), whole=whole)
        for amount in (self.max_daily_loss, self.pilot_loss_budget):
            if isinstance(amount, Decimal):
                from_decimal(amount)


def _validate(name: str, limit: Range, value: object, *, whole: bool) -> None:
    if limit.may_be_off and value == OFF:
        return
    number = value if type(value) is (int if whole else Decimal) else None
    if isinstance(number, Decimal) and not number.is_finite():
        number = None
    if not isinstance(number, int | Decimal) or not 0 < number <= limit.high:
        how = (
            f"write {OFF!r} to switch this limit off"
            if limit.may_be_off
            else "this limit cannot be switched off"
        )
        told = value if isinstance(value, Decimal) else repr(value)
        raise ConfigError(
            f"risk.{name} was {told}; expected a {'whole ' if whole else ''}number above 0 up to "
            f"{limit.high} ({limit.unit}); {how}"
        )
    if "%" in limit.unit and number * 10_000 % 1 != 0:
        raise ConfigError(f"risk.{name} was {value}; expected at most four decimal places")


def ppm(percent: Decimal) -> int:
    """Return a percentage as millionths of a whole, rounded down."""
    return int(percent * 10_000)
