"""Stored bars: imported, fetched, merged, verified, listed, exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from fakes.bar_store import MemoryBarStore
from fakes.binance_history import FakeExchange, Fault, serving
from tidewright.adapters.binance_history.client import ClientSettings, KlineClient
from tidewright.adapters.binance_history.fetch import fetch_klines
from tidewright.app.data import (
    export_series,
    import_files,
    list_series,
    merge,
    rescaled,
    stored_feed,
    verify,
)
from tidewright.app.feeds.files import load_bars
from tidewright.app.history import FetchRequest, PageFetcher, fetch_history
from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.time import DAY, MINUTE, parse_iso
from tidewright.market.arrays import BarArrays
from tidewright.market.instruments import load_table
from tidewright.storage.bars import ParquetBars

START = parse_iso("2023-03-01T00:00:00Z")
FIRST = START // MINUTE
BITCOIN = load_table().get("BTCUSDT")


def series(minutes: list[int], price: int = 100) -> BarArrays:
    times = np.array(minutes, np.int64) * MINUTE + START
    prices = np.full(len(minutes), price, np.int64)
    return BarArrays("BTCUSDT", "1m", times, times + MINUTE, *([prices] * 5))


@pytest.fixture
def exchange() -> Iterator[FakeExchange]:
    with serving(FakeExchange(first=FIRST, last=FIRST + 10_000)) as found:
        yield found


@pytest.fixture
def fetch(exchange: FakeExchange) -> Iterator[PageFetcher]:
    settings = ClientSettings(base_url=exchange.url, max_retry_attempts=0)
    with KlineClient(settings, sleep=lambda seconds: None) as client:
        yield lambda *arguments: fetch_klines(client, *arguments)


def request(minutes: int, start: int = 0) -> FetchRequest:
    span = (START + start * MINUTE, START + minutes * MINUTE)
    return FetchRequest("BTCUSDT", "1m", 2**62, *span)


def minutes_of(store: MemoryBarStore) -> list[int]:
    return ((store.kept["BTCUSDT", "1m"][0].ts_event - START) // MINUTE).tolist()


def test_fetch_stores_the_whole_span_and_tells_its_progress(
    exchange: FakeExchange, fetch: PageFetcher
):
    store, told = MemoryBarStore(), []
    report = fetch_history(store, fetch, request(2_500), lambda *at: told.append(at))
    assert minutes_of(store) == list(range(2_500))
    assert (report.added, report.bars, report.pages) == (2_500, 2_500, 3)
    assert report.gaps.gaps == report.defects == report.inferred == ()
    assert told == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500), (2_500, 2_500)]
    bars, instrument = store.kept["BTCUSDT", "1m"]
    assert instrument == BITCOIN
    assert bars.open[0] == (20_000 + FIRST % 97) * 100


def test_second_fetch_asks_only_for_what_is_absent(exchange: FakeExchange, fetch: PageFetcher):
    store = MemoryBarStore()
    fetch_history(store, fetch, request(2_000))
    exchange.requests.clear()
    assert fetch_history(store, fetch, request(2_000)).pages == 0
    assert exchange.requests == []
    fetch_history(store, fetch, request(2_100))
    assert int(exchange.requests[0]["startTime"]) == (START + 2_000 * MINUTE) // 10**6
    assert minutes_of(store) == list(range(2_100))


def test_broken_off_fetch_keeps_what_came_and_goes_on_there(
    exchange: FakeExchange, fetch: PageFetcher
):
    store = MemoryBarStore()
    pages = fetch

    def breaking(*arguments: object) -> Iterator[object]:
        for count, page in enumerate(pages(*arguments)):
            if count == 2:
                exchange.faults = [Fault(500, b"down")]
            yield page

    with pytest.raises(Transient, match="500"):
        fetch_history(store, breaking, request(5_000))
    assert minutes_of(store) == list(range(3_000))
    report = fetch_history(store, fetch, request(5_000))
    assert report.added == 2_000
    assert minutes_of(store) == list(range(5_000))


def test_gap_at_the_source_is_asked_for_again_and_never_silent(
    exchange: FakeExchange, fetch: PageFetcher
):
    store = MemoryBarStore()
    exchange.absent = {FIRST + minute for minute in range(700, 780)}
    report = fetch_history(store, fetch, request(1_500))
    assert report.gaps.missing == 80
    exchange.absent = {FIRST + 700}
    report = fetch_history(store, fetch, request(1_500))
    assert (report.added, report.gaps.missing) == (79, 1)


def test_repeated_candles_are_counted_and_stored_once(exchange: FakeExchange, fetch: PageFetcher):
    store = MemoryBarStore()
    exchange.repeats = True
    report = fetch_history(store, fetch, request(1_500))
    assert report.repeated == 2
    assert report.defects == ()
    assert minutes_of(store) == list(range(1_500))


def test_first_fetch_covers_a_year_up_to_now(exchange: FakeExchange):
    asked = []

    def nothing(*arguments: object) -> Iterator[object]:
        asked.append(arguments)
        return iter(())

    now = START + 400 * DAY + 30
    with pytest.raises(ConfigError, match="held no bar"):
        fetch_history(MemoryBarStore(), nothing, FetchRequest("BTCUSDT", "1m", now))
    assert asked == [("BTCUSDT", "1m", START + 35 * DAY, START + 400 * DAY, now)]


def test_span_without_a_bar_is_refused():
    with pytest.raises(ConfigError, match="expected at least one bar of 1m"):
        FetchRequest("BTCUSDT", "1m", START, START, START).span()


def test_merge_keeps_stored_bars_and_reports_contradictions():
    store = MemoryBarStore()
    merge(store, series([0, 1, 5]), BITCOIN)
    mixed = series([1, 2, 5, 6])
    mixed.close[2] = 101
    report = merge(store, mixed, BITCOIN)
    assert (report.added, report.repeated, report.bars) == (2, 1, 5)
    assert [one.ts_event for one in report.conflicts] == [START + 5 * MINUTE]
    assert minutes_of(store) == [0, 1, 2, 5, 6]
    assert store.kept["BTCUSDT", "1m"][0].close.tolist() == [100] * 5


def test_merge_of_nothing_new_writes_nothing():
    store = MemoryBarStore()
    merge(store, series([0, 1]), BITCOIN)
    merge(store, series([1]), BITCOIN)
    assert store.writes == 1


def test_merge_with_a_finer_tick_keeps_every_price():
    store = MemoryBarStore()
    merge(store, series([0], price=100), BITCOIN)
    finer = replace(BITCOIN, tick_size=Decimal("0.001"))
    assert merge(store, series([0, 1], price=1_000), finer).conflicts[0].rule == "conflict"
    bars, instrument = store.kept["BTCUSDT", "1m"]
    assert instrument.tick_size == Decimal("0.001")
    assert bars.open.tolist() == [1_000, 1_000]
    assert bars.volume.tolist() == [100, 1_000]
    merge(store, series([2], price=7), BITCOIN)
    assert store.kept["BTCUSDT", "1m"][0].open.tolist() == [1_000, 1_000, 70]
    with pytest.raises(DataIntegrityError, match="expected multiples"):
        rescaled(series([0]), BITCOIN, replace(BITCOIN, tick_size=Decimal("0.003")))


def test_import_then_export_gives_the_same_bars(tmp_path: Path):
    rows = [f"2023-03-01T00:0{minute}:00Z,1.5,2.25,1.25,2,0.00{minute}" for minute in range(5)]
    source = tmp_path / "BTCUSDT.csv"
    source.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    store = MemoryBarStore()
    report, merged = import_files(store, source)
    assert report.accepted == merged[0].added == 5
    for name in ("out.csv", "out.parquet"):
        assert export_series(store, "BTCUSDT", "1m", tmp_path / name) == 5
        again, instruments, _ = load_bars(tmp_path / name)
        assert instruments == [BITCOIN]
        assert list(again[0].bars()) == list(store.kept["BTCUSDT", "1m"][0].bars())
    assert import_files(store, source)[1][0].repeated == 5
    with pytest.raises(ConfigError, match="did you mean 'BTCUSDT 1m'"):
        export_series(store, "BTCUSD", "1m", tmp_path / "out.csv")
    with pytest.raises(ConfigError, match="ending in"):
        export_series(store, "BTCUSDT", "1m", tmp_path / "out.txt")


def test_list_shows_span_steps_and_absent_bars():
    store = MemoryBarStore()
    assert list_series(store) == []
    merge(store, series([0, 1, 5]), BITCOIN)
    line = list_series(store)[0]
    assert (line.instrument, line.timeframe, line.bars, line.missing) == ("BTCUSDT", "1m", 3, 3)
    assert (line.first, line.last) == (START, START + 5 * MINUTE)
    assert (line.tick_size, line.lot_size) == ("0.01", "0.00001")


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("high", 99, "high is below another price"),
        ("low", 101, "low is above open or close"),
        ("close", -5, "a price is not above 0"),
        ("volume", -1, "volume is below 0"),
        ("ts_known", 5, "not known at its close"),
        ("ts_event", 5, "not after the bar before"),
    ],
)
def test_verify_names_the_bar_that_is_wrong(column: str, value: int, fault: str):
    store = MemoryBarStore()
    bars = series([0, 1, 2])
    columns = {name: getattr(bars, name).copy() for name in ("high", "low", "close", "volume")} | {
        "ts_known": bars.ts_known.copy(),
        "ts_event": bars.ts_event.copy(),
    }
    merge(store, replace(bars, **columns), BITCOIN)
    assert verify(store)[0].faults == ()
    columns[column][1] = value
    store.write(replace(bars, **columns), BITCOIN)
    faults = verify(store)[0].faults
    assert any(fault in one and one.startswith("bar 2") for one in faults)


def test_history_on_disk_is_fetched_resumed_listed_and_verified(
    tmp_path: Path, exchange: FakeExchange, fetch: PageFetcher
):
    exchange.absent = {FIRST + 40}
    fetch_history(ParquetBars(tmp_path / "bars"), fetch, request(1_200))
    report = fetch_history(ParquetBars(tmp_path / "bars"), fetch, request(2_500))
    assert (report.added, report.bars, report.gaps.missing) == (1_300, 2_499, 1)
    store = ParquetBars(tmp_path / "bars")
    assert [(one.bars, one.missing) for one in list_series(store)] == [(2_499, 1)]
    assert [one.faults for one in verify(store)] == [()]
    in_memory = MemoryBarStore()
    fetch_history(in_memory, fetch, request(2_500))
    kept = store.read("BTCUSDT", "1m")
    assert kept is not None
    assert list(kept[0].bars()) == list(in_memory.kept["BTCUSDT", "1m"][0].bars())
    assert kept[1] == BITCOIN


def test_stored_bars_are_replayed_and_doubts_are_asked_about():
    store = MemoryBarStore()
    with pytest.raises(ConfigError, match="nothing is stored"):
        stored_feed(store)
    merge(store, series([0, 1, 5]), BITCOIN)
    assert [one.ts_known for one in stored_feed(store).slices(START + MINUTE)] == [
        START + 2 * MINUTE,
        START + 6 * MINUTE,
    ]
    merge(store, replace(series([0]), timeframe="5m"), BITCOIN)
    with pytest.raises(ConfigError, match="timeframes were"):
        stored_feed(store)
    assert len(stored_feed(store, ["BTCUSDT"], "5m")) == 1
    with pytest.raises(ConfigError, match="expected a stored one"):
        stored_feed(store, ["ETHUSDT"], "5m")


def test_rounded_volumes_of_a_fetch_are_counted(exchange: FakeExchange, fetch: PageFetcher):
    table = load_table()
    coarse = replace(BITCOIN, lot_size=Decimal(1))
    table = replace(table, instruments={"BTCUSDT": coarse})
    report = fetch_history(MemoryBarStore(), fetch, request(26), table=table)
    assert (report.volumes_rounded, report.prices_rounded) == (26, 0)
