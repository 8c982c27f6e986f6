"""The paper venue's own account, in integers."""

from __future__ import annotations

from dataclasses import dataclass

from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import Fill
from tidewright.kernels.accounting import PARTS_PER_MILLION, apply_fill, fee, notional


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument with the numbers that money is made of.

    Parameters
    ----------
    instrument : Instrument
        What is traded.
    numerator, denominator : int
        Money units of one tick times one lot.
    maker_ppm, taker_ppm : int
        Fee rates in millionths.
    """

    instrument: Instrument
    numerator: int
    denominator: int
    maker_ppm: int
    taker_ppm: int

    @classmethod
    def of(cls, instrument: Instrument) -> Listing:
        """Return the listing of an instrument."""
        return cls(
            instrument,
            *instrument.value_ratio,
            int(instrument.maker_fee_rate * PARTS_PER_MILLION),
            int(instrument.taker_fee_rate * PARTS_PER_MILLION),
        )

    def value(self, ticks: int, lots: int) -> int:
        """Return money units of a quantity at a price; the sign of the lots is kept."""
        return notional(ticks, lots, self.numerator, self.denominator)

    def fee(self, value: int, *, maker: bool) -> int:
        """Return money units of the fee on a traded value."""
        return fee(value, self.maker_ppm if maker else self.taker_ppm)


class PaperAccount:
    """Cash and positions at average cost.

    Attributes
    ----------
    cash : int
        Money units.
    positions : dict of str to (int, int)
        Signed lots and signed cost in money units, flat instruments left out.
    """

    def __init__(self) -> None:
        self.cash = 0
        self.positions: dict[str, tuple[int, int]] = {}

    @property
    def free(self) -> int:
        """Cash that may be spent: sold-short value is owed, and as much again is collateral."""
        owed = sum(-cost for lots, cost in self.positions.values() if lots < 0)
        return self.cash - 2 * owed

    def book(self, fill: Fill, listing: Listing) -> None:
        """Book a fill."""
        signed = fill.side.sign * fill.lots
        value = listing.value(fill.ticks, signed)
        lots, cost = self.positions.get(fill.instrument, (0, 0))
        lots, cost, _ = apply_fill(lots, cost, signed, value)
        self.cash -= value + fill.fee
        if lots:
            self.positions[fill.instrument] = (lots, cost)
        else:
            self.positions.pop(fill.instrument, None)
