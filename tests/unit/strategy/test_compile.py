from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import resolve
from tidewright.strategy.compile import N_OUTPUTS, CompiledStrategy, Output, compile_spec
from tidewright.strategy.library import named
from tidewright.strategy.spec import load_spec

NAN = math.nan
HEAD = "schema: 1\nname: s\nsizing: {method: percent_of_equity, value: 5}\ntime_stop_bars: 9\n"


def compiled(rest: str) -> CompiledStrategy:
    return compile_spec(load_spec(HEAD + rest))


def outputs(
    strategy: CompiledStrategy, current: dict[str, float], previous: dict[str, float] | None = None
) -> NDArray[np.float64]:
    before = current if previous is None else previous
    evaluator = strategy.evaluator(strategy.references)
    labels = [column.label for column in strategy.references]
    return evaluator.evaluate(
        np.array([current[label] for label in labels]),
        np.array([before[label] for label in labels]),
    )


def test_sma_cross_enters_where_the_fast_average_crosses_and_rsi_is_low() -> None:
    strategy = compile_spec(named("sma_cross"))
    below = {"atr(14)": 2.0, "sma(10)": 99.0, "sma(50)": 100.0, "rsi(14)": 60.0}
    above = below | {"sma(10)": 101.0}
    out = outputs(strategy, above, below)
    assert out[Output.ENTRY_LONG] == 1.0
    assert out[Output.EXIT_LONG] == 0.0
    assert out[Output.ENTRY_SHORT] == out[Output.EXIT_SHORT] == 0.0
    assert out[Output.CONFIDENCE] == 0.65
    assert out[Output.STOP_DISTANCE] == 4.0
    assert out[Output.TARGET_DISTANCE] == 6.0
    for none in (Output.TRAIL_DISTANCE, Output.LIMIT_OFFSET, Output.SIZE):
        assert math.isnan(out[none])
    assert outputs(strategy, above | {"rsi(14)": 70.0}, below)[Output.ENTRY_LONG] == 0.0
    assert outputs(strategy, above, above)[Output.ENTRY_LONG] == 0.0
    assert outputs(strategy, below, above)[Output.EXIT_LONG] == 1.0


def test_cross_from_a_tie_counts_and_cross_into_a_tie_does_not() -> None:
    strategy = compile_spec(named("sma_cross_plain"))
    tie = {"sma(10)": 100.0, "sma(50)": 100.0, "rsi(14)": 50.0}
    above = tie | {"sma(10)": 101.0}
    below = tie | {"sma(10)": 99.0}
    assert outputs(strategy, above, tie)[Output.ENTRY_LONG] == 1.0
    assert outputs(strategy, tie, below)[Output.ENTRY_LONG] == 0.0
    assert outputs(strategy, below, tie)[Output.EXIT_LONG] == 1.0
    assert outputs(strategy, tie, above)[Output.EXIT_LONG] == 0.0


@pytest.mark.parametrize(
    ("rule", "a", "b", "expected"),
    [
        ("close > 0 and open > 0", 1, 1, 1.0),
        ("close > 0 and open > 0", -1, NAN, 0.0),
        ("close > 0 and open > 0", NAN, -1, 0.0),
        ("close > 0 and open > 0", 1, NAN, NAN),
        ("close > 0 or open > 0", NAN, 1, 1.0),
        ("close > 0 or open > 0", 1, NAN, 1.0),
        ("close > 0 or open > 0", -1, NAN, NAN),
        ("not close > 0", NAN, 1, NAN),
        ("not close > 0 or open > 0", 1, -1, 0.0),
        ("close != open", NAN, NAN, NAN),
        ("close == open", 0.0, -0.0, 1.0),
        ("close / open > 1", 1, 0, NAN),
        ("close * 1e300 > open", 1e300, 1, NAN),
        ("between(close, 1, open)", NAN, 0, NAN),
        ("between(close, 3, open)", 2, NAN, 0.0),
        ("between(close, 2, open)", 2, 2, 1.0),
        ("when(close > 0, 1, 0) == 1", NAN, 1, NAN),
        ("when(close > 0, 1, open) == 1", 1, NAN, 1.0),
        ("close > 0", math.inf, 1, NAN),
    ],
)
def test_conditions_follow_kleene(rule: str, a: float, b: float, expected: float) -> None:
    strategy = compiled(f"entry: {{long: close > open}}\nexit: {{long: '{rule}'}}\n")
    value = outputs(strategy, {"close": a, "open": b})[Output.EXIT_LONG]
    assert value == expected or (math.isnan(value) and math.isnan(expected))


@pytest.mark.parametrize(("atr", "entry"), [(2.0, 1.0), (NAN, NAN), (0.0, 0.0), (math.inf, NAN)])
@pytest.mark.parametrize("key", ["stop_loss", "take_profit", "trailing"])
def test_entry_without_a_computable_distance_is_not_made(
    key: str, atr: float, entry: float
) -> None:
    strategy = compiled(f"entry: {{long: close > 0}}\nstops: {{{key}: {{atr: 2}}}}\n")
    value = outputs(strategy, {"close": 1.0, "atr(14)": atr})[Output.ENTRY_LONG]
    assert value == entry or (math.isnan(value) and math.isnan(entry))


def test_percent_distances_are_of_the_close() -> None:
    strategy = compiled(
        "entry: {short: close > 0}\n"
        "stops: {stop_loss: {percent: 2}, trailing: {percent: 1}}\n"
        "entry_order: {type: limit, offset: {percent: 0.5}, expire_after_bars: 2}\n"
    )
    out = outputs(strategy, {"close": 200.0})
    assert out[Output.STOP_DISTANCE] == 4.0
    assert out[Output.TRAIL_DISTANCE] == 2.0
    assert out[Output.LIMIT_OFFSET] == 1.0
    assert out[Output.ENTRY_SHORT] == 1.0


@pytest.mark.parametrize(("close", "confidence"), [(0.5, 0.5), (7, 1.0), (-3, 0.0), (NAN, NAN)])
def test_confidence_is_cut_to_the_unit_interval(close: float, confidence: float) -> None:
    strategy = compiled("entry: {long: open > 0}\nconfidence: close\n")
    out = outputs(strategy, {"close": close, "open": 1.0})
    value = out[Output.CONFIDENCE]
    assert value == confidence or (math.isnan(value) and math.isnan(confidence))
    assert math.isnan(out[Output.ENTRY_LONG]) == math.isnan(confidence)


def test_wider_rows_in_another_order_give_the_same_outputs() -> None:
    strategy = compile_spec(named("sma_cross"))
    wide = (resolve("volume", ()), *reversed(strategy.references), resolve("high", ()))
    rng = np.random.default_rng(3)
    rows = rng.normal(50, 20, (50, len(wide)))
    evaluator = strategy.evaluator(wide)
    narrow = strategy.evaluator(strategy.references)
    pick = [wide.index(column) for column in strategy.references]
    for before, now in pairwise(rows):
        first = evaluator.evaluate(now, before).tobytes()
        assert first == narrow.evaluate(now[pick], before[pick]).tobytes()


def test_bulk_equals_row_by_row_bit_for_bit() -> None:
    rng = np.random.default_rng(5)
    for name in ("sma_cross", "ta_confidence", "donchian_breakout"):
        strategy = compile_spec(named(name))
        matrix = rng.normal(50, 20, (400, len(strategy.references)))
        matrix[rng.random(matrix.shape) < 0.1] = NAN
        evaluator = strategy.evaluator(strategy.references)
        previous = np.full(matrix.shape[1], NAN)
        rows = np.empty((len(matrix), N_OUTPUTS))
        for place, current in enumerate(matrix):
            rows[place] = evaluator.evaluate(current, previous)
            previous = current
        assert strategy.evaluate_bulk(matrix).tobytes() == rows.tobytes()
        fortran = np.asfortranarray(matrix)
        assert strategy.evaluate_bulk(fortran).tobytes() == rows.tobytes()


def test_layout_without_a_needed_column_is_refused() -> None:
    strategy = compile_spec(named("sma_cross"))
    with pytest.raises(ConfigError, match=r"column sma\(10\) was not among the columns given"):
        strategy.evaluator((resolve("atr", (14,)), resolve("close", ())))


def test_row_shorter_than_the_layout_is_refused() -> None:
    strategy = compile_spec(named("sma_cross"))
    evaluator = strategy.evaluator(strategy.references)
    with pytest.raises(ValueError, match="fewer columns"):
        evaluator.evaluate(np.zeros(2), np.zeros(4))
    with pytest.raises(ValueError, match="fewer columns"):
        evaluator.evaluate(np.zeros(4), np.zeros(2))
    with pytest.raises(ConfigError, match="column matrix had shape"):
        strategy.evaluate_bulk(np.zeros((3, 2)))


def test_rows_are_left_as_they_were() -> None:
    strategy = compile_spec(named("sma_cross"))
    now, before = np.arange(4.0), np.arange(4.0) + 1
    now.flags.writeable = before.flags.writeable = False
    strategy.evaluator(strategy.references).evaluate(now, before)
    assert now.tolist() == [0, 1, 2, 3]
