"""Instruments: what is traded, in which steps, at which venue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import gcd

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import UNITS_PER_CURRENCY


class AssetClass(StrEnum):
    """Kind of thing traded."""

    CRYPTO = "crypto"
    STOCK = "stock"
    FOREX = "forex"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable thing at one venue.

    Parameters
    ----------
    id : str
        Identifier used everywhere, such as ``"BTCUSDT"``; sorts instruments within a slice.
    venue : str
        Name of the venue that trades it.
    base, quote : str
        Currency (or share) bought and currency paid.
    asset_class : AssetClass
        Kind of thing traded.
    tick_size : Decimal
        Smallest price step, > 0.
    lot_size : Decimal
        Smallest quantity step, > 0.
    min_quantity, max_quantity : Decimal
        Smallest and largest order quantity; 0 means no limit.
    min_notional : Decimal
        Smallest order value in the quote currency; 0 means no limit.
    maker_fee_rate, taker_fee_rate : Decimal
        Fee as a share of the traded value, in whole millionths (0.001 = 0.1 %).
    shortable : bool
        Whether a short position may be opened.
    borrow_rate : Decimal or None
        Fee for a short position as a share of its value per year, in whole millionths; None means
        what the venue charges by itself.
    source : str
        Where this definition came from; anything inferred says so.
    sector : str
        What cross-sections by sector compare it with; empty = not known.
    """

    id: str
    venue: str
    base: str
    quote: str
    asset_class: AssetClass
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    maker_fee_rate: Decimal = Decimal("0.001")
    taker_fee_rate: Decimal = Decimal("0.001")
    shortable: bool = False
    source: str = ""
    borrow_rate: Decimal | None = None
    sector: str = ""

    def __post_init__(self) -> None:
        if not all(size.is_finite() and size > 0 for size in (self.tick_size, self.lot_size)):
            raise ConfigError(
                f"{self.id}: tick size was {self.tick_size} and lot size {self.lot_size}; "
                "expected both above 0"
            )
        for rate in (self.maker_fee_rate, self.taker_fee_rate):
            if not (rate.is_finite() and 0 <= rate < 1) or (rate * 1_000_000) % 1 != 0:
                raise ConfigError(
                    f"{self.id}: fee rate was {rate}; expected 0 to 1 in whole millionths"
                )

        borrow = self.borrow_rate
        if borrow is not None and (
            not (borrow.is_finite() and 0 <= borrow < 100) or (borrow * 1_000_000) % 1 != 0
        ):
            raise ConfigError(
                f"{self.id}: borrow rate was {borrow}; expected 0 to 100 in whole millionths"
            )

    @property
    def price_ratio(self) -> tuple[int, int]:
        """Tick size as an exact fraction: price = ticks * numerator / denominator."""
        return self.tick_size.as_integer_ratio()

    @property
    def quantity_ratio(self) -> tuple[int, int]:
        """Lot size as an exact fraction: quantity = lots * numerator / denominator."""
        return self.lot_size.as_integer_ratio()

    @property
    def value_ratio(self) -> tuple[int, int]:
        """Money units of one tick times one lot, as an exact fraction in lowest terms."""
        tick, tick_parts = self.tick_size.as_integer_ratio()
        lot, lot_parts = self.lot_size.as_integer_ratio()
        units, parts = tick * lot * UNITS_PER_CURRENCY, tick_parts * lot_parts
        common = gcd(units, parts)
        return units // common, parts // common

    def price(self, ticks: int) -> Decimal:
        """Return the exact price of a number of ticks, quantised as the tick size is."""
        return self.tick_size * ticks

    def quantity(self, lots: int) -> Decimal:
        """Return the exact quantity of a number of lots, quantised as the lot size is."""
        return self.lot_size * lots

    def ticks(self, price: Decimal) -> int:
        """Return the ticks of a price that lies on the tick grid.

        Raises
        ------
        ConfigError
            If the price is not finite or not a whole number of ticks.
        """
        return _steps(price, self.tick_size, f"{self.id}: price", "tick")

    def lots(self, quantity: Decimal) -> int:
        """Return the lots of a quantity that lies on the lot grid.

        Raises
        ------
        ConfigError
            If the quantity is not finite or not a whole number of lots.
        """
        return _steps(quantity, self.lot_size, f"{self.id}: quantity", "lot")


def _steps(value: Decimal, step: Decimal, what: str, unit: str) -> int:
    # Decimal division rounds at 28 digits, so a value far off the grid could seem to lie on it.
    steps = Fraction(value) / Fraction(step) if value.is_finite() else None
    if steps is None or steps.denominator != 1:
        raise ConfigError(f"{what} was {value}; expected a whole number of {unit}s of {step}")
    return steps.numerator
