"""Every declared column: bulk, streaming and restored streaming are one, bit for bit.

Generic over the declarations: a new column is covered as soon as it is declared.
"""

from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.features.bulk import bulk_columns, bulk_series
from tidewright.features.declarations import NOT_YET, ColumnKind, declarations, resolve
from tidewright.features.streaming import StreamingColumns
from tidewright.market.arrays import bar_arrays

MINUTE = 60_000_000_000
# cents; quarters; thirds of nothing round; a step above one
STEPS = [("0.01", "0.00001"), ("0.25", "1"), ("0.00000001", "100"), ("5", "0.003")]


@cache
def instrument(tick, lot):
    return Instrument("X", "v", "X", "Y", AssetClass.CRYPTO, Decimal(tick), Decimal(lot))


def grouped():
    """Names of columns, a few of one family at a time: they share the cost of a run."""
    groups = {}
    for name, declaration in declarations().items():
        groups.setdefault(declaration.family, []).append(name)
    return [
        pytest.param(tuple(names[start : start + 8]), id=f"{family}-{start // 8}")
        for family, names in groups.items()
        for start in range(0, len(names), 8)
    ]


def random_bars(seed, count, *, quiet=False, moving=False):
    """Bars with gaps and, unless moving, flat stretches; when not quiet, with silent minutes."""
    rng = np.random.default_rng(seed)
    scale = int(rng.choice([1, 3, 200]))
    moves = rng.integers(-scale, scale + 1, count) * rng.integers(0, 2, count)
    if moving:
        moves = rng.integers(1, scale + 5, count) * rng.choice([-1, 1], count)
    close = np.abs(int(rng.integers(50, 5_000)) * scale + np.cumsum(moves)) + 1
    open_ = np.maximum(close + rng.integers(-scale, scale + 1, count), 1)
    high = np.maximum(open_, close) + rng.integers(0, scale + 1, count)
    low = np.maximum(np.minimum(open_, close) - rng.integers(0, scale + 1, count), 1)
    volume = rng.integers(1, 10**6, count)
    if not quiet:
        volume *= rng.integers(0, 2, count)
    rows = np.column_stack([open_, high, low, close, volume]).tolist()
    return [
        Bar("X", "1m", index * MINUTE, (index + 1) * MINUTE, *row) for index, row in enumerate(rows)
    ]


def arrays(bars):
    return bar_arrays("X", "1m", bars)


def all_columns():
    return [resolve(name, ()) for name in declarations()]


def streamed(columns, bars):
    """Rows given by a run, and the row before each."""
    current, previous = [], []
    for bar in bars:
        columns.update(bar)
        current.append(columns.current.copy())
        previous.append(columns.previous.copy())
    shape = (len(bars), len(columns.references))
    return np.array(current).reshape(shape), np.array(previous).reshape(shape)


def drawn(data, names):
    return [resolve(name, data.draw(parameters(declarations()[name]))) for name in names]


def assert_same_bits(one, other):
    """NaN equals NaN here, whatever its payload; 0.0 and -0.0 differ."""
    assert np.array_equal(one, other, equal_nan=True)
    assert np.array_equal(np.signbit(one) & ~np.isnan(one), np.signbit(other) & ~np.isnan(other))


@st.composite
def parameters(draw, declaration):
    """Valid parameters, most of them small enough for the window to fill."""
    values = []
    for parameter in declaration.parameters:
        low, high = parameter.minimum, min(parameter.maximum, parameter.minimum + 30)
        if parameter.whole:
            values.append(draw(st.integers(int(low), int(high))))
        else:
            values.append(draw(st.floats(low, high)))
    names = [parameter.name for parameter in declaration.parameters]
    places = [names.index(name) for name in declaration.ascending]
    for place, value in zip(places, sorted(values[place] for place in places), strict=True):
        values[place] = value
    for before, after in pairwise(places):
        values[after] = max(values[after], values[before] + 1)
    return values


@pytest.mark.parametrize("names", grouped())
@given(data=st.data())
@settings(max_examples=40)
def test_columns_any_bars_bulk_equals_streaming_equals_restored(names, data):
    columns = drawn(data, names)
    item = instrument(*data.draw(st.sampled_from(STEPS)))
    bars = random_bars(data.draw(st.integers(0, 2**32)), data.draw(st.integers(0, 120)))
    whole = bulk_columns(columns, arrays(bars), item)
    rows, before = streamed(StreamingColumns(columns, item), bars)
    for place, column in enumerate(columns):
        note(column.label)
        assert_same_bits(whole[:, place], rows[:, place])
        assert_same_bits(whole[:-1, place], before[1:, place])

    cut = data.draw(st.integers(0, len(bars)))
    restored = StreamingColumns(columns, item)
    restored.update(random_bars(1, 1)[0])
    restored.restore(arrays(bars[:cut]))
    if cut:
        assert_same_bits(restored.current, rows[cut - 1])
        assert_same_bits(restored.previous, before[cut - 1])
    later, later_before = streamed(restored, bars[cut:])
    assert_same_bits(later, rows[cut:])
    assert_same_bits(later_before, before[cut:])


def test_all_columns_together_restored_a_hundred_times_equal_a_run_that_never_stopped():
    item = instrument(*STEPS[0])
    bars = random_bars(7, 1_200)
    twice = [*all_columns(), *all_columns()]
    rows, _ = streamed(StreamingColumns(twice, item), bars)
    assert_same_bits(bulk_columns(twice, arrays(bars), item), rows)
    columns = StreamingColumns(twice, item)
    cuts = np.sort(np.random.default_rng(3).choice(len(bars), 100, replace=False)).tolist()
    for start, stop in zip([0, *cuts], [*cuts, len(bars)], strict=True):
        columns.restore(arrays(bars[:start]))
        later, _ = streamed(columns, bars[start:stop])
        assert_same_bits(later, rows[start:stop])


@pytest.mark.parametrize("names", grouped())
@given(data=st.data())
@settings(max_examples=40)
def test_lookback_declared_equals_observed(names, data):
    columns = drawn(data, names)
    seed = data.draw(st.integers(0, 2**32))
    item = instrument(*STEPS[0])
    for moving in (False, True):
        bars = arrays(random_bars(seed, 260, quiet=True, moving=moving))
        for column, values in zip(columns, bulk_series(columns, bars, item), strict=True):
            note(column.label)
            declaration = declarations()[column.name]
            lookback = declaration.lookback(column.parameters)
            assert lookback < 250
            assert np.isnan(values[:lookback]).all()
            # what never moves may leave a column undefined, where the declaration says so
            if moving or declaration.nan_means in (NOT_YET, "never"):
                assert not np.isnan(values[lookback:]).any()
            assert not np.isinf(values).any()


@pytest.mark.parametrize("names", grouped())
@given(data=st.data())
@settings(max_examples=40)
def test_window_columns_history_cut_off_before_their_window_keep_their_bits(names, data):
    names = [name for name in names if declarations()[name].kind is not ColumnKind.RECURSIVE]
    columns = drawn(data, names)
    item = instrument(*data.draw(st.sampled_from(STEPS)))
    bars = random_bars(data.draw(st.integers(0, 2**32)), 90)
    cut = data.draw(st.integers(0, 80))
    whole = bulk_columns(columns, arrays(bars), item)
    short = bulk_columns(columns, arrays(bars[cut:]), item)
    for place, column in enumerate(columns):
        note(column.label)
        lookback = declarations()[column.name].lookback(column.parameters)
        assert_same_bits(short[lookback:, place], whole[cut + lookback :, place])


@given(st.data())
def test_means_of_different_windows_tie_exactly_when_their_fractions_do(data):
    tick, lot = data.draw(st.sampled_from(STEPS))
    short = data.draw(st.integers(1, 12))
    length = data.draw(st.integers(short, 24))
    top = data.draw(st.sampled_from([3, 1_000, 2**30, 2**48]))
    closes = data.draw(st.lists(st.integers(1, top), min_size=length, max_size=length))
    if data.draw(st.booleans()):
        # a longer window that repeats the short one has the same mean
        closes = closes[-short:] * 3
        length = 3 * short
    bars = [
        Bar("X", "1m", index * MINUTE, (index + 1) * MINUTE, close, close, close, close, close)
        for index, close in enumerate(closes)
    ]
    references = [
        resolve(name, (window,)) for name in ("sma", "volume_average") for window in (short, length)
    ]
    row = bulk_columns(references, arrays(bars), instrument(tick, lot))[-1]
    exact = [
        Fraction(step) * Fraction(sum(closes[-window:]), window)
        for step in (tick, lot)
        for window in (short, length)
    ]
    assert row.tolist() == [value.numerator / value.denominator for value in exact]
    for value in (0, 2):
        if exact[value] == exact[value + 1]:
            assert row[value] == row[value + 1]
