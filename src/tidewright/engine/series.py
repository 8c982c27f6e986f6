"""What the engine keeps of each instrument: its latest bar, its columns, its strategies' eyes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.features.declarations import ColumnReference
from tidewright.features.streaming import StreamingColumns
from tidewright.features.timeframes import RowColumns
from tidewright.kernels.correlation import returns_correlation
from tidewright.market.aggregation import BarAggregator, aggregate
from tidewright.market.arrays import BarArrays

Float64 = NDArray[np.float64]

CORRELATION_BARS = 120
"""Closes over which two instruments' correlation is measured."""


class Evaluator(Protocol):
    """A strategy bound to the columns of one series."""

    def evaluate(self, current: Float64, previous: Float64) -> Float64:
        """Return the strategy's outputs for the newest row."""


class Strategy(Protocol):
    """A strategy as the engine sees it: a compiled spec, or a class written in Python."""

    @property
    def name(self) -> str:
        """Unique name."""

    @property
    def references(self) -> Sequence[ColumnReference]:
        """Columns that it reads."""

    def evaluator(self, columns: Sequence[ColumnReference]) -> Evaluator:
        """Return the strategy bound to a row layout."""


class Rows(Protocol):
    """The newest two rows of something."""

    @property
    def current(self) -> Float64:
        """Newest row, NaN = unknown."""

    @property
    def previous(self) -> Float64:
        """Row before it."""


@dataclass(slots=True)
class Watch:
    """One strategy watching one series: it is shown the series' rows, or wider ones."""

    index: int
    evaluator: Evaluator
    rows: Rows


class Series:
    """Bars of one instrument in one timeframe, with every column that a strategy reads."""

    __slots__ = (
        "_mixed",
        "aggregator",
        "bars_per_row",
        "closed",
        "columns",
        "instrument",
        "timeframe",
        "watches",
    )

    def __init__(
        self,
        instrument: Instrument,
        feed_timeframe: str,
        timeframe: str,
        strategies: Iterable[tuple[int, Strategy]],
    ) -> None:
        self.instrument = instrument
        self.timeframe = timeframe
        self.aggregator = (
            None if timeframe == feed_timeframe else BarAggregator(instrument, timeframe)
        )
        self.bars_per_row = timeframe_nanoseconds(timeframe) // timeframe_nanoseconds(
            feed_timeframe
        )
        self.closed = 0
        """Bars of this timeframe that closed with the newest bar of the feed."""
        pairs = list(strategies)
        references = {column.own: None for _, strategy in pairs for column in strategy.references}
        self._mixed: RowColumns | None = None
        self.columns: StreamingColumns | RowColumns
        if any(column.timeframe for column in references):
            self._mixed = RowColumns(tuple(references), instrument, feed_timeframe, timeframe)
            self.columns = self._mixed
        else:
            self.columns = StreamingColumns(tuple(references), instrument)
        self.watches = [self._watch(index, strategy) for index, strategy in pairs]

    def _watch(self, index: int, strategy: Strategy) -> Watch:
        layout = self.columns.references
        across = tuple(column for column in strategy.references if column.across)
        rows = WiderRows(self, across) if across else self.columns
        return Watch(index, strategy.evaluator((*layout, *across)), rows)

    def accept(self, bar: Bar) -> bool:
        """Take a bar of the feed; return whether a bar of this timeframe closed with it."""
        aggregator = self.aggregator
        if self._mixed is not None:
            self._mixed.take(bar)
        if aggregator is None:
            self.columns.update(bar)
            self.closed = 1
            return True
        closed = aggregator.update(bar)
        for longer in closed:
            self.columns.update(longer)
        self.closed = len(closed)
        return bool(closed)

    def values(self) -> Iterator[tuple[ColumnReference, float]]:
        """Yield every column with its newest value, cross-sections included."""
        yield from zip(self.columns.references, self.columns.current, strict=True)
        for watch in self.watches:
            if isinstance(watch.rows, WiderRows):
                across = watch.rows.across
                yield from zip(across, watch.rows.current[-len(across) :], strict=True)

    def restore(self, bars: BarArrays) -> None:
        """Reopen from the anchor, the first row of the feed's bars."""
        rows = bars if self.aggregator is None else aggregate(bars, self.timeframe).bars
        if isinstance(self.columns, RowColumns):
            self.columns.restore(rows, bars)
        else:
            self.columns.restore(rows)
        if self.aggregator is None:
            return
        self.aggregator = BarAggregator(self.instrument, self.timeframe)
        # Only the bucket of the last bar can be unfinished; earlier ones are given out and gone.
        for bar in bars.slice(max(0, len(bars) - self.bars_per_row), len(bars)).bars():
            self.aggregator.update(bar)


class WiderRows:
    """Rows of a series with the cross-sections of one strategy behind them.

    Parameters
    ----------
    series : Series
        What the rows are of.
    across : sequence of ColumnReference
        The cross-sections.
    """

    __slots__ = ("_series", "_width", "across", "current", "places", "previous")

    def __init__(self, series: Series, across: Sequence[ColumnReference]) -> None:
        layout = series.columns.references
        self._series = series
        self._width = len(layout)
        self.across = tuple(across)
        self.places = np.array([layout.index(column.own) for column in across], np.int64)
        """Columns of the series that the cross-sections are taken of."""
        self.current: Float64 = np.full(len(layout) + len(across), np.nan)
        self.previous: Float64 = self.current.copy()

    def advance(self, sections: Float64) -> None:
        """Take the cross-sections of the series' newest row."""
        columns, width = self._series.columns, self._width
        self.current, self.previous = self.previous, self.current
        if self._series.closed > 1:
            # The row before was never evaluated, so it was part of no cross-section.
            self.previous[width:] = np.nan
        self.previous[:width] = columns.previous
        self.current[:width] = columns.current
        self.current[width:] = sections

    def restore(self, sections: Float64) -> None:
        """Take the cross-sections of the newest row after the series was restored."""
        self.current[: self._width] = self._series.columns.current
        self.current[self._width :] = sections


class Track:
    """Everything the engine keeps of one instrument."""

    __slots__ = (
        "_closes",
        "_count",
        "history",
        "instrument",
        "last_event",
        "mark",
        "mark_time",
        "ratio",
        "series",
        "tick",
    )

    def __init__(self, instrument: Instrument, series: Sequence[Series], *, keep: bool) -> None:
        self.instrument = instrument
        self.series = tuple(series)
        self.ratio = instrument.value_ratio
        self.tick = instrument.price_ratio
        self.mark = 0
        self.mark_time = 0
        self.last_event = 0
        self.history: list[Bar] | None = [] if keep else None
        self._closes: deque[int] = deque(maxlen=CORRELATION_BARS)
        self._count = 0

    def accept(self, bar: Bar, touched: list[tuple[Track, Series]]) -> None:
        """Take a bar: mark, columns, history; append each series that gained a row."""
        self.mark = bar.close
        self.mark_time = bar.ts_known
        self.last_event = bar.ts_event
        self._closes.append(bar.close)
        self._count += 1
        if self.history is not None:
            self.history.append(bar)
        for series in self.series:
            if series.accept(bar):
                touched.append((self, series))

    @property
    def bars(self) -> int:
        """Number of bars of the feed so far."""
        return self._count

    def closes(self) -> NDArray[np.int64]:
        """Return the latest closes in ticks, oldest first, at most `CORRELATION_BARS`."""
        return np.array(self._closes, np.int64)

    def restore(self, bars: BarArrays) -> None:
        """Reopen from the anchor; afterwards everything is as if the bars had streamed in."""
        count = len(bars)
        if not count:
            return
        self.mark = int(bars.close[-1])
        self.mark_time = int(bars.ts_known[-1])
        self.last_event = int(bars.ts_event[-1])
        self._count = count
        self._closes.extend(bars.close[-CORRELATION_BARS:].tolist())
        for series in self.series:
            series.restore(bars)


def correlation_of(tracks: Mapping[str, Track]) -> Callable[[str, str], float]:
    """Return a function that measures the correlation of two instruments' latest returns."""

    def correlation(first: str, second: str) -> float:
        left, right = tracks[first].closes(), tracks[second].closes()
        count = min(len(left), len(right))
        return returns_correlation(left[len(left) - count :], right[len(right) - count :])

    return correlation
