"""Stored bars of a home: import, merge, list, verify, export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from tidewright.app.declarations import with_sector
from tidewright.app.feeds.bars import UNDECLARED_DATA, BarFeed
from tidewright.app.feeds.files import LoadReport, load_bars
from tidewright.domain.errors import ConfigError, DataIntegrityError, nearest
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import DataDefect
from tidewright.domain.time import iso, timeframe_nanoseconds
from tidewright.market.arrays import BarArrays, Int64
from tidewright.market.declaration import DataDeclaration
from tidewright.market.gaps import GapReport, find_gaps, trades_in_sessions
from tidewright.market.instruments import InstrumentTable

_COLUMNS = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")


class BarStore(Protocol):
    """Where the bars of a home are kept."""

    def write(self, bars: BarArrays, instrument: Instrument) -> None:
        """Replace the stored series of this instrument and timeframe."""

    def read(self, instrument: str, timeframe: str) -> tuple[BarArrays, Instrument] | None:
        """Return a stored series, or None."""

    def series(self) -> Sequence[tuple[str, str]]:
        """Return instrument and timeframe of every stored series, in order."""


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """One line of the list of stored bars.

    Parameters
    ----------
    instrument, timeframe : str
        The series.
    bars : int
        Number of bars.
    first, last : int
        Open times of the first and last bar, nanoseconds UTC; 0 without one.
    missing : int
        Absent bars between them.
    tick_size, lot_size, source : str
        Steps in which it is stored, and where they come from.
    """

    instrument: str
    timeframe: str
    bars: int
    first: int
    last: int
    missing: int
    tick_size: str
    lot_size: str
    source: str


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What adding bars to a stored series did.

    Parameters
    ----------
    instrument, timeframe : str
        The series.
    added, repeated : int
        New bars; bars that were stored already with equal values.
    conflicts : tuple of DataDefect
        Bars that differ from the stored ones; those were kept.
    bars : int
        Bars stored now.
    """

    instrument: str
    timeframe: str
    added: int
    repeated: int
    conflicts: tuple[DataDefect, ...]
    bars: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What is wrong with a stored series; empty faults mean nothing is.

    Parameters
    ----------
    instrument, timeframe : str
        The series.
    bars : int
        Number of bars.
    faults : tuple of str
        Contradictions, each naming its bar.
    gaps : GapReport
        Absent bars.
    """

    instrument: str
    timeframe: str
    bars: int
    faults: tuple[str, ...]
    gaps: GapReport


def import_files(
    store: BarStore,
    path: Path,
    symbols: Sequence[str] = (),
    *,
    timeframe: str = "",
    table: InstrumentTable | None = None,
    now: int = 0,
) -> tuple[LoadReport, list[MergeReport]]:
    """Add the bars of a file or folder to the store.

    Parameters
    ----------
    store : BarStore
        Where to keep them.
    path, symbols, timeframe, table, now
        As in `load_bars`.

    Raises
    ------
    ConfigError
        If a file cannot be used.
    """
    series, instruments, report = load_bars(
        path, symbols, timeframe=timeframe, table=table, now=now
    )
    merged = [merge(store, *pair) for pair in zip(series, instruments, strict=True)]
    return report, merged


def merge(store: BarStore, bars: BarArrays, instrument: Instrument) -> MergeReport:
    """Add bars to a stored series; a stored bar is never replaced by a different one.

    When the ticks or lots of the two differ, both are kept in the finer step.
    """
    found = store.read(instrument.id, bars.timeframe)
    if found is None:
        store.write(bars, instrument)
        return MergeReport(instrument.id, bars.timeframe, len(bars), 0, (), len(bars))
    old, known = found
    common = replace(
        known if known.tick_size <= instrument.tick_size else instrument,
        tick_size=min(known.tick_size, instrument.tick_size),
        lot_size=min(known.lot_size, instrument.lot_size),
    )
    old, new = rescaled(old, known, common), rescaled(bars, instrument, common)
    fresh = ~np.isin(new.ts_event, old.ts_event)
    conflicts = _conflicts(old, new)
    added = int(fresh.sum())
    if added or common != known:
        old = _joined(old, _rows(new, fresh))
        store.write(old, common)
    repeated = len(new) - added - len(conflicts)
    return MergeReport(common.id, new.timeframe, added, repeated, conflicts, len(old))


def rescaled(bars: BarArrays, known: Instrument, wanted: Instrument) -> BarArrays:
    """Return the same prices and volumes counted in the steps of another definition.

    Raises
    ------
    DataIntegrityError
        If the wanted steps do not divide the present ones.
    """
    factors = (known.tick_size / wanted.tick_size, known.lot_size / wanted.lot_size)
    if any(factor % 1 for factor in factors):
        raise DataIntegrityError(
            f"{bars.instrument}: stored steps were {known.tick_size} and {known.lot_size}; "
            f"expected multiples of {wanted.tick_size} and {wanted.lot_size}"
        )
    price, volume = (int(factor) for factor in factors)
    return replace(
        bars,
        open=bars.open * price,
        high=bars.high * price,
        low=bars.low * price,
        close=bars.close * price,
        volume=bars.volume * volume,
    )


def stored_feed(
    store: BarStore,
    symbols: Sequence[str] = (),
    timeframe: str = "",
    declared: DataDeclaration = UNDECLARED_DATA,
) -> BarFeed:
    """Return a feed over stored bars.

    Parameters
    ----------
    store : BarStore
        Where the bars are kept.
    symbols : sequence of str
        Which instruments; all that have the timeframe when empty.
    timeframe : str
        Which timeframe; may be empty when the chosen series have only one.
    declared : DataDeclaration
        What is declared about the stored bars.

    Raises
    ------
    ConfigError
        If a series is not stored, or the timeframe is in doubt.
    """
    series = store.series()
    if not series:
        raise ConfigError("nothing is stored; `tidewright data fetch` or `data import` adds bars")
    known = {name for name, _ in series}
    for name in symbols:
        if name not in known:
            raise ConfigError(f"symbol was {name!r}{nearest(name, known)}; expected a stored one")
    chosen = [one for one in series if not symbols or one[0] in symbols]
    timeframes = sorted({one[1] for one in chosen})
    if not timeframe and len(timeframes) != 1:
        raise ConfigError(
            f"stored timeframes were {', '.join(timeframes)}; choose one with --timeframe"
        )
    timeframe = timeframe or timeframes[0]
    names = symbols or [name for name, kept in chosen if kept == timeframe]
    found = [_stored(store, name, timeframe) for name in names]
    count = sum(len(bars) for bars, _ in found)
    return BarFeed(
        [bars for bars, _ in found],
        [with_sector(instrument, declared) for _, instrument in found],
        f"stored history: {count} bars of {timeframe}, {', '.join(names[:5])}",
        declaration=declared,
    )


def list_series(store: BarStore) -> list[StoredSeries]:
    """Return one line for each stored series."""
    found = []
    for name, timeframe in store.series():
        bars, instrument = _stored(store, name, timeframe)
        found.append(
            StoredSeries(
                instrument=name,
                timeframe=timeframe,
                bars=len(bars),
                first=int(bars.ts_event[0]) if len(bars) else 0,
                last=int(bars.ts_event[-1]) if len(bars) else 0,
                missing=_gaps(bars, instrument).missing,
                tick_size=f"{instrument.tick_size:f}",
                lot_size=f"{instrument.lot_size:f}",
                source=instrument.source,
            )
        )
    return found


def verify(store: BarStore) -> list[VerifyReport]:
    """Check every stored series against the rules that every bar was accepted by."""
    reports = []
    for name, timeframe in store.series():
        bars, instrument = _stored(store, name, timeframe)
        faults = tuple(_faults(bars))
        reports.append(VerifyReport(name, timeframe, len(bars), faults, _gaps(bars, instrument)))
    return reports


def export_series(store: BarStore, instrument: str, timeframe: str, path: Path) -> int:
    """Write a stored series as Parquet or CSV, in the form that `load_bars` reads.

    Returns
    -------
    int
        Number of bars written.

    Raises
    ------
    ConfigError
        If the series is not stored, or the file's suffix is neither ``.parquet`` nor ``.csv``.
    """
    import polars as pl

    if path.suffix.lower() not in (".parquet", ".csv"):
        raise ConfigError(f"export file was {path}; expected a name ending in .parquet or .csv")
    bars, known = _stored(store, instrument, timeframe)
    price, quantity = known.price_ratio, known.quantity_ratio
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series(bars.ts_event).cast(pl.Datetime("ns", "UTC")),
            "open": _floats(bars.open, price),
            "high": _floats(bars.high, price),
            "low": _floats(bars.low, price),
            "close": _floats(bars.close, price),
            "volume": _floats(bars.volume, quantity),
            "symbol": [instrument] * len(bars),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".csv":
        frame.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv(path)
    else:
        frame.write_parquet(path, compression="zstd")
    return len(bars)


def _stored(store: BarStore, name: str, timeframe: str) -> tuple[BarArrays, Instrument]:
    found = store.read(name, timeframe)
    if found is None:
        known = [" ".join(one) for one in store.series()]
        raise ConfigError(
            f"series was {name} {timeframe}; expected a stored one"
            f"{nearest(f'{name} {timeframe}', known)}"
        )
    return found


def _gaps(bars: BarArrays, instrument: Instrument) -> GapReport:
    sessions = trades_in_sessions(instrument.asset_class)
    return find_gaps(bars.instrument, bars.timeframe, bars.ts_event, sessions=sessions)


def _faults(bars: BarArrays) -> Iterator[str]:
    prices = np.column_stack((bars.open, bars.high, bars.low, bars.close))
    late = np.concatenate(([False], np.diff(bars.ts_event) <= 0))
    length = timeframe_nanoseconds(bars.timeframe)
    checks = (
        ("its time is not after the bar before", late),
        ("it is not known at its close", bars.ts_known - bars.ts_event != length),
        ("a price is not above 0", prices.min(axis=1, initial=1) <= 0),
        ("volume is below 0", bars.volume < 0),
        ("high is below another price", bars.high < prices.max(axis=1, initial=0)),
        ("low is above open or close", bars.low > np.minimum(bars.open, bars.close)),
    )
    for text, broken in checks:
        for row in np.flatnonzero(broken).tolist():
            yield f"bar {row + 1}, {iso(int(bars.ts_event[row]))}: {text}"


def _conflicts(old: BarArrays, new: BarArrays) -> tuple[DataDefect, ...]:
    _, left, right = np.intersect1d(
        old.ts_event, new.ts_event, assume_unique=True, return_indices=True
    )
    differs = np.zeros(len(left), np.bool_)
    for name in ("open", "high", "low", "close", "volume"):
        differs |= getattr(old, name)[left] != getattr(new, name)[right]
    return tuple(
        DataDefect(
            new.instrument,
            int(new.ts_event[row]),
            "conflict",
            "bar differs from the stored one of the same time, which was kept",
        )
        for row in right[differs].tolist()
    )


def _rows(bars: BarArrays, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> BarArrays:
    return BarArrays(
        bars.instrument,
        bars.timeframe,
        *(getattr(bars, name)[chosen] for name in _COLUMNS),
    )


def _joined(old: BarArrays, new: BarArrays) -> BarArrays:
    order = np.argsort(np.concatenate((old.ts_event, new.ts_event)), kind="stable")
    columns = (np.concatenate((getattr(old, name), getattr(new, name)))[order] for name in _COLUMNS)
    return BarArrays(old.instrument, old.timeframe, *columns)


def _floats(steps: Int64, ratio: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    numerator, denominator = ratio
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = steps * numerator / denominator
    return values
