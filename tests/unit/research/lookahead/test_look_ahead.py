"""Planted look-ahead is found and named; everything that ships is clean."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from fakes.homes import plain_settings
from fakes.market_rows import an_instrument
from fakes.walks import session_times, walk
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.lookahead import Sample, check_strategy
from tidewright.app.strategies import load_strategies, loaded_spec
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import DAY, HOUR, MINUTE
from tidewright.features.declarations import declarations
from tidewright.market.aggregation import aggregate
from tidewright.research.lookahead.check import (
    ROWS,
    Check,
    Observation,
    check_lookahead,
    check_stamps,
    known_at,
    sample_times,
)
from tidewright.research.lookahead.subjects import callable_subject, columns_subject
from tidewright.strategy.library import library
from tidewright.strategy.spec import load_spec

BARS = walk(count=900, gaps=0.02)


def closes(bars):
    return bars.close.astype(np.float64)


def shifted(bars):
    return np.append(closes(bars)[1:], np.nan)


def centred(bars):
    values = np.pad(closes(bars), 2, "edge")
    return np.convolve(values, np.full(5, 0.2), "valid")


def back_filled(bars):
    values = np.where(np.arange(len(bars)) % 7 == 3, closes(bars), np.nan)
    for row in range(len(values) - 2, -1, -1):
        if np.isnan(values[row]):
            values[row] = values[row + 1]
    return values


def fitted_on_everything(bars):
    values = closes(bars)
    return (values - values.mean()) / values.std() if len(values) > 1 else values * np.nan


def unclosed_hour(bars):
    # the close of the hour that contains each bar, known only when the hour is over
    hour = bars.ts_event // HOUR
    last = np.append(np.flatnonzero(np.diff(hour)), len(hour) - 1)
    return closes(bars)[last[np.searchsorted(last, np.arange(len(bars)))]]


def honest(bars):
    return np.cumsum(closes(bars))


def reads_length(bars):
    return np.full(len(bars), float(len(bars)))


@pytest.mark.parametrize(
    "leak", [shifted, centred, back_filled, fitted_on_everything, unclosed_hour, reads_length]
)
def test_planted_leak_is_found_and_named(leak):
    subject = callable_subject(lambda bars: {"honest": honest(bars), "planted": leak(bars)})
    times = sample_times([BARS], ["1h"], 40)
    report = check_lookahead(subject, (BARS,), times.tolist(), name="model", shocks=0)
    (finding,) = report.findings
    assert not report.clean
    assert (finding.check, finding.source, finding.column) == (
        Check.TRUNCATION,
        "AAA 1m",
        "planted",
    )
    row = np.searchsorted(BARS.ts_known, finding.time)
    assert BARS.ts_known[row] == finding.time
    if leak is not reads_length:
        assert finding.other == pytest.approx(leak(BARS)[row], nan_ok=True)
    assert not np.array_equal(finding.value, finding.other)
    assert "planted at 2023-03-01T" in report.lines()[1]


def test_future_shock_alone_finds_what_hides_from_a_cut():
    def careful(bars):
        # honest whenever the history is short, as if its author knew the check
        return {"planted": shifted(bars) if len(bars) == len(BARS) else closes(bars)[:0]}

    def shock_only(bars):
        values = closes(bars)
        return {"planted": values if len(bars) < len(BARS) else values + values[-1]}

    with pytest.raises(ConfigError, match="0 rows; expected 51"):
        check_lookahead(callable_subject(careful), (BARS,), [int(BARS.ts_known[50])], shocks=0)
    times = [int(BARS.ts_known[row]) for row in (200, 400)]
    report = check_lookahead(callable_subject(shock_only), (BARS,), times, shocks=2)
    assert {one.check for one in report.findings} == {Check.TRUNCATION, Check.SHOCK}
    assert any("multiplied" in one.detail for one in report.findings)


def test_rows_that_appear_too_early_are_found():
    def forming(sources):
        (bars,) = sources
        buckets = np.unique(bars.ts_event // HOUR)
        # rows of hours that are not over, stamped with the time at which they began
        return [Observation("AAA 1h", buckets * HOUR, {"x": np.zeros(len(buckets))})]

    def lost(sources):
        (bars,) = sources
        kept = slice(0, max(len(bars) - 3, 0))
        return [Observation("AAA 1m", bars.ts_known[kept], {"x": closes(bars)[kept]})]

    times = sample_times([BARS], ["1h"], 20).tolist()
    for subject in (forming, lost):
        (finding, *_) = check_lookahead(subject, (BARS,), times, shocks=0).findings
        assert finding.column == ROWS
        assert abs(finding.value - finding.other) in (1, 3)


def test_hour_of_its_own_file_is_cut_by_when_it_was_known():
    base = walk(count=1_200)
    hours = aggregate(base, "1h").bars

    def joined(shift):
        def subject(sources):
            short, long = sources
            place = np.searchsorted(long.ts_known, short.ts_known + shift, side="right") - 1
            values = np.where(place >= 0, closes(long)[place] if len(long) else np.nan, np.nan)
            return [Observation("AAA 1m with 1h", short.ts_known, {"hour": values})]

        return subject

    times = sample_times([base, hours], (), 60).tolist()
    assert check_lookahead(joined(0), (base, hours), times).clean
    (finding,) = check_lookahead(joined(HOUR), (base, hours), times, shocks=0).findings
    assert finding.column == "hour"


def test_hours_stamped_too_early_are_found_beside_the_minutes():
    base = walk(count=2_000, gaps=0.01)
    hours = aggregate(base, "1h").bars
    assert check_stamps(base, hours).clean
    early = replace(hours, ts_event=hours.ts_event - HOUR, ts_known=hours.ts_known - HOUR)
    (finding,) = check_stamps(base, early).findings
    assert finding.check is Check.STAMP
    assert finding.source == "AAA 1h"


def test_sampled_times_lie_within_longer_bars_and_at_moved_and_short_sessions():
    # the 13th is a Monday on which New York has moved its clocks; day 20 closes early
    opened = session_times(date(2023, 3, 6), 26, early=(15,))
    stock = walk("SPY", timeframe="5m", opened=opened)
    times = sample_times([stock], ["1h", "1d"], 120)
    inside = times % HOUR != 0
    assert inside.sum() > 30
    assert (times[inside] % HOUR == 55 * MINUTE).any()
    assert (~inside).any()
    day = times // DAY
    moved = int(session_times(date(2023, 3, 13), 1)[0]) // DAY
    early = int(session_times(date(2023, 3, 21), 1)[0]) // DAY
    short_close = int(stock.ts_known[stock.ts_event // DAY == early][-1])
    assert moved in day
    assert short_close in times
    assert set(times.tolist()) <= set(stock.ts_known[:-1].tolist())
    assert len(times) <= 120


def test_all_declared_columns_are_clean():
    instrument = an_instrument("AAA")
    references = [one.default() for one in declarations().values()]
    assert len(references) >= 195
    bars = walk(count=400, gaps=0.02)
    times = sample_times([bars], ["1h"], 24).tolist()
    report = check_lookahead(columns_subject(references, [instrument]), (bars,), times, shocks=3)
    assert report.clean, report.lines()
    assert report.values > 24 * 50 * 195


def a_feed(*names, count=700):
    series = [walk(name, count=count, seed=seed) for seed, name in enumerate(names)]
    return BarFeed(series, [an_instrument(name) for name in names], "walks")


@pytest.mark.parametrize("name", sorted(library()))
def test_library_strategies_are_clean_and_free_of_the_unit_of_price(name):
    (strategy,) = load_strategies((name,))
    report = check_strategy(
        strategy, a_feed("AAA", "BBB", count=400), plain_settings(), Sample(times=10)
    )
    assert report.clean, report.lines()
    assert report.scale_free
    assert set(report.checks) == {
        Check.TRUNCATION,
        Check.SHOCK,
        Check.SCALE,
        Check.CORRELATION,
    }


def test_price_level_in_a_rule_is_told_with_time_and_values():
    spec = load_spec(
        "{schema: 1, name: level, entry: {long: close > 100}, exit: {long: close < 100.5},"
        " sizing: {method: percent_of_equity, value: 5}}"
    )
    report = check_strategy(
        loaded_spec(spec, "test"), a_feed("AAA"), plain_settings(), Sample(times=6)
    )
    assert report.clean
    assert report.scale_free is False
    assert {one.column for one in report.findings} == {"entry_long", "exit_long"}


def test_python_strategy_that_remembers_is_found(tmp_path):
    file = tmp_path / "remembers.py"
    file.write_text(
        "from tidewright.strategy.python_strategy import PythonStrategy, Output, columns\n"
        "class Remembers(PythonStrategy):\n"
        "    name = 'remembers'\n"
        "    references = columns('close')\n"
        "    seen = 0\n"
        "    def evaluate(self, current, previous):\n"
        "        self.seen += 1\n"
        "        return {Output.ENTRY_LONG: float(self.seen % 3 == 0)}\n"
    )
    (strategy,) = load_strategies((f"{file}:Remembers",))
    report = check_strategy(strategy, a_feed("AAA", count=200), plain_settings(), Sample(times=6))
    assert "output entry_long" in {one.column for one in report.leaks}


def test_too_few_bars_and_other_sources_are_refused():
    (strategy,) = load_strategies(("momentum",))
    with pytest.raises(ConfigError, match="at least 2"):
        check_strategy(strategy, a_feed("AAA", count=1), plain_settings())

    def fickle(sources):
        return callable_subject(lambda bars: {"x": closes(bars)}, str(len(sources[0])))(sources)

    with pytest.raises(ConfigError, match="same ones"):
        check_lookahead(fickle, (BARS,), [int(BARS.ts_known[9])])


def test_cut_holds_exactly_what_was_known():
    assert len(known_at(BARS, int(BARS.ts_known[9]))) == 10
    assert len(known_at(BARS, int(BARS.ts_known[9]) - 1)) == 9
