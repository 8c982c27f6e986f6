"""The canary: a column that goes with the next return more than any honest one does.

Cutting histories finds every column that reads later bars of the same data. It cannot find a leak
that came with the data: a score fitted on its own past, a value stamped too early, an index that
holds today's survivors. Such a column gives itself away by knowing the next bar. Honest columns go
with the next return at a rank correlation of 0.05 or less; what clearly lies above 0.1 is no skill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError

Float64 = NDArray[np.float64]

BELIEVABLE = 0.1
"""Largest rank correlation with the next bar's return that is taken for skill, not for a leak."""
ERROR_RATE = 0.01
"""Share of clean sets of columns of which one may be accused."""
LEAST_ROWS = 100
"""Fewest rows of which a column is judged."""
_NEAR = 5
"""Shifts up to this distance are not part of the null: they may carry the leak itself."""


@dataclass(frozen=True, slots=True)
class ColumnLeak:
    """How a column goes with the next return.

    Parameters
    ----------
    column : str
        Its name.
    correlation : float
        Spearman's, in [-1, 1]; NaN with fewer than `LEAST_ROWS` rows or a constant column.
    deviation : float
        Standard deviation of the correlation over circular shifts of one against the other, which
        keeps how each depends on its own past.
    bound : float
        Lower end of the confidence interval of the size of the correlation, Bonferroni over all
        columns; >= 0.
    rows : int
        Rows in which both are known.
    """

    column: str
    correlation: float
    deviation: float
    bound: float
    rows: int

    @property
    def leaks(self) -> bool:
        """True when it goes with the next return more than can be believed."""
        return self.bound > BELIEVABLE


@dataclass(frozen=True, slots=True)
class LeakReport:
    """Every column beside the next return, the most suspicious first."""

    columns: tuple[ColumnLeak, ...]

    @property
    def leaking(self) -> tuple[ColumnLeak, ...]:
        """Columns that go with the next return more than can be believed."""
        return tuple(one for one in self.columns if one.leaks)

    @property
    def clean(self) -> bool:
        """True when there is none."""
        return not self.leaking


def next_returns(close: NDArray[np.int64] | Float64) -> Float64:
    """Return the log return from each close to the next, NaN in the last row."""
    found = np.full(len(close), np.nan)
    if len(close) > 1:
        found[:-1] = np.diff(np.log(np.asarray(close, np.float64)))
    return found


def leak_report(
    columns: Mapping[str, Float64], following: Float64, *, tests: int = 0
) -> LeakReport:
    """Measure how columns go with the return of the bar after each row.

    Parameters
    ----------
    columns : mapping of str to float64 array of shape (n_rows,)
        Columns by name; NaN = unknown.
    following : float64 array of shape (n_rows,)
        Return of the bar after each row, as `next_returns` gives it; NaN = unknown.
    tests : int
        How many columns are looked at in all, for the Bonferroni bound; 0 means these.

    Returns
    -------
    LeakReport
        A column whose correlation is 0.2 is caught in 5,000 rows; of columns that know nothing,
        one of a hundred sets accuses one at most.

    Raises
    ------
    ConfigError
        If a column has another length than the returns.
    """
    quantile = NormalDist().inv_cdf(1 - ERROR_RATE / (2 * max(tests, len(columns), 1)))
    found = [_measure(name, values, following, quantile) for name, values in columns.items()]
    return LeakReport(tuple(sorted(found, key=lambda one: (-one.bound, one.column))))


def pooled_leak_report(
    columns: Sequence[Mapping[str, Float64]], following: Sequence[Float64]
) -> LeakReport:
    """Return `leak_report` of several instruments, each column by the worst of them."""
    worst: dict[str, ColumnLeak] = {}
    tests = sum(len(one) for one in columns)
    for one, returns in zip(columns, following, strict=True):
        for leak in leak_report(one, returns, tests=tests).columns:
            known = worst.get(leak.column)
            if known is None or leak.bound > known.bound:
                worst[leak.column] = leak
    return LeakReport(tuple(sorted(worst.values(), key=lambda one: (-one.bound, one.column))))


def _measure(name: str, values: Float64, following: Float64, quantile: float) -> ColumnLeak:
    if len(values) != len(following):
        raise ConfigError(
            f"column {name} had {len(values)} rows; expected {len(following)}, as the returns have"
        )
    both = np.isfinite(values) & np.isfinite(following)
    rows = int(both.sum())
    if rows < LEAST_ROWS:
        return ColumnLeak(name, np.nan, np.nan, 0.0, rows)
    left, right = _unit_ranks(values[both]), _unit_ranks(following[both])
    if not left.any() or not right.any():
        return ColumnLeak(name, np.nan, np.nan, 0.0, rows)
    # Every circular shift at once: the correlation theorem.
    spectrum = np.fft.rfft(left) * np.conj(np.fft.rfft(right))
    shifted = np.fft.irfft(spectrum, rows)
    far = shifted[_NEAR + 1 : rows - _NEAR]
    correlation = float(left @ right)
    deviation = float(np.sqrt(np.mean(far * far)))
    bound = max(abs(correlation) - quantile * deviation, 0.0)
    return ColumnLeak(name, correlation, deviation, bound, rows)


def _unit_ranks(values: Float64) -> Float64:
    """Return average ranks, centred and of length one; zeros of a constant."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    ranks = (upper - (counts - 1) / 2.0)[place]
    centred: Float64 = ranks - ranks.mean()
    length = float(np.sqrt(centred @ centred))
    return centred / length if length > 0 else np.zeros(len(values))
