"""Bars in Parquet files, one per month, replaced as whole series or not at all.

A folder per series holds ``series.json``, which names the instrument's definition and the month
files; a file's name carries a digest of its content. Writing a series writes the months that
changed under new names, then replaces ``series.json`` in one step, then removes what it no longer
names. Whatever moment a process dies at, the series is the old one or the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import orjson

from tidewright.domain.codec import SCHEMA_VERSION, plain, untag
from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.instrument import Instrument
from tidewright.domain.time import iso
from tidewright.market.arrays import BarArrays
from tidewright.storage.files import replace_atomically, write_atomically

if TYPE_CHECKING:
    import polars as pl

_VERSION = 1
_MANIFEST = "series.json"
_COLUMNS = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class BarRange:
    """What is stored of one series.

    Parameters
    ----------
    instrument, timeframe : str
        The series.
    rows : int
        Number of bars.
    first, last : int
        Open times of the first and last bar, nanoseconds UTC; 0 for an empty series.
    """

    instrument: str
    timeframe: str
    rows: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Part:
    file: str
    rows: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Series:
    instrument: Instrument
    timeframe: str
    parts: tuple[_Part, ...]


class ParquetBars:
    """The bar store of a home.

    Parameters
    ----------
    root : Path
        Its folder; made when the first series is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, bars: BarArrays, instrument: Instrument) -> None:
        """Replace the stored series of this instrument and timeframe.

        Parameters
        ----------
        bars : BarArrays
            The whole series, in time order, in the steps of ``instrument``.
        instrument : Instrument
            What the steps are.

        Raises
        ------
        ConfigError
            If the bars are of another instrument or not in time order.
        Transient
            If the files cannot be written now, as on a full disk; the old series stays.
        """
        if bars.instrument != instrument.id:
            raise ConfigError(f"bars were of {bars.instrument!r}; expected {instrument.id!r}")
        if len(bars) > 1 and int(np.diff(bars.ts_event).min()) <= 0:
            raise ConfigError(f"{instrument.id}: bars were not in time order; expected them so")
        folder = self._folder(instrument.id, bars.timeframe)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Transient(f"{folder}: cannot be made: {error}") from error
        parts = [self._write_part(folder, month) for month in _months(bars)]
        manifest = {
            "version": _VERSION,
            "schema": SCHEMA_VERSION,
            "instrument": instrument,
            "timeframe": bars.timeframe,
            "parts": parts,
        }
        data = orjson.dumps(manifest, default=plain, option=orjson.OPT_INDENT_2)
        write_atomically(folder / _MANIFEST, data + b"\n")
        _remove_unnamed(folder, {part.file for part in parts})

    def _write_part(self, folder: Path, bars: BarArrays) -> _Part:
        first, last = int(bars.ts_event[0]), int(bars.ts_event[-1])
        name = f"{iso(first)[:7]}-{_digest(bars)}.parquet"
        part = _Part(name, len(bars), first, last)
        if not _is_intact(folder, bars, part):
            frame = _frame(bars)
            replace_atomically(
                folder / name, lambda path: frame.write_parquet(path, compression="zstd")
            )
        return part

    def read(self, instrument: str, timeframe: str) -> tuple[BarArrays, Instrument] | None:
        """Return a stored series and its definition, None when there is none.

        Raises
        ------
        DataIntegrityError
            If a file is missing or differs from what was written.
        """
        folder = self._folder(instrument, timeframe)
        series = _load(folder)
        if series is None:
            return None
        try:
            return _bars(folder, series), series.instrument
        except FileNotFoundError:
            # A writer may have replaced the series since its description was read.
            again = _load(folder)
        if again is None or again == series:
            raise DataIntegrityError(
                f"{folder}: a file that {_MANIFEST} names is missing; "
                "remove the folder and import the series again"
            )
        return _bars(folder, again), again.instrument

    def series(self) -> Sequence[tuple[str, str]]:
        """Return instrument and timeframe of every stored series, in order."""
        return [(found.instrument, found.timeframe) for found in self.ranges()]

    def ranges(self) -> Sequence[BarRange]:
        """Return what is stored of every series, in order, without reading a bar."""
        found = [
            BarRange(
                series.instrument.id,
                series.timeframe,
                sum(part.rows for part in series.parts),
                series.parts[0].first if series.parts else 0,
                series.parts[-1].last if series.parts else 0,
            )
            for path in self.root.glob(f"*/*/{_MANIFEST}")
            if (series := _load(path.parent)) is not None
        ]
        return sorted(found, key=lambda one: (one.instrument, one.timeframe))

    def _folder(self, instrument: str, timeframe: str) -> Path:
        return self.root / _safe(instrument) / _safe(timeframe)


def _safe(name: str) -> str:
    """Return a name that is one plain folder on every system, different for different names."""
    if not name:
        raise ConfigError("name of a series was empty; expected an instrument and a timeframe")
    return quote(name, safe="").replace(".", "%2E").replace("~", "%7E")


def _months(bars: BarArrays) -> Iterator[BarArrays]:
    if not len(bars):
        return
    months = bars.ts_event.astype("datetime64[ns]").astype("datetime64[M]")
    edges = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(bars)]
    for start, stop in pairwise(edges):
        yield bars.slice(start, stop)


def _digest(bars: BarArrays) -> str:
    digest = blake2b(digest_size=8)
    for name in _COLUMNS:
        digest.update(getattr(bars, name).astype("<i8").tobytes())
    return digest.hexdigest()


def _frame(bars: BarArrays) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame({name: getattr(bars, name) for name in _COLUMNS})


def _load(folder: Path) -> _Series | None:
    path = folder / _MANIFEST
    try:
        data: Mapping[str, Any] = orjson.loads(path.read_bytes())
        if data["version"] > _VERSION:
            raise ConfigError(
                f"{path}: version was {data['version']}; expected at most {_VERSION}: "
                "use a newer build"
            )
        instrument = untag("Instrument", data["instrument"], data["schema"])
        parts = tuple(_Part(**part) for part in data["parts"])
        return _Series(instrument, data["timeframe"], parts)
    except FileNotFoundError:
        return None
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise DataIntegrityError(
            f"{path}: it is no description of a series ({error!r}); "
            "remove the folder and import the series again"
        ) from error


def _bars(folder: Path, series: _Series) -> BarArrays:
    name, timeframe = series.instrument.id, series.timeframe
    loaded = [_load_part(folder, name, timeframe, part) for part in series.parts]
    empty = np.empty(0, np.int64)
    columns = (
        np.concatenate([empty, *(getattr(part, column) for part in loaded)]) for column in _COLUMNS
    )
    return BarArrays(name, timeframe, *columns)


def _load_part(folder: Path, instrument: str, timeframe: str, part: _Part) -> BarArrays:
    import polars as pl

    path = folder / part.file
    try:
        frame = pl.read_parquet(path, columns=list(_COLUMNS))
        columns = [frame[name].to_numpy().astype(np.int64, casting="safe") for name in _COLUMNS]
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise DataIntegrityError(
            f"{path}: cannot be read ({error}); remove its folder and import the series again"
        ) from error
    bars = BarArrays(instrument, timeframe, *columns)
    if f"{part.file[:7]}-{_digest(bars)}.parquet" != part.file:
        raise DataIntegrityError(
            f"{path}: its bars differ from those that were written; "
            "remove its folder and import the series again"
        )
    return bars


def _is_intact(folder: Path, bars: BarArrays, part: _Part) -> bool:
    try:
        _load_part(folder, bars.instrument, bars.timeframe, part)
    except (FileNotFoundError, DataIntegrityError):
        return False
    return True


def _remove_unnamed(folder: Path, named: set[str]) -> None:
    for path in folder.glob("*.parquet"):
        if path.name not in named:
            path.unlink(missing_ok=True)
