"""Bars checked and folded in bulk equal bars checked and folded one by one."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fakes.market_rows import START, an_instrument
from tidewright.domain.market import Bar, DataDefect
from tidewright.domain.time import MINUTE
from tidewright.market.aggregation import BarAggregator, aggregate
from tidewright.market.arrays import bar_arrays
from tidewright.market.validation import BarRules, BarValidator, RawBar, check_bars, raw_bars

PRICES = st.one_of(
    st.integers(1, 30_000).map(lambda ticks: ticks / 100),
    st.sampled_from([math.nan, math.inf, 0.0, -1.0, 0.005, 1e300, 0.1 + 0.2]),
)
CALM = st.integers(9_000, 11_000).map(lambda ticks: ticks / 100)
VOLUMES = st.one_of(st.floats(0, 1e6), st.sampled_from([math.nan, -1.0, 1e200]))


@st.composite
def rows(draw: st.DrawFn) -> RawBar:
    minute = draw(st.integers(0, 4_000))
    if draw(st.booleans()):
        prices = [draw(PRICES) for _ in range(4)]
    else:
        values = sorted(draw(CALM) for _ in range(4))
        prices = [values[1], values[3], values[0], values[2]]
        factor = draw(st.sampled_from([1.0, 1.0, 1.0, 3.0, 0.2]))
        prices = [round(price * factor, 2) for price in prices]
    return RawBar(START + minute * MINUTE, *prices, draw(VOLUMES))


@st.composite
def series(draw: st.DrawFn) -> list[RawBar]:
    found = draw(st.lists(rows(), max_size=60))
    if draw(st.booleans()):
        found.sort(key=lambda row: row.ts_event)
    return found


@given(
    series(),
    st.sampled_from([0, START + 2_000 * MINUTE]),
    st.builds(
        BarRules,
        max_data_age_minutes=st.sampled_from([0, 15, 5_000]),
        confirm_after_bars=st.integers(1, 4),
    ),
)
def test_bulk_gives_the_verdicts_of_the_stream(raw: list[RawBar], now: int, rules: BarRules):
    instrument = an_instrument()
    stream = BarValidator(instrument, "1m", rules)
    found = [stream.check(row, now) for row in raw]
    bulk = check_bars(raw_bars(raw), instrument, "1m", rules, now)
    assert list(bulk.bars.bars()) == [one for one in found if isinstance(one, Bar)]
    assert list(bulk.defects) == [
        (row, one) for row, one in enumerate(found) if isinstance(one, DataDefect)
    ]


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(10, 1_000)), max_size=80),
    st.sampled_from(["1m", "2m", "5m", "15m", "1h", "1d", "1w"]),
)
def test_bulk_folds_bars_as_the_stream_does(points: list[tuple[int, int]], timeframe: str):
    bars = [
        Bar(
            *("AAA", "1m", START + minute * MINUTE, START + (minute + 1) * MINUTE),
            *(price, price + minute % 7, price - minute % 5, price + 1 - minute % 3, minute),
        )
        for minute, price in sorted(dict(points).items())
    ]
    builder = BarAggregator(an_instrument(), timeframe)
    stream = [(row, found) for row, bar in enumerate(bars) for found in builder.update(bar)]
    bulk = aggregate(bar_arrays("AAA", "1m", bars), timeframe)
    assert list(bulk.bars.bars()) == [found for _, found in stream]
    assert bulk.source_row.tolist() == [row for row, _ in stream]
    assert np.all(np.diff(bulk.bars.ts_known) > 0)
