"""Bars of one instrument as columns of integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.market import Bar

Int64 = NDArray[np.int64]
"""Array of int64."""


@dataclass(frozen=True, slots=True, eq=False)
class BarArrays:
    """Bars of one instrument and timeframe, in time order.

    Parameters
    ----------
    instrument, timeframe : str
        What the bars are of.
    ts_event, ts_known : int64 array of shape (n_bars,)
        Open and close times, nanoseconds UTC, strictly increasing.
    open, high, low, close : int64 array of shape (n_bars,)
        Prices in ticks.
    volume : int64 array of shape (n_bars,)
        Lots.
    """

    instrument: str
    timeframe: str
    ts_event: Int64
    ts_known: Int64
    open: Int64
    high: Int64
    low: Int64
    close: Int64
    volume: Int64

    def __len__(self) -> int:
        return len(self.ts_event)

    def bars(self) -> Iterator[Bar]:
        """Yield the rows as bars."""
        columns = (
            self.ts_event,
            self.ts_known,
            self.open,
            self.high,
            self.low,
            self.close,
            self.volume,
        )
        for row in zip(*(column.tolist() for column in columns), strict=True):
            yield Bar(self.instrument, self.timeframe, *row)

    def slice(self, start: int, stop: int) -> BarArrays:
        """Return rows ``start`` to ``stop`` without copying."""
        return BarArrays(
            self.instrument,
            self.timeframe,
            self.ts_event[start:stop],
            self.ts_known[start:stop],
            self.open[start:stop],
            self.high[start:stop],
            self.low[start:stop],
            self.close[start:stop],
            self.volume[start:stop],
        )


def bar_arrays(instrument: str, timeframe: str, bars: Sequence[Bar]) -> BarArrays:
    """Return bars as columns.

    Parameters
    ----------
    instrument, timeframe : str
        What the bars are of.
    bars : sequence of Bar
        In time order, all of that instrument and timeframe.
    """

    def column(name: str) -> Int64:
        return np.fromiter((getattr(bar, name) for bar in bars), np.int64, len(bars))

    return BarArrays(
        instrument,
        timeframe,
        *(
            column(name)
            for name in ("ts_event", "ts_known", "open", "high", "low", "close", "volume")
        ),
    )
