"""The expression language as a stack machine: one interpreter for a row and for a matrix.

A program is a flat int64 array. Its first element is the number of columns that a row must have;
then come pairs of an opcode and its argument. No strategy is ever compiled: a new one is a new
array. Whoever builds a program guarantees that it never pops an empty stack, that the stack given
is deep enough, and that every index lies inside its array.

Values are float64. Conditions are 1.0 (true), 0.0 (false) or NaN (unknown), combined by Kleene's
three-valued logic: `and` is false when either side is false, `or` is true when either side is
true, whatever the other side is; otherwise an unknown side makes the result unknown. A number that
is not finite is unknown: division by zero, overflow and infinite columns all give NaN.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import compiled

Float64 = NDArray[np.float64]
"""Array of float64."""
Int64 = NDArray[np.int64]
"""Array of int64."""

CONSTANT = 0
CURRENT = 1
PREVIOUS = 2
OUTPUT = 3
STORE = 4
ADD = 5
SUBTRACT = 6
MULTIPLY = 7
DIVIDE = 8
NEGATE = 9
ABSOLUTE = 10
MINIMUM = 11
MAXIMUM = 12
LESS = 13
LESS_EQUAL = 14
GREATER = 15
GREATER_EQUAL = 16
EQUAL = 17
NOT_EQUAL = 18
AND = 19
OR = 20
NOT = 21
BETWEEN = 22
CROSSES_ABOVE = 23
CROSSES_BELOW = 24
WHEN = 25


@compiled
def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


@compiled
def _arithmetic(operation: int, left: float, right: float) -> float:
    if math.isnan(left) or math.isnan(right):
        return math.nan
    if operation == ADD:
        return _finite(left + right)
    if operation == SUBTRACT:
        return _finite(left - right)
    if operation == MULTIPLY:
        return _finite(left * right)
    if operation == DIVIDE:
        return math.nan if right == 0.0 else _finite(left / right)
    if operation == MINIMUM:
        return right if right < left else left
    return right if right > left else left


@compiled
def _compare(operation: int, left: float, right: float) -> float:
    if math.isnan(left) or math.isnan(right):
        return math.nan
    if operation == LESS:
        return 1.0 if left < right else 0.0
    if operation == LESS_EQUAL:
        return 1.0 if left <= right else 0.0
    if operation == GREATER:
        return 1.0 if left > right else 0.0
    if operation == GREATER_EQUAL:
        return 1.0 if left >= right else 0.0
    if operation == EQUAL:
        return 1.0 if left == right else 0.0
    return 1.0 if left != right else 0.0


@compiled
def _both(left: float, right: float) -> float:
    if left == 0.0 or right == 0.0:
        return 0.0
    return math.nan if math.isnan(left) or math.isnan(right) else 1.0


@compiled
def _either(left: float, right: float) -> float:
    if left == 1.0 or right == 1.0:
        return 1.0
    return math.nan if math.isnan(left) or math.isnan(right) else 0.0


@compiled
def _crosses(operation: int, stack: Float64, base: int) -> float:
    before = LESS_EQUAL if operation == CROSSES_ABOVE else GREATER_EQUAL
    now = GREATER if operation == CROSSES_ABOVE else LESS
    return _both(
        _compare(before, stack[base], stack[base + 1]),
        _compare(now, stack[base + 2], stack[base + 3]),
    )


@compiled
def _unary(operation: int, value: float) -> float:
    # Negating a NaN would flip its sign bit; every unknown is the same bits.
    if math.isnan(value):
        return math.nan
    if operation == NEGATE:
        return -value
    return abs(value) if operation == ABSOLUTE else 1.0 - value


@compiled
def evaluate_row(
    code: Int64,
    constants: Float64,
    current: Float64,
    previous: Float64,
    stack: Float64,
    outputs: Float64,
) -> None:
    """Run a program over one row of columns.

    Parameters
    ----------
    code : int64 array
        Number of columns that the row must have, then pairs of opcode and argument.
    constants : float64 array
        Numbers that the program loads.
    current, previous : float64 array of shape (n_columns,)
        The newest row and the one before it, NaN = unknown; neither is changed.
    stack : float64 array
        Scratch space, as deep as the program needs.
    outputs : float64 array
        Where the program stores its results.

    Raises
    ------
    ValueError
        If a row has fewer columns than the program reads.
    """
    if current.shape[0] < code[0] or previous.shape[0] < code[0]:
        raise ValueError("the row has fewer columns than the program reads")
    top = 0
    for place in range(1, code.shape[0], 2):
        operation = code[place]
        argument = code[place + 1]
        if operation == CONSTANT:
            stack[top] = constants[argument]
            top += 1
        elif operation == CURRENT:
            stack[top] = _finite(current[argument])
            top += 1
        elif operation == PREVIOUS:
            stack[top] = _finite(previous[argument])
            top += 1
        elif operation == OUTPUT:
            stack[top] = outputs[argument]
            top += 1
        elif operation == STORE:
            top -= 1
            outputs[argument] = stack[top]
        elif operation == AND:
            top -= 1
            stack[top - 1] = _both(stack[top - 1], stack[top])
        elif operation == OR:
            top -= 1
            stack[top - 1] = _either(stack[top - 1], stack[top])
        elif operation in (NOT, NEGATE, ABSOLUTE):
            stack[top - 1] = _unary(operation, stack[top - 1])
        elif operation <= MAXIMUM:
            top -= 1
            stack[top - 1] = _arithmetic(operation, stack[top - 1], stack[top])
        elif operation <= NOT_EQUAL:
            top -= 1
            stack[top - 1] = _compare(operation, stack[top - 1], stack[top])
        elif operation == BETWEEN:
            top -= 2
            value = stack[top - 1]
            stack[top - 1] = _both(
                _compare(LESS_EQUAL, stack[top], value),
                _compare(LESS_EQUAL, value, stack[top + 1]),
            )
        elif operation == WHEN:
            top -= 2
            if math.isnan(stack[top - 1]):
                stack[top - 1] = math.nan
            else:
                stack[top - 1] = stack[top] if stack[top - 1] == 1.0 else stack[top + 1]
        else:
            top -= 3
            stack[top - 1] = _crosses(operation, stack, top - 1)


@compiled
def evaluate_rows(
    code: Int64, constants: Float64, matrix: Float64, stack: Float64, outputs: Float64
) -> None:
    """Run a program over every row of a matrix; equals `evaluate_row` row by row, bit for bit.

    Parameters
    ----------
    code, constants, stack
        As for `evaluate_row`.
    matrix : float64 array of shape (n_bars, n_columns), C order
        Columns in time order; before the first row everything is unknown.
    outputs : float64 array of shape (n_bars, n_outputs), C order
        Where the results are stored.

    Raises
    ------
    ValueError
        If the matrix has fewer columns than the program reads.
    """
    previous = np.full(matrix.shape[1], np.nan)
    for row in range(matrix.shape[0]):
        current = matrix[row]
        evaluate_row(code, constants, current, previous, stack, outputs[row])
        previous = current
