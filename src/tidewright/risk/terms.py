"""An instrument's terms in the integers that limits are computed in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import UNITS_PER_CURRENCY


@dataclass(frozen=True, slots=True)
class InstrumentTerms:
    """What limits need of an instrument.

    Parameters
    ----------
    instrument : Instrument
        The instrument.
    numerator, denominator : int
        Money units of one tick times one lot.
    fee_ppm : int
        Fee for taking liquidity, in millionths.
    min_lots, max_lots : int
        Smallest order, >= 1, and largest; 0 means no limit.
    min_notional : int
        Smallest order value in money units; 0 means no limit.
    """

    instrument: Instrument
    numerator: int
    denominator: int
    fee_ppm: int
    min_lots: int
    max_lots: int
    min_notional: int


def terms_of(instrument: Instrument) -> InstrumentTerms:
    """Return the terms of an instrument; minimums are rounded up and maximums down to lots.

    Raises
    ------
    ConfigError
        If the largest order is smaller than a lot.
    """
    lot = Fraction(instrument.lot_size)
    if 0 < instrument.max_quantity < instrument.lot_size:
        raise ConfigError(
            f"{instrument.id}: max quantity was {instrument.max_quantity}; "
            f"expected 0 for no limit, or at least a lot of {instrument.lot_size}"
        )
    numerator, denominator = instrument.value_ratio
    return InstrumentTerms(
        instrument,
        numerator,
        denominator,
        int(instrument.taker_fee_rate * 1_000_000),
        max(1, ceil(Fraction(instrument.min_quantity) / lot)),
        floor(Fraction(instrument.max_quantity) / lot),
        ceil(Fraction(instrument.min_notional) * UNITS_PER_CURRENCY),
    )
