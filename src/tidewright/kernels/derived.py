"""Columns computed from other columns of a row, one step for a row and for a history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.exact import compare
from tidewright.kernels.jit import compiled

Float64 = NDArray[np.float64]
"""Array of float64."""
Int64 = NDArray[np.int64]
"""Array of int64."""

STEP, RELATIVE_STEP, SIGN, ZONE, DIFFERENCE, RATIO, RELATIVE, POSITION = range(8)

OPERATIONS: Mapping[str, int] = MappingProxyType(
    {
        "step": STEP,
        "relative_step": RELATIVE_STEP,
        "sign": SIGN,
        "zone": ZONE,
        "difference": DIFFERENCE,
        "ratio": RATIO,
        "relative": RELATIVE,
        "position": POSITION,
    }
)
"""Operations by name."""

OPERATION, COLUMN, FIRST, SECOND, THIRD, LOW, HIGH = range(7)
FIELDS = 7
"""Columns of a program; the last two hold the bits of constants."""


@compiled
def derived_value(
    operation: int,
    first: float,
    second: float,
    third: float,
    before: float,
    low: float,
    high: float,
) -> float:
    """Return one derived column at one row.

    Parameters
    ----------
    operation : int
        What to compute.
    first, second, third : float
        Operands; those that the operation does not take are ignored.
    before : float
        The first operand one row earlier.
    low, high : float
        Constants.

    Returns
    -------
    float
        NaN when an operand is, or when it would divide by 0 (a position is then 0.5).
    """
    if operation == STEP:
        return first - before
    if operation == DIFFERENCE:
        return first - second
    if operation == ZONE:
        if math.isnan(first):
            return math.nan
        return max(compare(first, high), 0.0) + min(compare(first, low), 0.0)
    if operation == SIGN:
        if math.isnan(first - second):
            return math.nan
        return compare(first, second)
    if operation == POSITION:
        width = third - second
        return (first - second) / width if width != 0.0 else 0.5
    divisor = before if operation == RELATIVE_STEP else second
    if divisor == 0.0:
        return math.nan
    if operation == RATIO:
        return first / divisor
    return first / divisor - 1.0


@compiled
def derived_step(program: Int64, row: Float64, before: Float64) -> None:
    """Write every derived column of a row.

    Parameters
    ----------
    program : int64 array of shape (n_derived, 7)
        What to compute: operation, column that receives it, three operands, two constants.
    row : float64 array of shape (n_columns,)
        Operands; receives the values.
    before : float64 array of shape (n_columns,)
        The row before it.
    """
    constants = program.view(np.float64)
    for index in range(program.shape[0]):
        entry = program[index]
        row[entry[COLUMN]] = derived_value(
            entry[OPERATION],
            row[entry[FIRST]],
            row[entry[SECOND]],
            row[entry[THIRD]],
            before[entry[FIRST]],
            constants[index, LOW],
            constants[index, HIGH],
        )


@compiled
def derived_series(
    entry: Int64, first: Float64, second: Float64, third: Float64, result: Float64
) -> None:
    """Write one derived column of a whole history.

    Parameters
    ----------
    entry : int64 array of shape (7,)
        Row of a program.
    first, second, third : float64 array of shape (n_bars,)
        Operands.
    result : float64 array of shape (n_bars,)
        Receives the values.
    """
    constants = entry.view(np.float64)
    before = math.nan
    for bar in range(len(result)):
        result[bar] = derived_value(
            entry[OPERATION],
            first[bar],
            second[bar],
            third[bar],
            before,
            constants[LOW],
            constants[HIGH],
        )
        before = first[bar]
