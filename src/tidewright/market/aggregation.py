"""Longer bars from shorter ones, one at a time or all at once with equal results.

A bar of the longer timeframe is finished when its own last sub-bar closes. When that sub-bar is
absent, it is finished by the arrival of the first bar of a later bucket. An unfinished bar at the
end of the data is not given out: nobody could have known it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import DAY, iso, timeframe_nanoseconds
from tidewright.kernels.bars import FOLD_OUT_SIZE, FOLD_STATE_SIZE, fold_loop, fold_step
from tidewright.market.arrays import BarArrays, Int64

_MONDAY = 4 * DAY
"""First Monday after 1970-01-01; weeks begin on Mondays."""


def _lengths(source: str, target: str) -> tuple[int, int, int]:
    short, long = timeframe_nanoseconds(source), timeframe_nanoseconds(target)
    if long % short:
        raise ConfigError(f"timeframe was {target}; expected a multiple of the data's {source}")
    return short, long, _MONDAY if target.endswith("w") else 0


class BarAggregator:
    """Build bars of one longer timeframe from the bars of one instrument as they come.

    Parameters
    ----------
    instrument : Instrument
        Whose bars they are.
    timeframe : str
        The timeframe to build; a multiple of that of the bars.
    """

    def __init__(self, instrument: Instrument, timeframe: str) -> None:
        timeframe_nanoseconds(timeframe)
        self.instrument = instrument.id
        self.timeframe = timeframe
        self._source = ""
        self._lengths = (0, 0, 0)
        self._state = np.zeros(FOLD_STATE_SIZE, np.int64)
        self._bar = np.zeros(5, np.int64)
        self._out = np.zeros((2, FOLD_OUT_SIZE), np.int64)

    def update(self, bar: Bar) -> Sequence[Bar]:
        """Fold one bar in and return the bars that it finishes, oldest first.

        Mostly none or one. Two come when the bar is alone in its bucket and last of it, and the
        bucket before still waited for a sub-bar that never came. ``ts_known`` is the end of the
        bucket; a bucket that waited is given out later than that.

        Raises
        ------
        ConfigError
            If the bar's timeframe does not divide the one that is built.
        DataIntegrityError
            If the bar is not after the one before it.
        """
        if bar.timeframe != self._source:
            self._lengths = _lengths(bar.timeframe, self.timeframe)
            self._source = bar.timeframe
        short, long, origin = self._lengths
        self._bar[:] = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        found = fold_step(self._state, bar.ts_event, self._bar, short, long, origin, self._out)
        if found == 0:
            return ()
        if found < 0:
            raise _disordered(self.instrument, bar.ts_event)
        return [
            Bar(self.instrument, self.timeframe, row[0], row[0] + long, *row[1:])
            for row in self._out[:found].tolist()
        ]

    @property
    def forming(self) -> Bar | None:
        """The unfinished bar, for display only; None when the next bar opens a new one."""
        opened, *row = self._state[:7].tolist()
        if not opened:
            return None
        return Bar(self.instrument, self.timeframe, row[0], row[0] + self._lengths[1], *row[1:])

    def snapshot(self) -> dict[str, object]:
        """Return the state as JSON-able values."""
        return {"source": self._source, "state": self._state.tolist()}

    def restore(self, data: dict[str, object]) -> None:
        """Take over a state that `snapshot` gave."""
        self._source = str(data["source"])
        self._state[:] = np.asarray(data["state"], np.int64)
        if self._source:
            self._lengths = _lengths(self._source, self.timeframe)


@dataclass(frozen=True, slots=True, eq=False)
class AggregatedBars:
    """Bars built in bulk, and when each of them was there.

    Parameters
    ----------
    bars : BarArrays
        The finished bars.
    source_row : int64 array of shape (n_bars,)
        Row of the source whose arrival finished each bar: it may be used from there on.
    """

    bars: BarArrays
    source_row: Int64


def aggregate(source: BarArrays, timeframe: str) -> AggregatedBars:
    """Build all bars of a longer timeframe, exactly those that `BarAggregator` gives.

    Raises
    ------
    ConfigError
        If the source's timeframe does not divide the one that is built.
    DataIntegrityError
        If the source is not in strictly increasing time order.
    """
    short, long, origin = _lengths(source.timeframe, timeframe)
    prices: NDArray[np.int64] = np.column_stack(
        (source.open, source.high, source.low, source.close, source.volume)
    )
    rows = np.zeros(2 * len(source), np.int64)
    out = np.zeros((2 * len(source), FOLD_OUT_SIZE), np.int64)
    count = fold_loop(source.ts_event, prices, short, long, origin, rows, out)
    if count < 0:
        raise _disordered(source.instrument, int(source.ts_event[-1 - count]))
    starts, *columns = (np.ascontiguousarray(column) for column in out[:count].T)
    bars = BarArrays(source.instrument, timeframe, starts, starts + long, *columns)
    return AggregatedBars(bars, rows[:count])


def _disordered(instrument: str, ts_event: int) -> DataIntegrityError:
    return DataIntegrityError(
        f"{instrument}: bar of {iso(ts_event)} was not after the bar before it; "
        "expected validated bars in time order"
    )
