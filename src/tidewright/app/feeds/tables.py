"""Reading files of bars into raw columns, with errors that name the place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.time import SECOND, timeframe_label
from tidewright.market.arrays import Int64
from tidewright.market.validation import RawBars

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".parquet", ".csv", ".feather", ".json")
"""Kinds of file that are read; JSON as lists of time, open, high, low, close, volume."""
_FOLDER_SUFFIXES = (".parquet", ".csv", ".feather")
_JSON_COLUMNS = ("date", "open", "high", "low", "close", "volume")
_PAIR = re.compile(r"(?P<pair>\w+)-(?P<timeframe>\d+[smhdw])(?P<kind>-futures|-spot)?")
_OTHER_CANDLES = re.compile(r"\w+-\d+[smhdwM]-(mark|index|premiumIndex|funding_rate)")

_PRICES = ("open", "high", "low", "close")
_TIMES = ("timestamp", "date", "datetime", "time", "open_time")
_TIME_FORMS = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
)
_DATE_NUMBERS = (19_000_101, 22_001_231)
# Epoch numbers carry no unit; each bound lies far beyond any date of the finer unit.
_EPOCH_UNITS = ((10**11, SECOND), (10**14, 10**6), (10**17, 10**3), (2**63, 1))


@dataclass(frozen=True, slots=True, eq=False)
class RawSeries:
    """The rows of one symbol in one file.

    Parameters
    ----------
    symbol : str
        Name of the instrument.
    raw : RawBars
        Its rows, in the file's order.
    rows : int64 array of shape (n_bars,)
        Row of each in the file, the first data row being 1.
    source : str
        The file.
    """

    symbol: str
    raw: RawBars
    rows: Int64
    source: str


def find_files(path: Path) -> Sequence[Path]:
    """Return the data files that a path stands for: itself, or those of a folder.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if path.is_dir():
        found = sorted(one for one in path.iterdir() if _holds_bars(one))
        if not found:
            raise ConfigError(f"{path}: folder held no file of {' or '.join(SUFFIXES)}")
        return found
    if not path.exists():
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        hint = nearest(path.name, [one.name for one in beside])
        raise ConfigError(f"{path}: no such file{hint}")
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path}: kind of file was {path.suffix or 'without suffix'!r}; "
            f"expected {' or '.join(SUFFIXES)}"
        )
    return (path,)


def _holds_bars(path: Path) -> bool:
    """Return whether a file of a folder is one of bars; JSON only as freqtrade names its own."""
    kind = path.suffix.lower()
    if _OTHER_CANDLES.fullmatch(path.stem):
        return False
    return kind in _FOLDER_SUFFIXES or (kind == ".json" and bool(_PAIR.fullmatch(path.stem)))


def states_other_timeframe(path: Path, timeframe: str) -> bool:
    """Return whether a file's name states a timeframe, and another one than is wanted."""
    found = _PAIR.fullmatch(path.stem)
    return bool(timeframe) and found is not None and found["timeframe"] != timeframe


def series_name(path: Path) -> str:
    """Return the symbol that a file's name states: ``BTC_USDT-5m.feather`` is BTC/USDT.

    Data folders of freqtrade name files by pair and timeframe; the settlement currency of futures
    comes third (``BTC_USDT_USDT-1h-futures``). Every other name stands for itself.
    """
    found = _PAIR.fullmatch(path.stem)
    if found is None or path.suffix.lower() not in {".feather", ".json"}:
        return path.stem
    base, _, rest = found["pair"].partition("_")
    quote, _, settled = rest.partition("_")
    return f"{base}/{quote}" + (f":{settled}" if settled else "") if quote else base


def read_table(path: Path, symbols: Sequence[str] = ()) -> list[RawSeries]:
    """Read one file.

    Parameters
    ----------
    path : Path
        A Parquet, CSV or Feather file with columns ``timestamp`` or ``date``, ``open``, ``high``,
        ``low``, ``close``, ``volume`` and perhaps ``symbol``; capital letters do not matter. JSON
        holds rows of those six.
    symbols : sequence of str
        With a ``symbol`` column: the only ones to read, all when empty. Without: the name of the
        single series, `series_name` when empty.

    Raises
    ------
    ConfigError
        If the file cannot be read, a column is missing, or a cell is no number or time; the text
        names file, column and row.
    """
    import polars as pl

    try:
        frame = _read_frame(path)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise ConfigError(f"{path}: could not be read: {error}") from error
    names = _column_names(path, frame.columns)
    times = times_of(path, frame[names["time"]])
    prices = np.column_stack([numbers_of(path, frame[names[name]]) for name in _PRICES])
    raw = RawBars(times, prices, numbers_of(path, frame[names["volume"]]))
    rows = np.arange(1, len(raw) + 1, dtype=np.int64)
    if "symbol" not in names:
        if len(symbols) > 1:
            raise ConfigError(
                f"{path}: symbols were {', '.join(symbols)}; expected one, since the file has no "
                f"column 'symbol' (its columns: {', '.join(frame.columns)})"
            )
        return [RawSeries(symbols[0] if symbols else series_name(path), raw, rows, str(path))]
    return _by_symbol(path, frame[names["symbol"]], raw, symbols)


def _read_frame(path: Path) -> pl.DataFrame:
    import polars as pl

    kind = path.suffix.lower()
    if kind == ".csv":
        return pl.read_csv(path, infer_schema=False)
    if kind == ".parquet":
        return pl.read_parquet(path)
    if kind == ".feather":
        return pl.read_ipc(path)
    rows = orjson.loads(path.read_bytes())
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == len(_JSON_COLUMNS) for row in rows
    ):
        raise ValueError(f"expected a list of rows of {', '.join(_JSON_COLUMNS)}")
    return pl.DataFrame(rows, schema=list(_JSON_COLUMNS), orient="row")


def _column_names(path: Path, columns: Iterable[str]) -> Mapping[str, str]:
    known = {name.strip().lower(): name for name in columns}
    found = {name: known[name] for name in (*_PRICES, "volume", "symbol") if name in known}
    time = next((known[name] for name in _TIMES if name in known), None)
    if time is not None:
        found["time"] = time
    for name in ("time", *_PRICES, "volume"):
        if name not in found:
            wanted = "'timestamp' or 'date'" if name == "time" else repr(name)
            hint = "" if name == "time" else nearest(name, set(known) - set(found))
            raise ConfigError(
                f"{path}: columns were {', '.join(known.values())}; expected {wanted} "
                f"among them{hint}"
            )
    return found


def numbers_of(path: Path, column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a column of numbers, NaN where empty; the error names column and row."""
    import polars as pl

    if column.dtype == pl.String:
        column = column.str.strip_chars()
        column = column.set(column == "", None)
    numbers = column.cast(pl.Float64, strict=False)
    _refuse_unread(path, column, numbers, "a number")
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = numbers.fill_null(np.nan).to_numpy()
    return values


def times_of(path: Path, column: pl.Series) -> Int64:
    """Return a column of times as nanoseconds UTC; the error names column and row."""
    import polars as pl

    if column.dtype == pl.String:
        column = _parsed_times(path, column.str.strip_chars())
    if column.dtype.is_numeric():
        column = column.cast(pl.Int64)
        if not column.is_between(*_DATE_NUMBERS).all():
            return _from_epoch(path, column)
        column = _parsed_times(path, column.cast(pl.String))
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("ms"))
    if not isinstance(column.dtype, pl.Datetime):
        raise ConfigError(
            f"{path}: column {column.name!r} was of type {column.dtype}; expected times or dates"
        )
    _refuse_missing(path, column)
    scale = {"ms": 10**6, "us": 10**3, "ns": 1}[column.dtype.time_unit]
    # Polars keeps zoned times as UTC; times without a zone are read as UTC.
    return column.to_physical().to_numpy().astype(np.int64) * scale


def _parsed_times(path: Path, column: pl.Series) -> pl.Series:
    import polars as pl

    numbers = column.cast(pl.Int64, strict=False)
    if numbers.null_count() == 0 and not numbers.is_between(*_DATE_NUMBERS).all():
        return numbers
    texts = column.str.replace(" ", "T", literal=True)
    first = texts.drop_nulls().head(1)
    for form in _TIME_FORMS:
        if _read_times(first, form).null_count() == 0:
            break
    times = _read_times(texts, form)
    _refuse_unread(path, column, times, "a time such as 2023-01-31T10:00:00Z")
    return times


def _read_times(texts: pl.Series, form: str) -> pl.Series:
    zone = "UTC" if "z" in form else None
    return texts.str.to_datetime(form, time_unit="ns", time_zone=zone, strict=False)


def _from_epoch(path: Path, column: pl.Series) -> Int64:
    _refuse_missing(path, column)
    values: Int64 = column.to_numpy().astype(np.int64)
    largest = int(np.abs(values).max(initial=0))
    return values * next(scale for bound, scale in _EPOCH_UNITS if largest < bound)


def _refuse_missing(path: Path, column: pl.Series) -> None:
    if column.null_count():
        row = column.is_null().arg_max()
        raise ConfigError(
            f"{path}: column {column.name!r}, row {(row or 0) + 1}: the time was missing"
        )


def _refuse_unread(path: Path, before: pl.Series, after: pl.Series, wanted: str) -> None:
    lost = after.is_null() & before.is_not_null()
    if lost.any():
        row = lost.arg_max() or 0
        raise ConfigError(
            f"{path}: column {before.name!r}, row {row + 1}: value was {before[row]!r}; "
            f"expected {wanted}"
        )


def _by_symbol(
    path: Path, column: pl.Series, raw: RawBars, symbols: Sequence[str]
) -> list[RawSeries]:
    if column.null_count():
        row = (column.is_null().arg_max() or 0) + 1
        raise ConfigError(f"{path}: column {column.name!r}, row {row}: the symbol was missing")
    names = column.unique().sort()
    known = [str(name) for name in names.to_list()]
    codes = column.rank("dense").to_numpy().astype(np.int64) - 1
    for name in symbols:
        if name not in known:
            raise ConfigError(
                f"{path}: symbol was {name!r}; expected one of its {len(known)} symbols"
                f"{nearest(name, known)}"
            )
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(known) + 1))
    found = []
    for index, name in enumerate(known):
        if symbols and name not in symbols:
            continue
        rows = order[bounds[index] : bounds[index + 1]]
        part = RawBars(raw.ts_event[rows], raw.prices[rows], raw.volume[rows])
        found.append(RawSeries(name, part, rows + 1, str(path)))
    return found


def detect_timeframe(series: Sequence[RawSeries]) -> str:
    """Return the most frequent distance between neighbouring rows.

    Raises
    ------
    ConfigError
        If no symbol has two rows of different times.
    """
    steps = [np.diff(one.raw.ts_event) for one in series]
    found = np.abs(np.concatenate(steps)) if steps else np.zeros(0, np.int64)
    values, counts = np.unique(found[found > 0], return_counts=True)
    if not len(values):
        raise ConfigError(
            f"{series[0].source if series else 'no file'}: timeframe could not be told from "
            "fewer than two bars; expected it to be given, such as '1m'"
        )
    return timeframe_label(int(values[np.argmax(counts)]))
