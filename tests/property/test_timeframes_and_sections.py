"""Columns of other timeframes and across instruments: bulk, streaming, restored are one."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from fakes.homes import plain_settings
from fakes.market_rows import an_instrument
from fakes.parity import assert_equal_runs
from fakes.walks import START, walk
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.strategies import loaded_spec
from tidewright.domain import events as ev
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import HOUR, MINUTE
from tidewright.engine.adopt import adopt
from tidewright.engine.config import EngineConfig, setup_of
from tidewright.engine.core import Engine
from tidewright.engine.snapshot import restore_snapshot, take_snapshot
from tidewright.execution.settings import ExecutionSettings
from tidewright.features.across import Evaluated, across_moment, across_series
from tidewright.features.bulk import bulk_series
from tidewright.features.timeframes import RowColumns, row_table
from tidewright.kernels.cross_section import CROSS_FUNCTIONS
from tidewright.market.aggregation import BarAggregator, aggregate
from tidewright.research.bulk.columns import instrument_rows
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.bulk.sweep import SweepRequest, run_sweep
from tidewright.risk.settings import RiskSettings
from tidewright.strategy.expressions import Column, parse_number
from tidewright.strategy.python_strategy import columns
from tidewright.strategy.spec import load_spec

MIXED = columns(
    "close",
    "sma(3)",
    "close@10m",
    "ema(3)@10m",
    "sma(2)@1h",
    "rsi_change(2)@15m",
    "hour_of_day@1h",
    "high@1m",
)
SYMBOLS = ("AAA", "BBB", "CCC", "DDD")


def instruments(count=4, sectors=("x", "y", "x", "")):
    return [
        replace(an_instrument(name), sector=sector, shortable=True)
        for name, sector in zip(SYMBOLS[:count], sectors, strict=False)
    ]


def market(seed, minutes, gaps, count=4):
    """Walks that begin together a little before an hour, each with gaps of its own."""
    opened = START + (seed % 60) * MINUTE + np.arange(minutes) * MINUTE
    return [
        walk(name, seed=seed + n, opened=opened, gaps=gaps)
        for n, name in enumerate(SYMBOLS[:count])
    ]


def same_bits(one, other):
    return np.array_equal(one, other, equal_nan=True) and np.array_equal(
        np.signbit(one) & ~np.isnan(one), np.signbit(other) & ~np.isnan(other)
    )


def rows_of(feed, timeframe):
    return feed if timeframe == "1m" else aggregate(feed, timeframe).bars


def streamed(found, feed, timeframe):
    """Rows given by a run, and the row before each."""
    aggregator = None if timeframe == "1m" else BarAggregator(an_instrument(), timeframe)
    current, previous = [], []
    for bar in feed.bars():
        found.take(bar)
        for row in [bar] if aggregator is None else aggregator.update(bar):
            found.update(row)
            current.append(found.current.copy())
            previous.append(found.previous.copy())
    shape = (len(current), len(MIXED))
    return np.array(current).reshape(shape), np.array(previous).reshape(shape)


@given(
    seed=st.integers(0, 2**20),
    minutes=st.integers(1, 300),
    gaps=st.sampled_from([0.0, 0.05, 0.6, 0.93]),
    timeframe=st.sampled_from(["1m", "5m", "30m"]),
    cut=st.floats(0, 1),
)
@settings(max_examples=40, deadline=None)
def test_rows_of_several_timeframes_bulk_equals_streaming_equals_restored(
    seed, minutes, gaps, timeframe, cut
):
    (feed,) = market(seed, minutes, gaps, 1)
    item = an_instrument("AAA")
    rows = rows_of(feed, timeframe)
    whole = row_table(MIXED, rows, feed, item).T
    found, before = streamed(RowColumns(MIXED, item, "1m", timeframe), feed, timeframe)
    assert same_bits(whole, found)
    assert same_bits(whole[:-1], before[1:])

    place = int(cut * len(feed))
    head = feed.slice(0, place)
    done = len(rows_of(head, timeframe))
    restored = RowColumns(MIXED, item, "1m", timeframe)
    restored.restore(rows_of(head, timeframe), head)
    if done:
        assert same_bits(restored.current, found[done - 1])
        assert same_bits(restored.previous, before[done - 1])
    event(f"{timeframe} rows: {min(len(rows), 3)}+")


@given(st.integers(0, 2**20), st.sampled_from([0.0, 0.3]), st.sampled_from(["1m", "5m"]))
@settings(max_examples=25, deadline=None)
def test_value_of_longer_bars_is_that_of_the_last_one_known_when_the_row_was(seed, gaps, timeframe):
    (feed,) = market(seed, 200, gaps, 1)
    item = an_instrument("AAA")
    rows = rows_of(feed, timeframe)
    (slow,) = columns("ema(3)@10m")
    (found,) = row_table([slow], rows, feed, item)
    for place in range(0, len(rows), 7):
        known = int(rows.ts_known[place])
        # whatever closes later is cut away; a bar that waits for a late one is closed by it
        bars = aggregate(feed, "10m").bars
        bars = bars.slice(0, int((bars.ts_known <= known).sum()))
        assert not len(bars) or known - bars.ts_known[-1] < 10 * MINUTE or gaps
        (values,) = bulk_series([slow.plain], bars, item)
        expected = values[-1:] if len(values) else np.array([math.nan])
        assert same_bits(found[place : place + 1], expected)


def oracle(function, value, others):
    """A cross-section as a person writes it down, in the order of the members."""
    mean = sum(others) / len(others)
    if function == "rank":
        return 1.0 + sum(v > value for v in others)
    if function == "percentile":
        below = sum(v < value for v in others) + 0.5 * (sum(v == value for v in others) - 1)
        return below / (len(others) - 1) if len(others) > 1 else math.nan
    if function == "demean":
        return value - mean
    if function == "weight":
        distances = sum(abs(v - mean) for v in others)
        return (value - mean) / distances if distances else math.nan
    deviation = math.sqrt(sum((v - mean) * (v - mean) for v in others) / len(others))
    return (value - mean) / deviation if deviation else math.nan


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(math.nan)),
            st.sampled_from(["x", "y", ""]),
        ),
        max_size=12,
    ),
    st.sampled_from(sorted(CROSS_FUNCTIONS)),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_cross_section_equals_its_definition(members, function, by_sector):
    reference = parse_number(f"{function}(change(5){', by=sector' if by_sector else ''})")
    assert isinstance(reference, Column)
    values = np.array([value for value, _ in members]).reshape(-1, 1)
    items = [replace(an_instrument(f"A{n}"), sector=s) for n, (_, s) in enumerate(members)]
    found = across_moment([reference.reference], values, items)[:, 0]
    for (value, sector), one in zip(members, found, strict=True):
        others = [v for v, s in members if v == v and (s == sector or not by_sector)]
        is_member = value == value and (sector or not by_sector)
        expected = oracle(function, value, others) if is_member else math.nan
        assert same_bits(np.array([one]), np.array([expected]))


def test_ties_share_the_better_rank_and_weights_add_up_to_nothing():
    values = np.array([[3.0], [1.0], [3.0], [math.nan], [-2.0], [math.inf]])
    items = [an_instrument(f"A{n}") for n in range(6)]

    def of(text):
        (reference,) = columns(text)
        return across_moment([reference], values, items)[:, 0].tolist()

    nothing = pytest.approx(math.nan, nan_ok=True)
    assert of("rank(close)") == [1, 3, 1, nothing, 4, nothing]
    assert of("percentile(close)") == [5 / 6, 1 / 3, 5 / 6, nothing, 0, nothing]
    weights = np.array(of("weight(close)"))
    assert np.nansum(weights) == pytest.approx(0)
    assert np.nansum(np.abs(weights)) == pytest.approx(1)


def test_absent_instruments_are_no_part_of_a_moment():
    first, second = market(3, 60, 0.4, 2)
    items = instruments(2)
    (reference,) = columns("rank(close)")
    rows = instrument_rows([first, second], items, [reference])
    both = np.isin(first.ts_known, second.ts_known)
    assert both.any()
    assert (~both).any()
    assert (rows[0].columns[0][~both] == 1).all()
    expected = 1 + (second.close[np.isin(second.ts_known, first.ts_known)] > first.close[both])
    assert rows[0].columns[0][both].tolist() == expected.tolist()
    unwatched = instrument_rows([first, second], items, [reference], "", [True, False])
    assert (unwatched[0].columns[0] == 1).all()
    assert np.isnan(unwatched[1].columns[0]).all()


RULES = [
    "rank(change(3)) <= 2 and close > sma(5)@10m",
    "zscore(rsi(3)@5m) > 0.2 and close >= close@1m",
    "demean(change(4), by=sector) > 0",
    "crosses_above(close@10m, sma(2)@10m) or previous(rank(change(2))) == 1",
    "weight(change(5)@5m, by=quote) > 0.1 and percentile(volume) < 0.9",
    "crosses_above(percentile(change(2)), 0.5)",
]


def spec(entry, leave, timeframe, short=False):
    side = "short" if short else "long"
    return load_spec(
        f"{{schema: 1, name: mixed, timeframe: {timeframe}, entry: {{{side}: '{entry}'}},"
        f" exit: {{{side}: '{leave}'}}, time_stop_bars: 20,"
        " sizing: {method: percent_of_equity, value: 4}, stops: {stop_loss: {percent: 3}},"
        " confidence: '0.61 + 0.1 * percentile(change(3))'}"
    )


@given(
    seed=st.integers(0, 2**20),
    gaps=st.sampled_from([0.0, 0.1, 0.8]),
    timeframe=st.sampled_from(["any", "5m"]),
    entry=st.sampled_from(RULES),
    leave=st.sampled_from(["rank(change(3)) > 2", "close < sma(5)@10m", "zscore(close) < 0"]),
    short=st.booleans(),
)
@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_backtests_of_both_engines_are_equal(seed, gaps, timeframe, entry, leave, short):
    found = assert_equal_runs(
        market(seed, 240, gaps),
        instruments(),
        loaded_spec(spec(entry, leave, timeframe, short), "test"),
        plain_settings("risk.max_correlated_positions=off", "risk.max_total_exposure_percent=100"),
    )
    event(f"orders {min(found['orders'], 5)}")


def test_both_engines_trade_across_instruments_and_timeframes():
    total = Counter()
    for number, entry in enumerate(RULES):
        total += assert_equal_runs(
            market(number, 400, 0.05),
            instruments(),
            loaded_spec(spec(entry, "rank(change(3)) > 3", "5m" if number % 2 else "any"), "test"),
            plain_settings("risk.max_correlated_positions=off"),
        )
    assert total["trades"] > 60


def engine():
    setups = (
        setup_of(spec(RULES[0], RULES[2], "5m")),
        replace(
            setup_of(replace(spec(RULES[3], RULES[1], "any"), name="other")),
            symbols=frozenset(SYMBOLS[1:]),
        ),
    )
    config = EngineConfig("h", "main", "1m", setups, RiskSettings(), ExecutionSettings(), "f")
    return Engine(config)


def slices(series):
    by_time = {}
    for one in series:
        for bar in one.bars():
            by_time.setdefault(bar.ts_known, []).append(bar)
    return [ev.Slice(ts, tuple(by_time[ts])) for ts in sorted(by_time)]


def started(found):
    opening = ev.AccountReported(10_000 * 10**8, (), START - 1, 0)
    defined = [ev.InstrumentDefined(one) for one in instruments()]
    window = ev.TradingWindow(0)
    found.step(1, ev.Slice(START - 1, (ev.Started(START, "f"), *defined, window, opening)))
    return found


def test_newest_values_are_told_by_label_sections_included():
    found = started(engine())
    for number, one in enumerate(slices(market(11, 60, 0.0))):
        found.step(number + 2, one)
    values = found.state.column_values("BBB")
    assert values["rank(change(2))"] in (1, 2, 3)
    assert values["close@10m"] > 0
    assert set(values) >= {"percentile(change(3))", "sma(5)@10m"}
    # the second strategy does not trade the first instrument
    assert "rank(change(2))" not in found.state.column_values("AAA")


def seen(found):
    return [
        (name, series.timeframe, watch.index, watch.rows.current.tolist())
        for name, track in found.state.tracks.items()
        for series in track.series
        for watch in series.watches
    ]


@pytest.mark.parametrize("cut", [1, 4, 9, 37, 95, 96, 97, 143])
def test_engine_restored_at_any_moment_goes_on_exactly(cut):
    series = market(11, 200, 0.2)
    all_slices = slices(series)
    whole = started(engine())
    for number, one in enumerate(all_slices[:cut]):
        whole.step(number + 2, one)
    fresh = engine()
    until = all_slices[cut - 1].ts_known
    known = {one.instrument: one.slice(0, int((one.ts_known <= until).sum())) for one in series}
    restore_snapshot(fresh.state, take_snapshot(whole.state), known.get)
    assert repr(seen(fresh)) == repr(seen(whole))
    for number, one in enumerate(all_slices[cut:]):
        assert fresh.step(cut + number + 2, one) == whole.step(cut + number + 2, one)
        assert repr(seen(fresh)) == repr(seen(whole))


def test_engine_that_adopted_its_past_sees_the_same_rows():
    whole, adopted = started(engine()), started(engine())
    for number, one in enumerate(slices(market(11, 90, 0.2))):
        outcome = whole.step(number + 2, one)
        adopt(adopted, number + 2, one, outcome)
        assert repr(seen(adopted)) == repr(seen(whole))


def test_hours_before_the_first_complete_one_are_unknown():
    feed = walk(count=180, opened=START + 30 * MINUTE + np.arange(180) * MINUTE)
    (reference,) = columns("close@1h")
    (found,) = row_table([reference], feed, feed, an_instrument("AAA"))
    first = int(np.searchsorted(feed.ts_known, START + HOUR))
    assert np.isnan(found[:first]).all()
    assert found[first] == feed.close[first] / 100
    assert (found[first : first + 60] == found[first]).all()
    assert found[first + 60] == feed.close[first + 60] / 100


def test_history_of_nothing_has_no_sections():
    (reference,) = columns("rank(close)")
    nothing = np.zeros(0)
    evaluated = [Evaluated(an_instrument(), np.zeros(0, np.int64))]
    assert len(across_series([reference], [{reference.own: nothing}], evaluated)[0][0]) == 0


def test_what_cannot_be_computed_is_refused_with_the_way_out():
    feed = walk(count=30)
    item = an_instrument("AAA")
    (odd,) = columns("close@7m")
    with pytest.raises(ConfigError, match="multiple of the data's 5m"):
        RowColumns([odd], item, "5m", "5m")
    with pytest.raises(ConfigError, match="expected a multiple"):
        row_table([odd], aggregate(feed, "5m").bars, aggregate(feed, "5m").bars, item)
    for text in ("close@1h", "rank(close)"):
        with pytest.raises(ConfigError, match="own bars"):
            bulk_series(columns(text), feed, item)


def test_sets_of_a_sweep_equal_their_own_backtests():
    feed = BarFeed(market(2, 400, 0.1), instruments(), "walks")
    specs = [spec(entry, "rank(change(3)) > 3", "any") for entry in RULES[:3]]
    plain = plain_settings("risk.max_correlated_positions=off")
    base = bulk_request(feed, [loaded_spec(specs[0], "test")], plain, ev.TradingWindow(0))
    request = SweepRequest(base, tuple(setup_of(one) for one in specs))
    found = run_sweep(request)
    for place in range(len(specs)):
        alone = run_bulk(request.single(place))
        assert isinstance(alone, BulkResult)
        assert found.equity[place, -1] == alone.equity[-1]
        assert found.trades[place] == len(alone.trade_rows)
    assert found.trades.min() > 3
