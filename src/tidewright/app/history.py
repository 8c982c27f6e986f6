"""Fetching market history into the store of a home, resumable and without silent gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tidewright.app.data import BarStore, merge
from tidewright.domain.errors import ConfigError
from tidewright.domain.market import DataDefect
from tidewright.domain.time import DAY, iso, timeframe_nanoseconds
from tidewright.market.gaps import GapReport, find_gaps
from tidewright.market.instruments import Inference, InstrumentTable, load_table, snapped
from tidewright.market.validation import BarRules, RawBars, check_bars

YEAR = 365 * DAY
"""Span of the first fetch, nanoseconds."""

_PAGES_PER_WRITE = 50


PageFetcher = Callable[[str, str, int, int, int], Iterator[RawBars]]
"""(symbol, timeframe, start, end, now) -> raw pages of closed bars, such as `fetch_klines`."""

Progress = Callable[[int, int], None]
"""Told (bars seen so far, bars expected) after each page."""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Which bars to fetch.

    Parameters
    ----------
    symbol, timeframe : str
        The series.
    now : int
        Present time, nanoseconds UTC.
    start, end : int
        Span of open times, nanoseconds UTC; 0 means a year before ``end``, and ``now``.
    """

    symbol: str
    timeframe: str
    now: int
    start: int = 0
    end: int = 0

    def span(self) -> tuple[int, int]:
        """Return the span in whole bars.

        Raises
        ------
        ConfigError
            If it holds none.
        """
        length = timeframe_nanoseconds(self.timeframe)
        end = (self.end or self.now) // length * length
        start = -(-(self.start or end - YEAR) // length) * length
        if start >= end:
            raise ConfigError(
                f"span was {iso(start)} to {iso(end)}; expected at least one bar of "
                f"{self.timeframe}"
            )
        return start, end


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch brought.

    Parameters
    ----------
    instrument, timeframe : str
        The series.
    start, end : int
        The span that was asked for, nanoseconds UTC.
    pages, added, repeated, bars : int
        Pages read, new bars, bars that came twice, bars stored now.
    prices_rounded, volumes_rounded : int
        Prices that lost digits beyond the eighth decimal; volumes rounded to whole lots.
    inferred : tuple of Inference
        Properties of the instrument that no file states.
    defects : tuple of DataDefect
        Bars that were kept out or contradict stored ones.
    gaps : GapReport
        Bars that are absent at the source as well.
    """

    instrument: str
    timeframe: str
    start: int
    end: int
    pages: int
    added: int
    repeated: int
    bars: int
    prices_rounded: int
    volumes_rounded: int
    inferred: tuple[Inference, ...]
    defects: tuple[DataDefect, ...]
    gaps: GapReport


def fetch_history(
    store: BarStore,
    fetch: PageFetcher,
    request: FetchRequest,
    progress: Progress = lambda seen, expected: None,
    table: InstrumentTable | None = None,
) -> FetchReport:
    """Fetch what the store lacks of a span; a broken-off fetch goes on where it stopped.

    Parameters
    ----------
    store : BarStore
        Where to keep the bars.
    fetch : PageFetcher
        The source.
    request : FetchRequest
        Which bars.
    progress : callable
        Told how far it got after each page.
    table : InstrumentTable or None
        Instruments; the shipped ones when None.

    Raises
    ------
    ConfigError
        If the source does not know the symbol or timeframe, or holds no bar of the span.
    Transient
        If the source stopped answering; what came before is stored.
    """
    start, end = request.span()
    intake = _Intake(store, request, table or load_table())
    absent = _absent(store, request, start, end)
    length = timeframe_nanoseconds(request.timeframe)
    expected = sum(last - first for first, last in absent) // length
    try:
        for first, last in absent:
            for page in fetch(request.symbol, request.timeframe, first, last, request.now):
                intake.take(page)
                progress(min(intake.rows, expected), expected)
    finally:
        intake.write()
    progress(expected, expected)
    return intake.report(start, end)


def _absent(store: BarStore, request: FetchRequest, start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans of [start, end) of which no bar is stored."""
    found = store.read(request.symbol, request.timeframe)
    length = timeframe_nanoseconds(request.timeframe)
    if found is None:
        return [(start, end)]
    times = found[0].ts_event
    times = times[(times >= start) & (times < end)]
    edges = np.concatenate(([start - length], times, [end]))
    wide = np.flatnonzero(np.diff(edges) > length)
    return [(int(edges[one]) + length, int(edges[one + 1])) for one in wide]


class _Intake:
    """Takes raw pages, checks them, and writes them in batches."""

    def __init__(self, store: BarStore, request: FetchRequest, table: InstrumentTable) -> None:
        self._store = store
        self._symbol = request.symbol
        self._timeframe = request.timeframe
        self._now = request.now
        self._table = table
        self._pages: list[RawBars] = []
        self._inferred: dict[str, Inference] = {}
        self._defects: list[DataDefect] = []
        self.rows = 0
        self._count = 0
        self._added = 0
        self._repeated = 0
        self._prices_rounded = 0
        self._volumes_rounded = 0

    def take(self, page: RawBars) -> None:
        self._pages.append(page)
        self.rows += len(page)
        self._count += 1
        if len(self._pages) >= _PAGES_PER_WRITE:
            self.write()

    def write(self) -> None:
        if not self._pages:
            return
        raw = RawBars(
            np.concatenate([page.ts_event for page in self._pages]),
            np.concatenate([page.prices for page in self._pages]),
            np.concatenate([page.volume for page in self._pages]),
        )
        self._pages = []
        instrument, inferred = self._table.resolve(self._symbol, raw)
        self._inferred |= {item.field: item for item in inferred}
        raw, rounded = snapped(raw, instrument.tick_size)
        self._prices_rounded += rounded
        rules = BarRules(max_data_age_minutes=0)
        checked = check_bars(raw, instrument, self._timeframe, rules, self._now)
        for _, defect in checked.defects:
            if defect.rule == "duplicate":
                self._repeated += 1
            else:
                self._defects.append(defect)
        self._volumes_rounded += checked.volumes_rounded
        merged = merge(self._store, checked.bars, instrument)
        self._added += merged.added
        self._repeated += merged.repeated
        self._defects += merged.conflicts

    def report(self, start: int, end: int) -> FetchReport:
        found = self._store.read(self._symbol, self._timeframe)
        if found is None:
            raise ConfigError(
                f"{self._symbol} {self._timeframe}: the source held no bar from {iso(start)} to "
                f"{iso(end)}; expected at least one"
            )
        bars, _ = found
        return FetchReport(
            instrument=self._symbol,
            timeframe=self._timeframe,
            start=start,
            end=end,
            pages=self._count,
            added=self._added,
            repeated=self._repeated,
            bars=len(bars),
            prices_rounded=self._prices_rounded,
            volumes_rounded=self._volumes_rounded,
            inferred=tuple(self._inferred.values()),
            defects=tuple(self._defects),
            gaps=find_gaps(self._symbol, self._timeframe, bars.ts_event),
        )
