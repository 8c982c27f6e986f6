"""A feed over bars that are already in memory: several series merged into time slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat, takewhile

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.events import DatumQuarantined, Slice
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.market.arrays import BarArrays, Int64
from tidewright.market.declaration import DataDeclaration

_CHUNK = 8_192
"""Rows turned into Python integers at a time; bounds the memory of a long replay."""

UNDECLARED_DATA = DataDeclaration()
"""Data of which nobody declared anything."""

TimedDefect = tuple[int, DatumQuarantined]
"""When a defect came to light, nanoseconds UTC, and the event that reports it."""


def until(slices: Iterator[Slice], end: int) -> Iterator[Slice]:
    """Return slices up to and including a time, nanoseconds UTC; all of them for 0."""
    return takewhile(lambda slice_: slice_.ts_known <= end, slices) if end else slices


class BarFeed:
    """Replay series of one timeframe as slices, ordered by time, then by instrument id.

    Parameters
    ----------
    series : sequence of BarArrays
        One per instrument, all of one timeframe.
    instruments : sequence of Instrument
        The instruments of the series.
    description : str
        One line for a person.
    defects : sequence of (int, DatumQuarantined)
        Rows that were kept out, and the time of the slice that reports each.
    declaration : DataDeclaration
        What is declared about the data.

    Raises
    ------
    ConfigError
        If there is no series, timeframes differ, or an instrument is missing or comes twice.
    """

    def __init__(
        self,
        series: Sequence[BarArrays],
        instruments: Sequence[Instrument],
        description: str,
        defects: Sequence[TimedDefect] = (),
        declaration: DataDeclaration = UNDECLARED_DATA,
    ) -> None:
        timeframes = sorted({one.timeframe for one in series})
        if len(timeframes) != 1:
            raise ConfigError(f"timeframes were {timeframes}; expected series of exactly one")
        ids = sorted(one.instrument for one in series)
        if ids != sorted({one.id for one in instruments}):
            raise ConfigError(f"series were of {ids}; expected one for each given instrument")
        self.series = tuple(sorted(series, key=lambda one: one.instrument))
        self.instruments: Sequence[Instrument] = sorted(instruments, key=lambda one: one.id)
        self.timeframe = timeframes[0]
        self.description = description
        self.declaration = declaration
        self._defects = sorted(defects, key=lambda one: one[0])

    def __len__(self) -> int:
        return sum(len(one) for one in self.series)

    @property
    def defects(self) -> Sequence[TimedDefect]:
        """Rows that were kept out, by the time of the slice that reports each."""
        return tuple(self._defects)

    @property
    def first_known(self) -> int:
        """Time of the first slice of bars, nanoseconds UTC; 0 without bars."""
        return min((int(one.ts_known[0]) for one in self.series if len(one)), default=0)

    @property
    def last_known(self) -> int:
        """Time of the last slice of bars, nanoseconds UTC; 0 without bars."""
        return max((int(one.ts_known[-1]) for one in self.series if len(one)), default=0)

    def slices(self, after: int) -> Iterator[Slice]:
        """Yield slices with ``ts_known`` above ``after``, in time order."""
        pending = [one for one in self._defects if one[0] > after]
        slices = self._one(after) if len(self.series) == 1 else self._many(after)
        return _with_defects(slices, pending) if pending else slices

    def _one(self, after: int) -> Iterator[Slice]:
        series = self.series[0]
        start = int(np.searchsorted(series.ts_known, after, side="right"))
        for first in range(start, len(series), _CHUNK):
            part = series.slice(first, first + _CHUNK)
            columns = [column.tolist() for column in _columns(part)]
            bars = map(Bar, repeat(series.instrument), repeat(self.timeframe), *columns)
            # One-tuples: each bar is alone in its slice.
            yield from map(Slice, columns[1], zip(bars, strict=True))

    def _many(self, after: int) -> Iterator[Slice]:
        rows, owners = self._merged(after)
        if not len(rows):
            return
        names = [one.instrument for one in self.series]
        ends = np.append(np.flatnonzero(np.diff(rows[:, 1])) + 1, len(rows))
        first_end, start = 0, 0
        while start < len(rows):
            last_end = max(first_end + 1, int(np.searchsorted(ends, start + _CHUNK)))
            stop = int(ends[last_end - 1])
            columns = rows[start:stop].T.tolist()
            ids = [names[owner] for owner in owners[start:stop].tolist()]
            bars = tuple(map(Bar, ids, repeat(self.timeframe), *columns))
            begin = 0
            for end in (ends[first_end:last_end] - start).tolist():
                yield Slice(bars[begin].ts_known, bars[begin:end])
                begin = end
            first_end, start = last_end, stop

    def _merged(self, after: int) -> tuple[Int64, Int64]:
        """Return all rows after a time, by time and instrument, and which series each is of."""
        parts, owners = [], []
        for index, one in enumerate(self.series):
            part = one.slice(int(np.searchsorted(one.ts_known, after, side="right")), len(one))
            parts.append(np.column_stack(_columns(part)))
            owners.append(np.full(len(part), index, np.int64))
        rows, owner = np.concatenate(parts), np.concatenate(owners)
        # The series are sorted by id, so a stable sort by time leaves each slice in id order.
        order = np.argsort(rows[:, 1], kind="stable")
        return rows[order], owner[order]


def _columns(bars: BarArrays) -> tuple[Int64, ...]:
    """Return the columns of bars in the order of the fields of `Bar`."""
    prices = (bars.open, bars.high, bars.low, bars.close)
    return (bars.ts_event, bars.ts_known, *prices, bars.volume)


def _with_defects(slices: Iterator[Slice], pending: Sequence[TimedDefect]) -> Iterator[Slice]:
    """Put each defect into the slice of its time, or into one of its own."""
    position, last = 0, len(pending)
    due = pending[0][0]
    for slice_ in slices:
        if slice_.ts_known < due:
            yield slice_
            continue
        while position < last and pending[position][0] < slice_.ts_known:
            found, position = _gather(pending, position)
            yield found
        if position < last and pending[position][0] == slice_.ts_known:
            found, position = _gather(pending, position)
            yield Slice(slice_.ts_known, (*found.events, *slice_.events))
        else:
            yield slice_
        due = pending[position][0] if position < last else 2**63
    while position < last:
        found, position = _gather(pending, position)
        yield found


def _gather(pending: Sequence[TimedDefect], position: int) -> tuple[Slice, int]:
    ts_known = pending[position][0]
    start = position
    while position < len(pending) and pending[position][0] == ts_known:
        position += 1
    return Slice(ts_known, tuple(event for _, event in pending[start:position])), position
