"""What all statistics ask of the series that they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tidewright.domain.errors import ConfigError

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

TINY = 1e-12
"""A deviation under this share of the largest value is rounding, not movement."""


def as_series(values: ArrayLike, least: int = 2, name: str = "daily profit") -> Float64:
    """Return finite float64 values whose last axis is time.

    Parameters
    ----------
    values : array of shape (..., n_days)
        What happened on each day.
    least : int
        Fewest days that can be used.
    name : str
        What the values are, for the error.

    Raises
    ------
    ConfigError
        If there are too few days, or a value is not finite.
    """
    array = np.ascontiguousarray(values, dtype=np.float64)
    days = array.shape[-1] if array.ndim else 0
    if days < least:
        raise ConfigError(f"{name} had {days} days; expected at least {least}")
    if not np.isfinite(array).all():
        wrong = int(np.flatnonzero(~np.isfinite(array).reshape(-1, days).all(axis=0))[0])
        raise ConfigError(f"{name} of day {wrong} was not finite; expected a number on every day")
    return array


def as_table(values: ArrayLike, least: int = 2, name: str = "daily profit") -> Float64:
    """Return finite float64 values of shape (n_sets, n_days); one series becomes one row.

    Raises
    ------
    ConfigError
        If there is no row, there are too few days, or a value is not finite.
    """
    table = np.atleast_2d(as_series(values, least, name))
    if table.ndim != 2 or not len(table):
        raise ConfigError(f"{name} had shape {table.shape}; expected (n_sets, n_days)")
    return table


def centred(values: Float64) -> tuple[Float64, Float64]:
    """Return (means, values minus their mean); rows that do not vary become exactly zero."""
    mean: Float64 = values.mean(axis=-1)
    around = values - mean[..., None]
    largest = np.abs(values).max(axis=-1)
    still = np.abs(around).max(axis=-1) <= TINY * largest
    around[still] = 0.0
    return mean, around


def probability(value: float, name: str) -> float:
    """Return a probability strictly between 0 and 1.

    Raises
    ------
    ConfigError
        Otherwise.
    """
    if not 0.0 < value < 1.0:
        raise ConfigError(f"{name} was {value}; expected above 0 and under 1")
    return value
