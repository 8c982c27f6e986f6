from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import resolve
from tidewright.strategy.python_strategy import N_OUTPUTS, Output, PythonStrategy, columns

EXAMPLE = Path(__file__).parents[3] / "examples" / "python_strategy.py"
Row = NDArray[np.float64]


class Answering(PythonStrategy):
    name = "answering"
    references = columns("close", "sma(3)")

    def __init__(self, answer: Mapping[Output, float]) -> None:
        self.answer = answer

    def evaluate(self, current: Row, previous: Row) -> Mapping[Output, float]:
        return self.answer


class Unafraid(Answering):
    accepts_unknown = True


class Writing(Answering):
    def evaluate(self, current: Row, previous: Row) -> Mapping[Output, float]:
        current[0] = 1.0
        return {}


def ask(strategy: PythonStrategy, *row: float) -> Row:
    current = np.array(row or (1.0, 2.0))
    return strategy.evaluator(strategy.references).evaluate(current, np.ones(2))


def test_what_is_left_out_is_false_or_none() -> None:
    out = ask(Answering({Output.ENTRY_LONG: 1.0}))
    assert out[Output.ENTRY_LONG] == 1.0
    assert out[Output.EXIT_LONG] == out[Output.ENTRY_SHORT] == out[Output.EXIT_SHORT] == 0.0
    assert out[Output.CONFIDENCE] == 0.6
    assert np.isnan(out[Output.STOP_DISTANCE :]).all()
    assert len(out) == N_OUTPUTS


def test_unknown_column_makes_everything_unknown() -> None:
    answer = {Output.ENTRY_LONG: 1.0}
    assert np.isnan(ask(Answering(answer), math.nan, 1.0)).all()
    assert ask(Unafraid(answer), math.nan, 1.0)[Output.ENTRY_LONG] == 1.0


@pytest.mark.parametrize("distance", [math.nan, 0.0, -1.0, math.inf])
def test_entry_with_a_stop_that_is_no_distance_is_not_made(distance: float) -> None:
    out = ask(Answering({Output.ENTRY_LONG: 1.0, Output.STOP_DISTANCE: distance}))
    assert math.isnan(out[Output.ENTRY_LONG])
    assert math.isnan(out[Output.STOP_DISTANCE])


def test_answers_that_are_no_outputs_are_refused() -> None:
    with pytest.raises(ConfigError, match="ENTRY_LONG was 0.5"):
        ask(Answering({Output.ENTRY_LONG: 0.5}))
    with pytest.raises(ConfigError, match="expected members of Output"):
        ask(Answering({99: 1.0}))  # type: ignore[dict-item]


def test_confidence_is_cut_to_the_unit_interval() -> None:
    assert ask(Answering({Output.CONFIDENCE: 1.5}))[Output.CONFIDENCE] == 1.0


def test_entry_of_unknown_confidence_is_not_made() -> None:
    out = ask(Answering({Output.ENTRY_LONG: 1.0, Output.CONFIDENCE: math.nan}))
    assert math.isnan(out[Output.CONFIDENCE])
    assert math.isnan(out[Output.ENTRY_LONG])


def test_rows_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ask(Writing({}))


def test_layout_without_a_needed_column_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"answering reads sma\(3\)"):
        Answering({}).evaluator((resolve("close", ()),))


def test_column_texts_name_one_column_each() -> None:
    assert columns("close", "rsi") == (resolve("close", ()), resolve("rsi", (14,)))
    with pytest.raises(ConfigError, match="expected one column"):
        columns("close + 1")


def example() -> PythonStrategy:
    specification = importlib.util.spec_from_file_location("python_strategy", EXAMPLE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    strategy = module.PullbackInCalmTrend()
    assert isinstance(strategy, PythonStrategy)
    return strategy


def test_example_buys_a_pullback_and_sells_above_the_average() -> None:
    evaluator = example().evaluator(example().references)
    before = np.array([98.5, 100.0, 1.0, 45.0, 12.0])
    out = evaluator.evaluate(np.array([98.0, 100.0, 1.0, 35.0, 12.0]), before)
    assert out[Output.ENTRY_LONG] == 1.0
    assert out[Output.CONFIDENCE] == pytest.approx(0.65)
    assert out[Output.STOP_DISTANCE] == 2.5
    out = evaluator.evaluate(np.array([101.0, 100.0, 1.0, 60.0, 12.0]), before)
    assert (out[Output.ENTRY_LONG], out[Output.EXIT_LONG]) == (0.0, 1.0)


def test_example_in_bulk_equals_row_by_row_in_any_order() -> None:
    strategy = example()
    rng = np.random.default_rng(11)
    matrix = np.abs(rng.normal(50, 20, (200, len(strategy.references))))
    matrix[:, 2] /= 10
    matrix[:20] = math.nan
    bulk = strategy.evaluate_bulk(matrix)
    assert np.nanmax(bulk[:, Output.ENTRY_LONG]) == 1.0
    evaluator = strategy.evaluator(strategy.references)
    for place in reversed(range(1, len(matrix))):
        row = evaluator.evaluate(matrix[place], matrix[place - 1])
        assert row.tobytes() == bulk[place].tobytes()
