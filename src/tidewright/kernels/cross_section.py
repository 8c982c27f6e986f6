"""Cross-sections: what a column is for one instrument among all that have a row at that time.

`cross_section` looks at one moment; `cross_section_rows` calls it for every moment of a history.
Members are those whose value is finite and whose group is known; all others get NaN. Sums run in
the order of the members, which is that of their ids, so both ways give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import compiled

Float64 = NDArray[np.float64]
"""Array of float64."""
Int64 = NDArray[np.int64]
"""Array of int64."""

RANK, PERCENTILE, ZSCORE, DEMEAN, WEIGHT = range(5)

CROSS_FUNCTIONS: Mapping[str, int] = MappingProxyType(
    {"rank": RANK, "percentile": PERCENTILE, "zscore": ZSCORE, "demean": DEMEAN, "weight": WEIGHT}
)
"""Number of each function, by the name that an expression calls."""


@compiled
def place_among(function: int, values: Float64, groups: Int64, one: int) -> float:
    """Return `RANK` or `PERCENTILE` of a member."""
    value, group = values[one], groups[one]
    above = equal = below = 0
    for other in range(len(values)):
        if groups[other] == group:
            # a comparison with NaN is false: what is unknown is nowhere
            above += values[other] > value
            below += values[other] < value
            equal += values[other] == value
    if function == RANK:
        return 1.0 + above
    count = above + below + equal
    return (below + 0.5 * (equal - 1)) / (count - 1) if count > 1 else math.nan


@compiled
def group_mean(values: Float64, groups: Int64, group: int) -> tuple[float, int]:
    """Return the mean of a group and the number of its members."""
    total, count = 0.0, 0
    for other in range(len(values)):
        if groups[other] == group and not math.isnan(values[other]):
            total += values[other]
            count += 1
    return (total / count if count else math.nan), count


@compiled
def spread(function: int, values: Float64, groups: Int64, group: int, mean: float) -> float:
    """Return the sum over a group of squared (of `WEIGHT`: of absolute) distances from its mean."""
    total = 0.0
    for other in range(len(values)):
        if groups[other] == group and not math.isnan(values[other]):
            distance = values[other] - mean
            total += abs(distance) if function == WEIGHT else distance * distance
    return total


@compiled
def cross_section(function: int, values: Float64, groups: Int64, out: Float64) -> None:
    """Compute a function of every member at one moment.

    Parameters
    ----------
    function : int
        `RANK` (1 + members of the group above it, so that equal ones share the better rank),
        `PERCENTILE` (share of the others below it, equal ones by half; in [0, 1]), `ZSCORE`
        (distance from the group's mean in its standard deviations, over n), `DEMEAN` (distance
        from the group's mean) or `WEIGHT` (that distance over the sum of all such distances
        without sign: weights add up to 0, without sign to 1).
    values : float64 array of shape (n_instruments,)
        Values, in the order of the instruments' ids; what is not finite is no member.
    groups : int64 array of shape (n_instruments,)
        Group of each; negative ones are not known, and are no members.
    out : float64 array of shape (n_instruments,)
        Results; NaN for no members, and where a spread is 0 or a group of one has none.
    """
    count = len(values)
    members = np.empty(count)
    for one in range(count):
        known = groups[one] >= 0 and math.isfinite(values[one])
        members[one] = values[one] if known else math.nan
    group, mean, distances, size = -1, math.nan, math.nan, 0
    for one in range(count):
        out[one] = math.nan
        if math.isnan(members[one]):
            continue
        if function <= PERCENTILE:
            out[one] = place_among(function, members, groups, one)
            continue
        if groups[one] != group:
            group = groups[one]
            mean, size = group_mean(members, groups, group)
            distances = spread(function, members, groups, group, mean)
        if function == DEMEAN:
            out[one] = members[one] - mean
        elif distances > 0.0 and function == ZSCORE:
            out[one] = (members[one] - mean) / math.sqrt(distances / size)
        elif distances > 0.0:
            out[one] = (members[one] - mean) / distances


@compiled
def cross_section_rows(
    function: int, values: Float64, groups: Int64, bounds: Int64, out: Float64
) -> None:
    """Compute a function of every row of a history, moment by moment.

    Parameters
    ----------
    function : int
        As for `cross_section`.
    values, groups, out : arrays of shape (n_rows,)
        Rows by moment, then by the instruments' ids.
    bounds : int64 array of shape (n_moments + 1,)
        First row of each moment, and the number of rows.
    """
    for moment in range(len(bounds) - 1):
        first, last = bounds[moment], bounds[moment + 1]
        cross_section(function, values[first:last], groups[first:last], out[first:last])
