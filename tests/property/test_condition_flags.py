"""Conditions over whole histories say what the interpreter says row by row."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.expressions import COLUMNS, row_condition, row_number
from tidewright.kernels.bulk.bits import make_finite
from tidewright.kernels.bulk.signals import BLOCK, number_rows
from tidewright.kernels.expressions import evaluate_row
from tidewright.research.bulk.rules import Rules
from tidewright.strategy.expressions import Kind
from tidewright.strategy.outputs import Output
from tidewright.strategy.program import Assembler, Program

_VALUES = np.array([np.nan, np.inf, -1.5, 0.0, 0.5, 1.0, 2.0, 70.0, 1e300])
_ROWS = st.sampled_from([1, 3, 63, 64, BLOCK, 700])


def history(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns of two instruments, between them one without rows."""
    matrix = np.random.default_rng(seed).choice(_VALUES, (2 * rows + 1, len(COLUMNS)))
    return matrix, np.array([0, rows, rows, 2 * rows + 1])


def row_by_row(program: Program, matrix: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    stack, outputs = np.zeros(program.stack_depth), np.zeros((len(matrix), 4))
    unknown = np.full(len(COLUMNS), np.nan)
    for row in range(len(matrix)):
        before = unknown if row in firsts else matrix[row - 1]
        evaluate_row(program.code, program.constants, matrix[row], before, stack, outputs[row])
    return outputs


@settings(max_examples=300)
@given(row_condition, row_condition, st.integers(0, 2**31), _ROWS)
def test_flags_are_where_rules_hold(first, second, seed: int, rows: int) -> None:
    assembler = Assembler(COLUMNS)
    assembler.store(0, first, Kind.CONDITION)
    assembler.store(3, second, Kind.CONDITION)
    matrix, firsts = history(seed, rows)
    columns = np.ascontiguousarray(matrix.T)
    for column in columns:
        make_finite(column)
    places = {reference: place for place, reference in enumerate(COLUMNS)}
    rules = Rules(lambda reference: columns[places[reference]], firsts)
    flags = rules.flags({Output.ENTRY_LONG: first, Output.EXIT_SHORT: second})
    said = row_by_row(assembler.program(), matrix, firsts)
    assert flags.tolist() == ((said[:, 0] == 1.0) + 8 * (said[:, 3] == 1.0)).tolist()
    fails = rules.truth(first).fails
    bits = np.unpackbits(fails.view(np.uint8), bitorder="little")
    assert np.flatnonzero(bits).tolist() == np.flatnonzero(said[:, 0] == 0.0).tolist()


@settings(max_examples=150)
@given(row_number, st.integers(0, 2**31), _ROWS)
def test_numbers_are_those_of_each_row(number, seed: int, rows: int) -> None:
    assembler = Assembler(COLUMNS)
    assembler.store(0, number, Kind.NUMBER)
    program = assembler.program()
    matrix, firsts = history(seed, rows)
    out, stack = np.empty(len(matrix)), np.empty((program.stack_depth, BLOCK))
    columns = np.ascontiguousarray(matrix.T)
    number_rows(program.code, program.constants, columns, firsts, stack, out)
    assert out.tobytes() == row_by_row(program, matrix, firsts)[:, 0].tobytes()
