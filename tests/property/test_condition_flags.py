"""Conditions over blocks of rows say what the interpreter says row by row."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.expressions import COLUMNS, row_condition
from tidewright.kernels.bulk.signals import BLOCK, flag_rows
from tidewright.kernels.expressions import evaluate_row
from tidewright.strategy.expressions import Kind
from tidewright.strategy.program import Assembler

_VALUES = np.array([np.nan, np.inf, -1.5, 0.0, 0.5, 1.0, 2.0, 70.0, 1e300])


@settings(max_examples=300)
@given(row_condition, row_condition, st.integers(0, 2**31), st.sampled_from([1, 3, BLOCK, 700]))
def test_blocks_say_what_rows_say(first, second, seed: int, rows: int) -> None:
    assembler = Assembler(COLUMNS)
    assembler.store(0, first, Kind.CONDITION)
    assembler.store(3, second, Kind.CONDITION)
    program = assembler.program()
    matrix = np.random.default_rng(seed).choice(_VALUES, (2 * rows + 1, len(COLUMNS)))
    firsts = np.array([0, rows, rows, 2 * rows + 1])
    columns = np.ascontiguousarray(matrix.T)
    flags = np.zeros(len(matrix), np.uint8)
    blocks = np.empty((program.stack_depth, BLOCK))
    flag_rows(program.code, program.constants, columns, firsts, blocks, flags)
    stack, outputs = np.zeros(program.stack_depth), np.zeros(4)
    unknown = np.full(len(COLUMNS), np.nan)
    for row in range(len(matrix)):
        before = unknown if row in firsts else matrix[row - 1]
        evaluate_row(program.code, program.constants, matrix[row], before, stack, outputs)
        assert flags[row] == (outputs[0] == 1.0) + 8 * (outputs[3] == 1.0)
