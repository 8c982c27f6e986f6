"""Columns of the time when a bar was known: one formula for a bar and for a history."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewright.features.declarations import CalendarRecipe


def calendar_value(recipe: CalendarRecipe, ts_known: int) -> float:
    """Return the step of the cycle in which a time lies.

    Parameters
    ----------
    recipe : CalendarRecipe
        The cycle.
    ts_known : int
        Nanoseconds UTC.
    """
    return float((ts_known // recipe.unit + recipe.shift) % recipe.modulus)


def calendar_series(recipe: CalendarRecipe, ts_known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return `calendar_value` of every time of an array of shape (n_bars,)."""
    return ((ts_known // recipe.unit + recipe.shift) % recipe.modulus).astype(np.float64)
