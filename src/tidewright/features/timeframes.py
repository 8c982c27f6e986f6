"""Columns of other timeframes beside those of a row, without look-ahead.

A row is made when its bar is complete. Beside its own columns it carries, for each other timeframe,
the columns of the latest bar of that timeframe whose ``ts_known`` is not after the row's: longer
bars are built from the feed's own, and one that is not complete is never seen. Bars of a timeframe
that end together with the row belong to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.features.bulk import Series, bulk_table
from tidewright.features.declarations import ColumnReference
from tidewright.features.streaming import Row, StreamingColumns
from tidewright.market.aggregation import BarAggregator, aggregate
from tidewright.market.arrays import BarArrays, Int64


def bars_of(feed: BarArrays, timeframe: str) -> BarArrays:
    """Return the complete bars of a timeframe, built from the feed's.

    Raises
    ------
    ConfigError
        If the feed's timeframe does not divide the one that is built.
    """
    return feed if timeframe == feed.timeframe else aggregate(feed, timeframe).bars


def row_table(
    references: Sequence[ColumnReference],
    rows: BarArrays,
    feed: BarArrays,
    instrument: Instrument,
    own: Sequence[BarArrays] = (),
) -> NDArray[np.float64]:
    """Return columns of rows, those of other timeframes included.

    Parameters
    ----------
    references : sequence of ColumnReference
        Columns, none of them a cross-section.
    rows : BarArrays
        Bars of the rows.
    feed : BarArrays
        Bars of which those of other timeframes are built.
    instrument : Instrument
        What the bars are of.
    own : sequence of BarArrays
        Bars of other timeframes that come from a source of their own; they are not built then.

    Returns
    -------
    float64 array of shape (n_references, n_rows)
        Row by row what `RowColumns` gives.

    Raises
    ------
    ConfigError
        If a reference cannot be computed, or a timeframe is no multiple of the feed's.
    """
    timeframes = dict.fromkeys(reference.timeframe for reference in references)
    if list(timeframes) in ([], [""]):
        return bulk_table(references, rows, instrument)
    found = np.empty((len(references), len(rows)))
    given = {one.timeframe: one for one in own}
    for timeframe in timeframes:
        places = [n for n, one in enumerate(references) if one.timeframe == timeframe]
        wanted = [_unframed(references[place]) for place in places]
        if not timeframe:
            found[places] = bulk_table(wanted, rows, instrument)
            continue
        bars = given[timeframe] if timeframe in given else bars_of(feed, timeframe)
        first = first_rows(bars.ts_known, rows.ts_known)
        for place, values in zip(places, bulk_table(wanted, bars, instrument), strict=True):
            found[place] = spread_to_rows(values, first, len(rows))
    return found


def first_rows(known: Int64, moments: Int64) -> Int64:
    """Return the first row that may see each bar: the first one known no earlier than the bar."""
    found: Int64 = np.searchsorted(moments, known, side="left")
    return found


def spread_to_rows(values: Series, first: Int64, rows: int) -> Series:
    """Return for each row the value of the latest bar that it may see, NaN before the first.

    Parameters
    ----------
    values : float64 array of shape (n_bars,)
        Value of each bar.
    first : int64 array of shape (n_bars,)
        First row that may see each bar, as `first_rows` gives it.
    rows : int
        Number of rows.
    """
    found = np.full(rows, np.nan)
    if len(first):
        # of several bars with one first row the earlier ones are seen for no row
        found[first[0] :] = np.repeat(values, np.diff(first, append=rows))
    return found


def _unframed(reference: ColumnReference) -> ColumnReference:
    return replace(reference, timeframe="")


class RowColumns:
    """The newest two rows of an instrument, with columns of several timeframes.

    Parameters
    ----------
    references : sequence of ColumnReference
        Columns, none of them a cross-section.
    instrument : Instrument
        What the bars are of.
    feed_timeframe : str
        Timeframe of the bars that come.
    timeframe : str
        Timeframe of the rows, a multiple of it.

    Raises
    ------
    ConfigError
        If a reference is not of a declared column with valid parameters, or a timeframe is no
        multiple of the feed's.
    """

    __slots__ = (
        "_others",
        "_own",
        "_places",
        "current",
        "previous",
        "references",
        "timeframe",
    )

    def __init__(
        self,
        references: Sequence[ColumnReference],
        instrument: Instrument,
        feed_timeframe: str,
        timeframe: str,
    ) -> None:
        self.references = tuple(references)
        """Columns, in the order of a row."""
        self.timeframe = timeframe
        own = [one for one in self.references if not one.timeframe]
        self._own = StreamingColumns(own, instrument)
        self._places = self._of("")
        frames = dict.fromkeys(one.timeframe for one in self.references if one.timeframe)
        self._others = [
            _Other(
                [_unframed(one) for one in self.references if one.timeframe == frame],
                self._of(frame),
                instrument,
                feed_timeframe,
                frame,
            )
            for frame in frames
        ]
        self.current: Row = self._unknown()
        """float64 array of shape (n_columns,): the newest row."""
        self.previous: Row = self._unknown()
        """float64 array of shape (n_columns,): the row before it."""

    def _of(self, timeframe: str) -> Int64:
        found = [n for n, one in enumerate(self.references) if one.timeframe == timeframe]
        return np.array(found, np.int64)

    def _unknown(self) -> Row:
        return np.full(len(self.references), np.nan)

    def take(self, bar: Bar) -> None:
        """Take a bar of the feed, before the rows that it completes."""
        for other in self._others:
            other.take(bar)

    def update(self, bar: Bar) -> None:
        """Take a complete bar of the rows: the newest row becomes the previous one."""
        self._own.update(bar)
        self.current, self.previous = self.previous, self.current
        self._fill(bar.ts_known)

    def _fill(self, known: int) -> None:
        self.current[self._places] = self._own.current
        for other in self._others:
            other.advance(known)
            self.current[other.places] = other.columns.current

    def restore(self, rows: BarArrays, feed: BarArrays) -> None:
        """Reopen from the anchor; forgets what was taken before.

        Parameters
        ----------
        rows : BarArrays
            Every complete bar of the rows from the anchor on.
        feed : BarArrays
            Every bar of the feed.
        """
        self._own.restore(rows)
        self.current, self.previous = self._unknown(), self._unknown()
        moments = rows.ts_known[-2:].tolist()
        for other in self._others:
            other.restore(feed, moments[0] if moments else None)
        if not moments:
            return
        if len(moments) == 2:
            for other in self._others:
                self.previous[other.places] = other.columns.current
        self._fill(moments[-1])
        self.previous[self._places] = self._own.previous


class _Other:
    """Columns of one other timeframe, moved on by rows."""

    __slots__ = ("_aggregator", "_instrument", "_ready", "_timeframe", "columns", "places")

    def __init__(
        self,
        references: Sequence[ColumnReference],
        places: Int64,
        instrument: Instrument,
        feed_timeframe: str,
        timeframe: str,
    ) -> None:
        if timeframe_nanoseconds(timeframe) % timeframe_nanoseconds(feed_timeframe):
            raise ConfigError(
                f"{references[0].label}@{timeframe}: timeframe was {timeframe}; expected a "
                f"multiple of the data's {feed_timeframe}"
            )
        self.columns = StreamingColumns(references, instrument)
        self.places = places
        self._instrument = instrument
        self._timeframe = timeframe
        own = timeframe == feed_timeframe
        self._aggregator = None if own else BarAggregator(instrument, timeframe)
        # Complete bars that no row was allowed to see yet.
        self._ready: deque[Bar] = deque()

    def take(self, bar: Bar) -> None:
        if self._aggregator is None:
            self._ready.append(bar)
        else:
            self._ready.extend(self._aggregator.update(bar))

    def advance(self, known: int) -> None:
        """Take every complete bar that was known at a time."""
        ready = self._ready
        while ready and ready[0].ts_known <= known:
            self.columns.update(ready.popleft())

    def restore(self, feed: BarArrays, known: int | None) -> None:
        """Reopen with the bars known at a time; those after it wait for their row."""
        bars = bars_of(feed, self._timeframe)
        count = 0 if known is None else int(np.searchsorted(bars.ts_known, known, side="right"))
        self.columns.restore(bars.slice(0, count))
        self._ready = deque(bars.slice(count, len(bars)).bars())
        if self._aggregator is None or not len(feed):
            return
        self._aggregator = BarAggregator(self._instrument, self._timeframe)
        # Only the bucket of the last bar can be unfinished; earlier ones are given out and gone.
        start = int(bars.ts_known[-1]) if len(bars) else int(feed.ts_event[0])
        first = int(np.searchsorted(feed.ts_event, start, side="left"))
        for bar in feed.slice(first, len(feed)).bars():
            self._aggregator.update(bar)
