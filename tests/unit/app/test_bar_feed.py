"""A feed over bars in memory: order, resumption, and where defects are told."""

from __future__ import annotations

import pytest

from fakes.market_rows import START, an_instrument
from tidewright.app.feeds import bars as feed_module
from tidewright.app.feeds.bars import BarFeed
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import DatumQuarantined, Slice, slice_rank
from tidewright.domain.market import Bar, DataDefect
from tidewright.domain.time import MINUTE
from tidewright.market.arrays import BarArrays, bar_arrays


def a_bar(name: str, minute: int, timeframe: str = "1m") -> Bar:
    start = START + minute * MINUTE
    return Bar(name, timeframe, start, start + MINUTE, 10 + minute, 12 + minute, 9, 11, minute)


def a_series(name: str, minutes: list[int]) -> BarArrays:
    return bar_arrays(name, "1m", [a_bar(name, minute) for minute in minutes])


def a_feed(series: dict[str, list[int]], defects: list[tuple[int, str]] | None = None) -> BarFeed:
    return BarFeed(
        [a_series(name, minutes) for name, minutes in series.items()],
        [an_instrument(name) for name in series],
        "test",
        [
            (START + minute * MINUTE, DatumQuarantined(DataDefect(name, START, "spike", "")))
            for minute, name in defects or []
        ],
    )


def shape(slices: list[Slice]) -> list[tuple[int, list[str]]]:
    return [
        (
            (one.ts_known - START) // MINUTE,
            [
                event.instrument if isinstance(event, Bar) else f"defect {event.defect.instrument}"
                for event in one.events
                if isinstance(event, Bar | DatumQuarantined)
            ],
        )
        for one in slices
    ]


def test_bars_of_one_moment_share_a_slice_by_instrument_id():
    feed = a_feed({"B": [0, 1, 3], "A": [1, 2, 3], "C": [3]})
    assert shape(list(feed.slices(0))) == [
        (1, ["B"]),
        (2, ["A", "B"]),
        (3, ["A"]),
        (4, ["A", "B", "C"]),
    ]
    assert [one.id for one in feed.instruments] == ["A", "B", "C"]
    assert (len(feed), feed.timeframe) == (7, "1m")
    assert (feed.first_known, feed.last_known) == (START + MINUTE, START + 4 * MINUTE)


@pytest.mark.parametrize("chunk", [1, 2, 3, 8_192])
@pytest.mark.parametrize("names", ["A", "ABC"])
def test_chunks_leave_no_trace_and_any_start_resumes(
    monkeypatch: pytest.MonkeyPatch, chunk: int, names: str
):
    series = {name: [m for m in range(12) if (m + place) % 3] for place, name in enumerate(names)}
    feed = a_feed(series, [(0, "A"), (3, "B"), (3, "A"), (5, "A"), (40, "A")])
    monkeypatch.setattr(feed_module, "_CHUNK", 8_192)
    whole = list(feed.slices(0))
    bars = sorted(
        (bar for name, minutes in series.items() for bar in (a_bar(name, m) for m in minutes)),
        key=lambda bar: (bar.ts_known, bar.instrument),
    )
    assert [event for one in whole for event in one.events if isinstance(event, Bar)] == bars
    monkeypatch.setattr(feed_module, "_CHUNK", chunk)
    for after in [0, *(one.ts_known for one in whole), START + 90 * MINUTE]:
        rest = [one for one in whole if one.ts_known > after]
        assert list(feed.slices(after)) == rest
        assert list(feed.slices(after)) == rest


def test_defect_joins_the_slice_of_its_time_or_gets_one_of_its_own():
    feed = a_feed({"A": [0, 1, 4]}, [(2, "A"), (3, "A"), (3, "A"), (9, "A")])
    slices = list(feed.slices(0))
    assert shape(slices) == [
        (1, ["A"]),
        (2, ["defect A", "A"]),
        (3, ["defect A", "defect A"]),
        (5, ["A"]),
        (9, ["defect A"]),
    ]
    for one in slices:
        ranks = [slice_rank(event) for event in one.events]
        assert ranks == sorted(ranks)


def test_feed_without_a_bar_is_empty():
    feed = a_feed({"A": [], "B": []})
    assert list(feed.slices(0)) == []
    assert (feed.first_known, feed.last_known) == (0, 0)


def test_series_that_do_not_fit_together_are_refused():
    with pytest.raises(ConfigError, match="exactly one"):
        BarFeed([], [], "test")
    with pytest.raises(ConfigError, match="one for each given instrument"):
        BarFeed([a_series("A", [0])], [an_instrument("B")], "test")
    with pytest.raises(ConfigError, match="one for each given instrument"):
        BarFeed([a_series("A", [0]), a_series("A", [1])], [an_instrument("A")], "test")
