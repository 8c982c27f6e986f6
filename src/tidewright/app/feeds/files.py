"""Bars from Parquet and CSV files: checked, converted exactly, reported, and replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tidewright.app.declarations import read_declaration, with_sector
from tidewright.app.feeds.bars import UNDECLARED_DATA, BarFeed, TimedDefect
from tidewright.app.feeds.tables import (
    RawSeries,
    detect_timeframe,
    find_files,
    read_table,
    states_other_timeframe,
)
from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.events import DatumQuarantined
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import DataDefect
from tidewright.domain.time import iso, timeframe_nanoseconds
from tidewright.market.arrays import BarArrays
from tidewright.market.declaration import DataDeclaration
from tidewright.market.gaps import GapReport, find_gaps, trades_in_sessions
from tidewright.market.instruments import Inference, InstrumentTable, load_table, snapped
from tidewright.market.validation import BarRules, CheckedBars, check_bars


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """What became of one symbol's rows.

    Parameters
    ----------
    instrument, timeframe, source : str
        The series and the file that it came from.
    rows, accepted : int
        Rows read and rows fit to trade on.
    first, last : int
        Open times of the first and last accepted bar, nanoseconds UTC; 0 without one.
    reversed : bool
        True when the file ran from new to old and was turned round.
    prices_rounded, volumes_rounded : int
        Prices that lost digits beyond the eighth decimal; volumes rounded to whole lots.
    inferred : tuple of Inference
        Properties of the instrument that no file states.
    defects : tuple of DataDefect
        Rows that were kept out.
    gaps : GapReport
        Absent bars.
    """

    instrument: str
    timeframe: str
    source: str
    rows: int
    accepted: int
    first: int
    last: int
    reversed: bool
    prices_rounded: int
    volumes_rounded: int
    inferred: tuple[Inference, ...]
    defects: tuple[DataDefect, ...]
    gaps: GapReport

    def lines(self) -> list[str]:
        """Return what a person should know, one fact a line."""
        span = f", {iso(self.first)} to {iso(self.last)}" if self.accepted else ""
        found = [f"{self.instrument} {self.timeframe}: {self.accepted} of {self.rows} bars{span}"]
        if self.reversed:
            found.append(f"{self.instrument}: the file ran from new to old; it was turned round")
        if self.prices_rounded:
            found.append(
                f"{self.instrument}: {self.prices_rounded} prices were rounded to eight decimals"
            )
        if self.volumes_rounded:
            found.append(
                f"{self.instrument}: {self.volumes_rounded} volumes were rounded to whole lots"
            )
        found += [f"inferred {item}" for item in self.inferred]
        counts: dict[str, int] = {}
        for defect in self.defects:
            counts[defect.rule] = counts.get(defect.rule, 0) + 1
        found += [
            f"{self.instrument}: {count} rows kept out by {rule}, first: "
            + next(one.detail for one in self.defects if one.rule == rule)
            for rule, count in counts.items()
        ]
        if self.gaps.gaps:
            found.append(self.gaps.summary())
        return found


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load found out, to be printed and to be stored beside every result.

    Parameters
    ----------
    source : str
        File or folder.
    timeframe : str
        Timeframe of all series.
    instrument_table : str
        Version of the instrument table that was used.
    series : tuple of SeriesReport
        One per instrument, by id.
    declaration : DataDeclaration
        What is declared about the data.
    """

    source: str
    timeframe: str
    instrument_table: str
    series: tuple[SeriesReport, ...]
    declaration: DataDeclaration = UNDECLARED_DATA

    @property
    def first_known(self) -> int:
        """When the first accepted bar was known, nanoseconds UTC; 0 without one."""
        firsts = [one.first for one in self.series if one.accepted]
        return min(firsts) + timeframe_nanoseconds(self.timeframe) if firsts else 0

    @property
    def accepted(self) -> int:
        """Number of bars that were accepted."""
        return sum(one.accepted for one in self.series)

    @property
    def inferred(self) -> tuple[Inference, ...]:
        """Everything that was inferred."""
        return tuple(item for one in self.series for item in one.inferred)

    @property
    def defects(self) -> tuple[DataDefect, ...]:
        """Every row that was kept out."""
        return tuple(defect for one in self.series for defect in one.defects)

    def lines(self) -> list[str]:
        """Return what a person should know, one fact a line."""
        found = [line for one in self.series for line in one.lines()]
        return [*found, *self.declaration.lines(self.first_known)]

    def as_dict(self) -> dict[str, object]:
        """Return the report as JSON-able values."""
        return {
            "source": self.source,
            "timeframe": self.timeframe,
            "instrument_table": self.instrument_table,
            "series": [asdict(one) for one in self.series],
            "declaration": self.declaration.as_dict(),
        }


def load_bars(
    path: Path,
    symbols: Sequence[str] = (),
    *,
    timeframe: str = "",
    table: InstrumentTable | None = None,
    rules: BarRules | None = None,
    now: int = 0,
) -> tuple[list[BarArrays], list[Instrument], LoadReport]:
    """Load a file or a folder of files.

    Parameters
    ----------
    path : Path
        Parquet or CSV file, or a folder of them.
    symbols : sequence of str
        Which symbols; all when empty. Names the series of a file without a ``symbol`` column.
    timeframe : str
        Timeframe of the bars; empty tells it from the data.
    table : InstrumentTable or None
        Instruments; the shipped ones when None.
    rules : BarRules or None
        Limits of the checks; age is never checked in history.
    now : int
        Time of loading, nanoseconds UTC: bars that close later are kept out. 0 leaves this
        unchecked.

    Returns
    -------
    list of BarArrays, list of Instrument, LoadReport
        Accepted bars and their instruments, by id, and what there is to know about them.

    Raises
    ------
    ConfigError
        If a file cannot be used; the text names file, column and row.
    """
    loaded = _load(path, symbols, timeframe, table or load_table(), rules or BarRules(), now)
    return (
        [one.checked.bars for one in loaded],
        [one.instrument for one in loaded],
        _report(path, loaded, table or load_table()),
    )


class FileFeed(BarFeed):
    """Replay a file or a folder of files.

    Parameters
    ----------
    path, symbols, timeframe, table, rules, now
        As in `load_bars`.
    """

    def __init__(
        self,
        path: Path,
        symbols: Sequence[str] = (),
        *,
        timeframe: str = "",
        table: InstrumentTable | None = None,
        rules: BarRules | None = None,
        now: int = 0,
    ) -> None:
        table = table or load_table()
        loaded = _load(path, symbols, timeframe, table, rules or BarRules(), now)
        self.report = _report(path, loaded, table)
        declared = self.report.declaration
        names = [one.instrument.id for one in loaded]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        super().__init__(
            [one.checked.bars for one in loaded],
            [one.instrument for one in loaded],
            f"{path}: {self.report.accepted} bars of {self.report.timeframe}, {shown}",
            [defect for one in loaded for defect in _timed(one)],
            declared,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    series: RawSeries
    reversed: bool
    instrument: Instrument
    inferred: tuple[Inference, ...]
    prices_rounded: int
    checked: CheckedBars
    declaration: DataDeclaration

    def defects(self) -> list[tuple[int, DataDefect]]:
        where = Path(self.series.source).name
        return [
            (row, replace(defect, detail=f"{where} row {self.series.rows[row]}: {defect.detail}"))
            for row, defect in self.checked.defects
        ]


def _load(
    path: Path,
    symbols: Sequence[str],
    timeframe: str,
    table: InstrumentTable,
    rules: BarRules,
    now: int,
) -> list[_Loaded]:
    by_file = _read(path, symbols, timeframe)
    series = [one for found in by_file for one in found]
    _refuse_repeats(series)
    frames = {timeframe or detect_timeframe(found) for found in by_file if found}
    if len(frames) != 1:
        raise ConfigError(f"{path}: timeframes were {sorted(frames)}; expected files of one")
    timeframe = frames.pop()
    timeframe_nanoseconds(timeframe)
    history = replace(rules, max_data_age_minutes=0)
    declared = read_declaration(path)
    loaded = [_check(one, timeframe, table, history, now, declared) for one in series]
    return sorted(loaded, key=lambda one: one.instrument.id)


def _read(path: Path, symbols: Sequence[str], timeframe: str) -> list[list[RawSeries]]:
    """Return the wanted series of each file; in a folder a file's stem can name its symbol."""
    files = find_files(path)
    if path.is_dir():
        files = [one for one in files if not states_other_timeframe(one, timeframe)] or files
    if not path.is_dir() or not symbols:
        return [read_table(one, symbols) for one in files]
    read = [read_table(one) for one in files]
    known = {series.symbol for found in read for series in found}
    for name in symbols:
        if name not in known:
            raise ConfigError(
                f"{path}: symbol was {name!r}; expected one of its {len(known)} symbols"
                f"{nearest(name, known)}"
            )
    return [[series for series in found if series.symbol in symbols] for found in read]


def _refuse_repeats(series: Sequence[RawSeries]) -> None:
    sources: dict[str, str] = {}
    for one in series:
        if one.symbol in sources:
            raise ConfigError(
                f"symbol {one.symbol} was in {sources[one.symbol]} and in {one.source}; "
                "expected each symbol in one file"
            )
        sources[one.symbol] = one.source


def _check(
    series: RawSeries,
    timeframe: str,
    table: InstrumentTable,
    rules: BarRules,
    now: int,
    declared: DataDeclaration,
) -> _Loaded:
    times = series.raw.ts_event
    backwards = len(times) > 1 and bool(np.all(times[1:] < times[:-1]))
    if backwards:
        raw = series.raw
        turned = replace(
            raw, ts_event=times[::-1], prices=raw.prices[::-1], volume=raw.volume[::-1]
        )
        series = replace(series, raw=turned, rows=series.rows[::-1])
    instrument, inferred = table.resolve(series.symbol, series.raw)
    instrument = with_sector(instrument, declared)
    raw, rounded = snapped(series.raw, instrument.tick_size)
    checked = check_bars(raw, instrument, timeframe, rules, now)
    return _Loaded(series, backwards, instrument, inferred, rounded, checked, declared)


def _report(path: Path, loaded: Sequence[_Loaded], table: InstrumentTable) -> LoadReport:
    reports = tuple(_series_report(one) for one in loaded)
    return LoadReport(
        str(path), reports[0].timeframe, table.version, reports, loaded[0].declaration
    )


def _series_report(one: _Loaded) -> SeriesReport:
    bars = one.checked.bars
    sessions = trades_in_sessions(one.instrument.asset_class)
    return SeriesReport(
        instrument=one.instrument.id,
        timeframe=bars.timeframe,
        source=one.series.source,
        rows=len(one.series.raw),
        accepted=len(bars),
        first=int(bars.ts_event[0]) if len(bars) else 0,
        last=int(bars.ts_event[-1]) if len(bars) else 0,
        reversed=one.reversed,
        prices_rounded=one.prices_rounded,
        volumes_rounded=one.checked.volumes_rounded,
        inferred=one.inferred,
        defects=tuple(defect for _, defect in one.defects()),
        gaps=find_gaps(bars.instrument, bars.timeframe, bars.ts_event, sessions=sessions),
    )


def _timed(one: _Loaded) -> list[TimedDefect]:
    """Return the defects with the time of the slice that reports each.

    A defect comes to light when its bar would have closed, but not before the row above it in the
    file was known, and at the latest with the row below it: its own time may be what is wrong.
    """
    bars = one.checked.bars
    good = np.flatnonzero(one.checked.verdicts == 0)
    length = timeframe_nanoseconds(bars.timeframe)
    found: list[TimedDefect] = []
    for row, defect in one.defects():
        place = int(np.searchsorted(good, row))
        time = defect.ts_event + length
        if place < len(good):
            time = min(time, int(bars.ts_known[place]))
        elif len(good):
            time = int(bars.ts_known[-1])
        if place:
            time = max(time, int(bars.ts_known[place - 1]))
        found.append((time, DatumQuarantined(defect)))
    return found
