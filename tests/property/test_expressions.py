"""The expression language keeps its promises on random trees and rows."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fakes.expressions import (
    COLUMNS,
    any_condition,
    any_number,
    row_condition,
    row_number,
    slow_number,
    slow_truth,
    specs,
)
from tidewright.kernels.expressions import evaluate_row, evaluate_rows
from tidewright.strategy.expressions import ExpressionError, Kind, Node, parse, print_tree
from tidewright.strategy.program import Assembler
from tidewright.strategy.spec import StrategySpec, dump_spec, load_spec

_cells = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.0, 70.0, math.nan]),
    st.floats(-1e6, 1e6),
    st.sampled_from([math.inf, -math.inf, 1e308, 5e-324]),
)
_rows = st.lists(
    st.lists(_cells, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=2, max_size=6
)


@given(st.one_of(any_condition, any_number))
def test_printed_tree_parses_to_itself(tree: Node) -> None:
    text = print_tree(tree)
    assert parse(text) == tree
    assert print_tree(parse(text)) == text


@given(st.one_of(any_condition, any_number))
def test_printed_parentheses_are_all_needed(tree: Node) -> None:
    text = print_tree(tree)
    opening: list[int] = []
    for place, character in enumerate(text):
        if character == "(":
            opening.append(place)
        elif character == ")":
            start = opening.pop()
            if start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
                continue
            without = f"{text[:start]} {text[start + 1 : place]} {text[place + 1 :]}"
            assert _parsed(without) != tree


def _parsed(text: str) -> Node | None:
    try:
        return parse(text)
    except ExpressionError:
        return None


@given(specs)
def test_dumped_spec_loads_as_itself(spec: StrategySpec) -> None:
    text = dump_spec(spec)
    assert load_spec(text) == spec
    assert dump_spec(load_spec(text)) == text


def _run(tree: Node, kind: Kind, rows: list[list[float]]) -> list[float]:
    assembler = Assembler(COLUMNS)
    assembler.store(0, tree, kind)
    program = assembler.program()
    stack = np.zeros(program.stack_depth)
    matrix = np.array(rows)
    bulk = np.full((len(rows), 1), 9.0)
    evaluate_rows(program.code, program.constants, matrix, stack, bulk)
    single = []
    previous = np.full(len(COLUMNS), np.nan)
    for current in matrix:
        output = np.full(1, 9.0)
        evaluate_row(program.code, program.constants, current, previous, stack, output)
        single.append(float(output[0]))
        previous = current
    assert bulk.tobytes() == np.array(single).tobytes()
    return single


@given(row_number, _rows)
def test_number_equals_slow_evaluation(tree: Node, rows: list[list[float]]) -> None:
    single = _run(tree, Kind.NUMBER, rows)
    before = dict.fromkeys(COLUMNS, math.nan)
    for row, value in zip(rows, single, strict=True):
        now = dict(zip(COLUMNS, row, strict=True))
        expected = slow_number(tree, now, before)
        assert (None if math.isnan(value) else value) == expected
        before = now


@given(row_condition, _rows)
def test_condition_equals_slow_evaluation(tree: Node, rows: list[list[float]]) -> None:
    single = _run(tree, Kind.CONDITION, rows)
    before = dict.fromkeys(COLUMNS, math.nan)
    for row, value in zip(rows, single, strict=True):
        now = dict(zip(COLUMNS, row, strict=True))
        expected = slow_truth(tree, now, before)
        assert (None if math.isnan(value) else bool(value)) == expected
        assert math.isnan(value) or value in (0.0, 1.0)
        before = now
