from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson
import pytest

from fakes.journal_rows import BTC, START
from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.time import DAY, HOUR
from tidewright.market.arrays import BarArrays
from tidewright.storage import bars as bars_module
from tidewright.storage.bars import BarRange, ParquetBars
from tidewright.storage.history import decode_bars, encode_bars, join_bars

COLUMNS = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")


def hours(count: int, first: int = 0, instrument: str = "BTCUSDT") -> BarArrays:
    opened = START + (first + np.arange(count, dtype=np.int64)) * HOUR
    price = 4_600_000 + (opened // HOUR * 7919) % 1_000
    return BarArrays(
        instrument, "1h", opened, opened + HOUR, price, price + 5, price - 5, price, price // 3
    )


def same(left: BarArrays, right: BarArrays) -> bool:
    return (left.instrument, left.timeframe) == (right.instrument, right.timeframe) and all(
        np.array_equal(getattr(left, name), getattr(right, name)) for name in COLUMNS
    )


def parts(store: ParquetBars) -> list[Path]:
    return sorted(store.root.rglob("*.parquet"))


@pytest.fixture
def store(tmp_path: Path) -> ParquetBars:
    return ParquetBars(tmp_path / "bars")


def test_written_series_reads_back_bit_for_bit(store: ParquetBars) -> None:
    assert store.read("BTCUSDT", "1h") is None
    assert store.series() == []
    bars = hours(24 * 70)
    store.write(bars, BTC)
    found = store.read("BTCUSDT", "1h")
    assert found is not None
    assert same(found[0], bars)
    assert found[1] == BTC
    assert found[0].close.dtype == np.int64
    assert [path.name[:7] for path in parts(store)] == ["2022-01", "2022-02", "2022-03"]
    last = START + (24 * 70 - 1) * HOUR
    assert store.ranges() == [BarRange("BTCUSDT", "1h", 24 * 70, START, last)]


def test_only_changed_months_are_written_and_old_ones_removed(store: ParquetBars) -> None:
    store.write(hours(24 * 45), BTC)
    before = {path.name: path.stat().st_mtime_ns for path in parts(store)}
    store.write(hours(24 * 50), BTC)
    after = {path.name: path.stat().st_mtime_ns for path in parts(store)}
    kept = before.keys() & after.keys()
    assert [name[:7] for name in kept] == ["2022-01"]
    assert all(before[name] == after[name] for name in kept)
    assert len(after) == 2


def test_empty_and_single_bar_series_are_kept(store: ParquetBars) -> None:
    for count in (0, 1):
        store.write(hours(count), BTC)
        found = store.read("BTCUSDT", "1h")
        assert found is not None
        assert same(found[0], hours(count))
    assert store.series() == [("BTCUSDT", "1h")]


@pytest.mark.parametrize("name", ["BTC/USDT", "..", "../../x", "BRK.B", "con:1", "ü~", "a%2Fb"])
def test_any_name_stays_inside_the_store(store: ParquetBars, name: str) -> None:
    store.write(hours(3, instrument=name), replace(BTC, id=name))
    found = store.read(name, "1h")
    assert found is not None
    assert found[1].id == name
    assert store.series() == [(name, "1h")]
    assert all(path.resolve().is_relative_to(store.root.resolve()) for path in parts(store))
    assert len(parts(store)[0].relative_to(store.root).parts) == 3


def test_bars_of_another_instrument_or_order_are_refused(store: ParquetBars) -> None:
    with pytest.raises(ConfigError, match="bars were of 'ETHUSDT'"):
        store.write(hours(3, instrument="ETHUSDT"), BTC)
    twice = hours(3)
    twice.ts_event[1] = twice.ts_event[0]
    with pytest.raises(ConfigError, match="not in time order"):
        store.write(twice, BTC)


def test_failed_write_leaves_the_old_series(
    store: ParquetBars, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(hours(24 * 45), BTC)

    def fail(*_: object, **__: object) -> None:
        raise Transient("disk is full")

    finer = replace(BTC, tick_size=Decimal("0.001"))
    changed = replace(hours(24 * 45), close=hours(24 * 45).close * 10)
    for place in ("replace_atomically", "write_atomically"):
        with monkeypatch.context() as patch:
            patch.setattr(bars_module, place, fail)
            with pytest.raises(Transient):
                store.write(changed, finer)
        found = store.read("BTCUSDT", "1h")
        assert found is not None
        assert same(found[0], hours(24 * 45))
        assert found[1] == BTC
    store.write(changed, finer)
    assert len(parts(store)) == 2


def test_damaged_files_are_named(store: ParquetBars) -> None:
    store.write(hours(24 * 45), BTC)
    first, second = parts(store)
    whole = first.read_bytes()
    first.write_bytes(second.read_bytes())
    with pytest.raises(DataIntegrityError, match=f"{first.name}: its bars differ"):
        store.read("BTCUSDT", "1h")
    first.write_bytes(whole[:100])
    with pytest.raises(DataIntegrityError, match="cannot be read"):
        store.read("BTCUSDT", "1h")
    store.write(hours(24 * 45), BTC)
    assert store.read("BTCUSDT", "1h") is not None
    first.unlink()
    with pytest.raises(DataIntegrityError, match="is missing"):
        store.read("BTCUSDT", "1h")


def test_unusable_description_is_refused(store: ParquetBars) -> None:
    store.write(hours(3), BTC)
    path = next(store.root.rglob("series.json"))
    data = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps({**data, "version": 2}))
    with pytest.raises(ConfigError, match="version was 2"):
        store.read("BTCUSDT", "1h")
    path.write_bytes(b"{}")
    with pytest.raises(DataIntegrityError, match="no description of a series"):
        store.series()


def test_reader_meets_a_series_replaced_under_it(
    store: ParquetBars, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(hours(10), BTC)
    load = bars_module._bars
    calls = []

    def slow(folder: Path, series: object) -> BarArrays:
        calls.append(series)
        if len(calls) == 1:
            store.write(hours(20), BTC)
        return load(folder, series)  # type: ignore[arg-type]

    monkeypatch.setattr(bars_module, "_bars", slow)
    found = store.read("BTCUSDT", "1h")
    assert found is not None
    assert len(found[0]) == 20


# History segments


def test_history_blob_gives_the_bars_back() -> None:
    for count in (0, 1, 500):
        assert same(decode_bars(encode_bars(hours(count))), hours(count))
    extreme = hours(2)
    extreme.open[:] = (-(2**63), 2**63 - 1)
    assert same(decode_bars(encode_bars(extreme)), extreme)
    assert len(encode_bars(hours(1_000))) < 1_000 * 56 / 4


@pytest.mark.parametrize("damage", [b"", b"[1]\nxx", b'[9,"a","1h",1]\n', b'[1,"a","1h",7]\nx'])
def test_damaged_history_is_refused(damage: bytes) -> None:
    with pytest.raises(DataIntegrityError, match="history was"):
        decode_bars(damage)


def test_cut_history_is_refused() -> None:
    blob = encode_bars(hours(50))
    for end in (10, len(blob) // 2, len(blob) - 1):
        with pytest.raises(DataIntegrityError):
            decode_bars(blob[:end])


def test_joined_history_prefers_the_later_stretch() -> None:
    later = hours(5, first=3)
    later.close[:] = 1
    joined = join_bars([hours(5), later])
    assert len(joined) == 8
    assert joined.close[3:].tolist() == [1] * 5
    assert np.all(np.diff(joined.ts_event) > 0)
    assert joined.ts_known[-1] - joined.ts_event[0] == 8 * HOUR < DAY
    with pytest.raises(DataIntegrityError, match="expected one series"):
        join_bars([hours(1), hours(1, instrument="ETHUSDT")])
