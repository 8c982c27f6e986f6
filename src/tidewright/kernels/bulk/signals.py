"""Numbers over blocks of rows: each operation runs over a whole block before the next one.

The functions of a single row are those of `kernels.expressions`; only the loops are turned round.
"""

from __future__ import annotations

import math

from tidewright.kernels import expressions as machine
from tidewright.kernels.bulk.layout import Float64, Int64
from tidewright.kernels.jit import unallocating

BLOCK = 512
"""Rows of a block: a few of them stay in the nearest cache."""


@unallocating
def load(columns: Float64, column: int, first: int, rows: tuple[int, int], out: Float64) -> None:
    """Load a column of rows ``[rows[0], rows[1])``; rows before ``first`` are unknown."""
    for place in range(rows[1] - rows[0]):
        row = rows[0] + place
        out[place] = machine.finite(columns[column, row]) if row >= first else math.nan


@unallocating
def combine(operation: int, left: Float64, right: Float64, count: int) -> None:
    """Run an operation of two operands over a block; the result takes the place of the left one."""
    if operation == machine.AND:
        for place in range(count):
            left[place] = machine.both(left[place], right[place])
    elif operation == machine.OR:
        for place in range(count):
            left[place] = machine.either(left[place], right[place])
    elif operation <= machine.MAXIMUM:
        for place in range(count):
            left[place] = machine.arithmetic(operation, left[place], right[place])
    else:
        for place in range(count):
            left[place] = machine.compare(operation, left[place], right[place])


@unallocating
def cross(operation: int, stack: Float64, base: int, count: int) -> None:
    """Run a crossing over a block: two operands of the row before, then two of the row."""
    for place in range(count):
        stack[base, place] = machine.crosses(
            operation,
            stack[base, place],
            stack[base + 1, place],
            stack[base + 2, place],
            stack[base + 3, place],
        )


@unallocating
def choose_or_enclose(operation: int, stack: Float64, base: int, count: int) -> None:
    """Run an operation of three operands over a block."""
    if operation == machine.WHEN:
        for place in range(count):
            stack[base, place] = machine.choose(
                stack[base, place], stack[base + 1, place], stack[base + 2, place]
            )
    else:
        for place in range(count):
            stack[base, place] = machine.between(
                stack[base, place], stack[base + 1, place], stack[base + 2, place]
            )


@unallocating
def number_block(
    code: Int64,
    constants: Float64,
    columns: Float64,
    first: int,
    rows: tuple[int, int],
    stack: Float64,
    out: Float64,
) -> None:
    """Run a program that stores one number over a block of rows."""
    top, count = 0, rows[1] - rows[0]
    for place in range(1, code.shape[0], 2):
        operation, argument = code[place], code[place + 1]
        if operation == machine.CONSTANT:
            stack[top, :count] = constants[argument]
            top += 1
        elif operation == machine.CURRENT:
            load(columns, argument, first, rows, stack[top])
            top += 1
        elif operation == machine.PREVIOUS:
            load(columns, argument, first, (rows[0] - 1, rows[1] - 1), stack[top])
            top += 1
        elif operation == machine.STORE:
            top -= 1
            for row in range(count):
                out[rows[0] + row] = stack[top, row]
        elif operation in (machine.NOT, machine.NEGATE, machine.ABSOLUTE):
            for row in range(count):
                stack[top - 1, row] = machine.unary(operation, stack[top - 1, row])
        elif operation in (machine.BETWEEN, machine.WHEN):
            top -= 2
            choose_or_enclose(operation, stack, top - 1, count)
        elif operation in (machine.CROSSES_ABOVE, machine.CROSSES_BELOW):
            top -= 3
            cross(operation, stack, top - 1, count)
        else:
            top -= 1
            combine(operation, stack[top - 1], stack[top], count)


@unallocating
def number_rows(
    code: Int64, constants: Float64, columns: Float64, firsts: Int64, stack: Float64, out: Float64
) -> None:
    """Write a number of every row of a history.

    Parameters
    ----------
    code, constants : arrays
        A program that stores one number, as for `kernels.expressions.evaluate_row`.
    columns : float64 array of shape (n_columns, n_rows)
        Columns, one instrument after the other.
    firsts : int64 array of shape (n_instruments + 1,)
        First row of each instrument, then the number of rows.
    stack : float64 array of shape (depth, BLOCK)
        Scratch space.
    out : float64 array of shape (n_rows,)
        Receives the numbers.
    """
    for instrument in range(len(firsts) - 1):
        first, end = firsts[instrument], firsts[instrument + 1]
        begin = first
        while begin < end:
            stop = min(begin + BLOCK, end)
            number_block(code, constants, columns, first, (begin, stop), stack, out)
            begin = stop
