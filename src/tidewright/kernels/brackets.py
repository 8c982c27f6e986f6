"""Prices of protective orders from distances that columns gave."""

from __future__ import annotations

import math

from tidewright.kernels.jit import compiled


@compiled
def distance_ticks(distance: float, price_numerator: int, price_denominator: int) -> int:
    """Return a distance in price units as whole ticks, rounded to the nearest, at least 1.

    Parameters
    ----------
    distance : float
        Price units, finite and > 0.
    price_numerator, price_denominator : int
        Tick size as an exact fraction.

    Returns
    -------
    int
        Ticks; 0 when the distance is not finite or not above 0, which means "none".
    """
    if not math.isfinite(distance) or distance <= 0.0:
        return 0
    ticks = math.floor(distance * price_denominator / price_numerator + 0.5)
    if ticks > 4.0e18:
        return 0
    return max(int(ticks), 1)
