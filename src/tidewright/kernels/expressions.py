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

from tidewright.kernels.jit import compiled, unallocating

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
def finite(value: float) -> float:
    """Return a number, or NaN where it is not finite."""
    return value if math.isfinite(value) else math.nan


@compiled
def arithmetic(operation: int, left: float, right: float) -> float:
    """Return the result of an operation from `ADD` to `MAXIMUM` on two numbers."""
    if math.isnan(left) or math.isnan(right):
        return math.nan
    if operation == ADD:
        return finite(left + right)
    if operation == SUBTRACT:
        return finite(left - right)
    if operation == MULTIPLY:
        return finite(left * right)
    if operation == DIVIDE:
        return math.nan if right == 0.0 else finite(left / right)
    if operation == MINIMUM:
        return right if right < left else left
    return right if right > left else left


@compiled
def compare(operation: int, left: float, right: float) -> float:
    """Return the truth of a comparison from `LESS` to `NOT_EQUAL`."""
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
def both(left: float, right: float) -> float:
    """Return Kleene's conjunction."""
    if left == 0.0 or right == 0.0:
        return 0.0
    return math.nan if math.isnan(left) or math.isnan(right) else 1.0


@compiled
def either(left: float, right: float) -> float:
    """Return Kleene's disjunction."""
    if left == 1.0 or right == 1.0:
        return 1.0
    return math.nan if math.isnan(left) or math.isnan(right) else 0.0


@compiled
def between(value: float, low: float, high: float) -> float:
    """Return whether a number lies in [low, high]."""
    return both(compare(LESS_EQUAL, low, value), compare(LESS_EQUAL, value, high))


@compiled
def choose(condition: float, yes: float, no: float) -> float:
    """Return one of two numbers; NaN where the condition is unknown."""
    if math.isnan(condition):
        return math.nan
    return yes if condition == 1.0 else no


@compiled
def crosses(
    operation: int, left_before: float, right_before: float, left: float, right: float
) -> float:
    """Return whether one number crossed another between two rows."""
    before = LESS_EQUAL if operation == CROSSES_ABOVE else GREATER_EQUAL
    now = GREATER if operation == CROSSES_ABOVE else LESS
    return both(compare(before, left_before, right_before), compare(now, left, right))


@compiled
def unary(operation: int, value: float) -> float:
    """Return the result of `NOT`, `NEGATE` or `ABSOLUTE`."""
    # Negating a NaN would flip its sign bit; every unknown is the same bits.
    if math.isnan(value):
        return math.nan
    if operation == NEGATE:
        return -value
    return abs(value) if operation == ABSOLUTE else 1.0 - value


@unallocating
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
            stack[top] = finite(current[argument])
            top += 1
        elif operation == PREVIOUS:
            stack[top] = finite(previous[argument])
            top += 1
        elif operation == OUTPUT:
            stack[top] = outputs[argument]
            top += 1
        elif operation == STORE:
            top -= 1
            outputs[argument] = stack[top]
        elif operation == AND:
            top -= 1
            stack[top - 1] = both(stack[top - 1], stack[top])
        elif operation == OR:
            top -= 1
            stack[top - 1] = either(stack[top - 1], stack[top])
        elif operation in (NOT, NEGATE, ABSOLUTE):
            stack[top - 1] = unary(operation, stack[top - 1])
        elif operation <= MAXIMUM:
            top -= 1
            stack[top - 1] = arithmetic(operation, stack[top - 1], stack[top])
        elif operation <= NOT_EQUAL:
            top -= 1
            stack[top - 1] = compare(operation, stack[top - 1], stack[top])
        elif operation == BETWEEN:
            top -= 2
            stack[top - 1] = between(stack[top - 1], stack[top], stack[top + 1])
        elif operation == WHEN:
            top -= 2
            stack[top - 1] = choose(stack[top - 1], stack[top], stack[top + 1])
        else:
            top -= 3
            stack[top - 1] = crosses(
                operation, stack[top - 1], stack[top], stack[top + 1], stack[top + 2]
            )


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
