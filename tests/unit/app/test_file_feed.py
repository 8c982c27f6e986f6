"""Files of bars: what is read, what is reported, what is refused and with which words."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tidewright.app.feeds.files import FileFeed, load_bars
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import DatumQuarantined
from tidewright.domain.market import Bar
from tidewright.domain.time import DAY, HOUR, MINUTE, parse_iso

START = parse_iso("2023-03-01T00:00:00Z")
HEADER = "timestamp,open,high,low,close,volume"


def csv(folder: Path, rows: list[str], header: str = HEADER, name: str = "BTCUSDT.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def row(minute: int, price: object = "100.5", text: str = "2023-03-01T00:{:02d}:00Z") -> str:
    return f"{text.format(minute)},{price},{price},{price},{price},2"


def bars_of(feed: FileFeed) -> list[Bar]:
    return [event for one in feed.slices(0) for event in one.events if isinstance(event, Bar)]


def test_csv_without_symbol_column_takes_the_stem_or_the_given_name(tmp_path: Path):
    path = csv(tmp_path, [row(0), row(1), row(2)])
    series, instruments, report = load_bars(path)
    assert [one.id for one in instruments] == ["BTCUSDT"]
    assert series[0].timeframe == report.timeframe == "1m"
    assert series[0].close.tolist() == [10050] * 3
    assert series[0].volume.tolist() == [200_000] * 3
    assert series[0].ts_known.tolist() == [START + (minute + 1) * MINUTE for minute in range(3)]
    assert load_bars(path, ["ETHUSDT"])[1][0].id == "ETHUSDT"


def test_parquet_of_several_symbols_becomes_slices_by_time(tmp_path: Path):
    path = tmp_path / "all.parquet"
    times = [START + minute * MINUTE for minute in (0, 1, 2, 1, 2, 3)]
    pl.DataFrame(
        {
            "timestamp": pl.Series(times).cast(pl.Datetime("ns", "UTC")),
            **{name: [1.0] * 6 for name in ("open", "high", "low", "close", "volume")},
            "symbol": ["SOLUSDT"] * 3 + ["ETHUSDT"] * 3,
        }
    ).write_parquet(path)
    feed = FileFeed(path)
    assert [[bar.instrument for bar in one.events] for one in feed.slices(0)] == [
        ["SOLUSDT"],
        ["ETHUSDT", "SOLUSDT"],
        ["ETHUSDT", "SOLUSDT"],
        ["ETHUSDT"],
    ]
    assert {one.instrument for one in bars_of(FileFeed(path, ["ETHUSDT"]))} == {"ETHUSDT"}
    with pytest.raises(ConfigError, match="did you mean 'ETHUSDT'"):
        FileFeed(path, ["ETHUSD"])


def test_folder_of_files_is_one_feed(tmp_path: Path):
    csv(tmp_path, [row(0), row(1)], name="BTCUSDT.csv")
    csv(tmp_path, [row(1), row(2)], name="ETHUSDT.csv")
    (tmp_path / "notes.txt").write_text("not data")
    assert [len(one.events) for one in FileFeed(tmp_path).slices(0)] == [1, 2, 1]
    csv(tmp_path, [row(1), row(2)], header=HEADER.upper(), name="again.csv")
    (tmp_path / "again.csv").rename(tmp_path / "sub.csv")
    csv(tmp_path, [f"{row(0)},BTCUSDT", f"{row(1)},BTCUSDT"], f"{HEADER},symbol", "copy.csv")
    with pytest.raises(ConfigError, match=r"symbol BTCUSDT was in .*BTCUSDT.csv and in .*copy.csv"):
        FileFeed(tmp_path)


@pytest.mark.parametrize(
    ("first", "second", "step"),
    [
        ("2023-03-01", "2023-03-02", DAY),
        ("20230301", "20230302", DAY),
        ("2023-03-01 00:00", "2023-03-01 01:00", HOUR),
        ("2023-03-01 00:00:00", "2023-03-01 00:05:00", 5 * MINUTE),
        ("2023-03-01T00:00:00.000Z", "2023-03-01T00:01:00.000Z", MINUTE),
        ("2023-03-01T01:00:00+01:00", "2023-03-01T00:01:00+00:00", MINUTE),
        (str(START // 10**9), str(START // 10**9 + 60), MINUTE),
        (str(START // 10**6), str(START // 10**6 + 60_000), MINUTE),
        (str(START // 10**3), str(START // 10**3 + 60_000_000), MINUTE),
        (str(START), str(START + MINUTE), MINUTE),
    ],
)
def test_time_is_read_in_its_usual_forms(tmp_path: Path, first: str, second: str, step: int):
    rows = [f"{time},1.5,1.5,1.5,1.5,3" for time in (first, second)]
    series, _, _ = load_bars(csv(tmp_path, rows, HEADER.replace("timestamp", "Date")))
    assert series[0].ts_event.tolist() == [START, START + step]


def test_timeframe_is_the_most_frequent_step(tmp_path: Path):
    path = csv(tmp_path, [row(minute) for minute in (0, 5, 10, 11, 16, 40)])
    assert load_bars(path)[2].timeframe == "5m"
    assert load_bars(path, timeframe="1m")[2].timeframe == "1m"
    with pytest.raises(ConfigError, match="timeframe could not be told"):
        load_bars(csv(tmp_path, [row(0)]))
    assert len(load_bars(csv(tmp_path, [row(0)]), timeframe="1m")[0][0]) == 1


def test_defective_rows_are_reported_and_become_events(tmp_path: Path):
    bad = [row(1, "nan"), row(2, "0"), row(3, "-5"), row(0), row(4, "999")]
    path = csv(tmp_path, [row(0), *bad, row(5), row(6)])
    feed = FileFeed(path)
    assert [bar.ts_event for bar in bars_of(feed)] == [
        START + minute * MINUTE for minute in (0, 5, 6)
    ]
    events = [
        (one.ts_known, event.defect.rule)
        for one in feed.slices(0)
        for event in one.events
        if isinstance(event, DatumQuarantined)
    ]
    # The repeated row comes when its place in the file comes, not at the time it claims.
    assert events == [
        (START + MINUTE, "duplicate"),
        (START + 2 * MINUTE, "not_finite"),
        (START + 3 * MINUTE, "price_not_positive"),
        (START + 4 * MINUTE, "price_not_positive"),
        (START + 5 * MINUTE, "daily_change"),
    ]
    assert "BTCUSDT.csv row 2" in feed.report.defects[0].detail
    text = "\n".join(feed.report.lines())
    assert "3 of 8 bars" in text
    assert "2 rows kept out by price_not_positive, first: BTCUSDT.csv row 3: was open 0.0" in text
    assert json.dumps(feed.report.as_dict(), default=str)


def test_wrong_time_is_told_between_its_neighbours(tmp_path: Path):
    path = csv(tmp_path, [row(0), row(1), row(0), row(2), row(59, "-1"), row(3)])
    feed = FileFeed(path)
    told = [
        ((one.ts_known - START) // MINUTE, event.defect.rule)
        for one in feed.slices(0)
        for event in one.events
        if isinstance(event, DatumQuarantined)
    ]
    assert told == [(2, "out_of_order"), (4, "price_not_positive")]


def test_missing_cell_is_a_defect_and_a_word_is_an_error(tmp_path: Path):
    rows = [row(0), "2023-03-01T00:01:00Z,,1,1,1,1", row(2)]
    assert [one.rule for one in load_bars(csv(tmp_path, rows))[2].defects] == ["not_finite"]
    rows[1] = "2023-03-01T00:01:00Z,oops,1,1,1,1"
    with pytest.raises(
        ConfigError, match=r"BTCUSDT\.csv: column 'open', row 2: value was 'oops'; expected a num"
    ):
        load_bars(csv(tmp_path, rows))


def test_file_from_new_to_old_is_turned_round_and_says_so(tmp_path: Path):
    series, _, report = load_bars(csv(tmp_path, [row(minute) for minute in (4, 2, 1, 0)]))
    assert series[0].ts_event.tolist() == [START + minute * MINUTE for minute in (0, 1, 2, 4)]
    assert report.series[0].reversed
    assert "turned round" in "\n".join(report.lines())


def test_open_candle_is_kept_out_when_the_time_is_known(tmp_path: Path):
    path = csv(tmp_path, [row(0), row(1), row(2)])
    assert len(load_bars(path, now=START + 3 * MINUTE)[0][0]) == 3
    series, _, report = load_bars(path, now=START + 3 * MINUTE - 1)
    assert len(series[0]) == 2
    assert [one.rule for one in report.defects] == ["open_candle"]


def test_gap_and_inference_are_reported(tmp_path: Path):
    path = csv(tmp_path, [row(0, 1.2345), row(1, 1.2), row(4, 1.21)], name="ABCUSDT.csv")
    _, instruments, report = load_bars(path)
    assert report.series[0].gaps.missing == 2
    assert instruments[0].tick_size == Decimal("0.0001")
    text = "\n".join(report.lines())
    assert "inferred ABCUSDT: tick_size 0.0001" in text
    assert "2 bars absent in 1 gap" in text
    assert report.inferred


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([row(0)], HEADER.replace("volume", "volumes"), "expected 'volume'.*did you mean"),
        ([row(0)], HEADER.replace("timestamp", "when"), "'timestamp' or 'date'"),
        (["soon,1,1,1,1,1", row(1)], HEADER, "column 'timestamp', row 1: value was 'soon'"),
        ([row(0), "never,1,1,1,1,1"], HEADER, "column 'timestamp', row 2: value was 'never'"),
        ([row(0), ",1,1,1,1,1"], HEADER, "row 2: the time was missing"),
        ([f"{row(0)},BTCUSDT", f"{row(1)},"], f"{HEADER},symbol", "row 2: the symbol was missing"),
    ],
)
def test_file_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, rows: list[str], header: str, message: str
):
    with pytest.raises(ConfigError, match=message) as caught:
        load_bars(csv(tmp_path, rows, header))
    assert "BTCUSDT.csv" in str(caught.value)


def test_path_that_holds_no_data_is_refused_with_a_hint(tmp_path: Path):
    csv(tmp_path, [row(0), row(1)])
    with pytest.raises(ConfigError, match="did you mean 'BTCUSDT.csv'"):
        load_bars(tmp_path / "BTCUSD.csv")
    with pytest.raises(ConfigError, match=r"kind of file was '\.xlsx'"):
        load_bars(csv(tmp_path, [], name="a.xlsx"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigError, match=r"held no file of \.parquet or \.csv"):
        load_bars(empty)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 but not really")
    with pytest.raises(ConfigError, match="could not be read"):
        load_bars(broken)
    with pytest.raises(ConfigError, match="expected one, since the file has no column 'symbol'"):
        load_bars(tmp_path / "BTCUSDT.csv", ["A", "B"])
    csv(tmp_path, ["2023-03-01,1,1,1,1,1", "2023-03-02,1,1,1,1,1"], name="ETHUSDT.csv")
    broken.unlink()
    (tmp_path / "a.xlsx").unlink()
    with pytest.raises(ConfigError, match=r"timeframes were \['1d', '1m'\]"):
        load_bars(tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "rows", "missing"),
    [
        ("BTCUSDT_1m_2022-01_2023-06", 786_160, 80),
        ("ETHUSDT_1m_2022-01_2023-06", 786_160, 80),
        ("SOLUSDT_1m_2022-01_2023-06", 786_159, 81),
        ("ETHUSDT_1d_2022-01_2023-06", 546, 0),
    ],
)
def test_real_binance_files_load_whole_with_their_known_gaps(
    realdata: Path, name: str, rows: int, missing: int
):
    series, _, report = load_bars(realdata / "crypto" / f"binance_spot_{name}.parquet")
    assert report.defects == ()
    assert len(series[0]) == rows
    assert report.series[0].gaps.missing == missing
    longest = report.series[0].gaps.longest
    if missing:
        assert longest is not None
        assert (longest.start, longest.missing) == (parse_iso("2023-03-24T12:40:00Z"), 80)


@pytest.mark.realdata
def test_real_prices_and_volumes_come_back_exactly(realdata: Path):
    path = realdata / "crypto" / "binance_spot_BTCUSDT_1m_2022-01_2023-06.parquet"
    series, instruments, report = load_bars(path)
    frame = pl.read_parquet(path)
    tick, lot = instruments[0].price_ratio, instruments[0].quantity_ratio
    for name in ("open", "high", "low", "close"):
        found = getattr(series[0], name) * tick[0] / tick[1]
        assert (found == frame[name].to_numpy()).all()
    off = (series[0].volume * lot[0] / lot[1] != frame["volume"].to_numpy()).sum()
    assert off == report.series[0].volumes_rounded == 259


@pytest.mark.realdata
def test_real_bitfinex_minutes_show_every_absent_minute(realdata: Path):
    _, instruments, report = load_bars(realdata / "crypto" / "bitfinex_XRPUSD_1m_2018.parquet")
    one = report.series[0]
    kept_out = len(one.defects)
    assert one.rows == 488_815
    assert one.accepted + kept_out == one.rows
    assert {defect.rule for defect in one.defects} <= {"daily_change", "spike"}
    assert kept_out < 10
    assert one.gaps.missing == 36_785 + kept_out
    assert 26_417 <= len(one.gaps.gaps) <= 26_417 + kept_out
    assert one.gaps.longest is not None
    assert one.gaps.longest.missing == 181
    assert "inferred" in instruments[0].source


@pytest.mark.realdata
def test_real_adjusted_stock_file_loads_with_all_its_symbols(realdata: Path):
    feed = FileFeed(realdata / "stocks_daily" / "sp500_daily_adj_2013_2022.parquet")
    assert len(feed.instruments) == 447
    assert len(feed) + len(feed.report.defects) == 1_077_536
    assert len(feed.report.defects) < 60
    assert {one.rule for one in feed.report.defects} <= {"daily_change", "spike"}
    assert all(one.tick_size <= Decimal("0.01") for one in feed.instruments)
    first = next(iter(feed.slices(0)))
    assert [bar.instrument for bar in first.events] == sorted(
        bar.instrument for bar in first.events
    )
    assert sum(1 for _ in feed.slices(0)) == 2_518


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("us_9sym_5m_2022-02_2023-06", 187_279),
        ("us_4sym_5m_ext_2023-09_2025-09", 204_676),
        ("us_23sym_5m_2025-05_2025-12", 290_051),
        ("us_SPY_1m_2024-03_2024-12", 75_707),
        ("us_QQQ_NVDA_1m_2025-09_2025-12_single_venue_volume", 58_240),
        ("us_IWM_5m_2025-12_2026-02", 2_648),
    ],
)
def test_real_intraday_stock_files_load_whole(realdata: Path, name: str, rows: int):
    _, _, report = load_bars(realdata / "stocks_intraday" / f"{name}.parquet")
    assert sum(one.rows for one in report.series) == rows
    assert report.accepted == rows
