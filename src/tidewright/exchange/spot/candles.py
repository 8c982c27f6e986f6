"""Candles of one market: seconds, minutes and hours are kept, all other intervals made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.time import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.market_data import Candle
from tidewright.exchange.spot.roll import Roll
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.tape import trades as at

MONTH = 0
"""Stands for the length of a calendar month."""
INTERVALS = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "1w": 7 * DAY,
    "1M": MONTH,
}
"""Lengths of the intervals, nanoseconds."""
_MONDAY = 4 * DAY
_NO_TRADE = -1


@dataclass(frozen=True, slots=True)
class Interval:
    """Candles of one length, numbered since 1970.

    Parameters
    ----------
    length : int
        Nanoseconds, or `MONTH`.
    zone : int
        Nanoseconds that the clock of whoever asks is ahead of UTC.
    """

    length: int
    zone: int = 0

    @property
    def base(self) -> int:
        """Length of the kept candles that it is made of."""
        fits = (base for base in (HOUR, MINUTE) if not self.length % base and not self.zone % base)
        return next(fits, SECOND)

    def numbers(self, times: Int64) -> Int64:
        """Return the numbers of the candles that hold some times."""
        here = times + self.zone
        if self.length == MONTH:
            return here.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
        return (here - self._origin) // self.length

    def times(self, numbers: Int64) -> Int64:
        """Return when numbered candles open."""
        if self.length == MONTH:
            months = numbers.astype("datetime64[M]").astype("datetime64[ns]")
            return months.astype(np.int64) - self.zone
        return numbers * self.length + self._origin - self.zone

    def number(self, time: int) -> int:
        """Return the number of the candle that holds a time."""
        return int(self.numbers(np.array([time]))[0])

    def time(self, number: int) -> int:
        """Return when a numbered candle opens."""
        return int(self.times(np.array([number]))[0])

    @property
    def _origin(self) -> int:
        # Weeks begin on Mondays; 1970 began on a Thursday.
        return _MONDAY if self.length == 7 * DAY else 0


def interval(name: str, zone: int = 0) -> Interval:
    """Return the interval of a name.

    Raises
    ------
    ConfigError
        If there is no such interval.
    """
    if name not in INTERVALS:
        raise ConfigError(
            f"interval was {name!r}; expected one of {', '.join(INTERVALS)}"
            + nearest(name, INTERVALS)
        )
    return Interval(INTERVALS[name], zone)


def merged(rows: Int64, starts: Int64) -> Int64:
    """Return one candle for each group of consecutive candles.

    Parameters
    ----------
    rows : int64 array of shape (n, N_CANDLE)
        At least one.
    starts : int64 array of shape (groups,)
        Where each group begins; the first is 0.

    Returns
    -------
    int64 array of shape (groups, N_CANDLE)
        With the open time of the first candle of each group.
    """
    out = rows[starts]
    ends = np.append(starts[1:], len(rows)) - 1
    out[:, at.HIGH] = np.maximum.reduceat(rows[:, at.HIGH], starts)
    out[:, at.LOW] = np.minimum.reduceat(rows[:, at.LOW], starts)
    sums = slice(at.VOLUME, at.TRADES + 1)
    out[:, sums] = np.add.reduceat(rows[:, sums], starts, axis=0)
    for column in (at.CLOSE, at.LAST_TRADE):
        out[:, column] = rows[ends, column]
    return out


class CandleStore:
    """Candles of one market.

    Parameters
    ----------
    listing : Listing
        Gives prices and quantities their units.
    seconds, minutes, hours : int
        Candles of each length that are kept, counting only those that saw a trade.
    """

    def __init__(self, listing: Listing, seconds: int, minutes: int, hours: int) -> None:
        self.listing = listing
        self.bases = {
            SECOND: Roll(seconds, at.N_CANDLE),
            MINUTE: Roll(minutes, at.N_CANDLE),
            HOUR: Roll(hours, at.N_CANDLE),
        }

    def add(self, trades: Int64) -> None:
        """Take in up to `roll.CHUNK` trades."""
        for length, roll in self.bases.items():
            roll.make_room(len(trades))
            roll.count = at.fold(trades, length, roll.table, roll.count)

    def candles(
        self, span: Interval, start: int | None, end: int | None, limit: int, now: int
    ) -> tuple[Candle, ...]:
        """Return candles that open from ``start`` to ``end``: the last ones without a start.

        The candle that is forming at ``now`` is the last of all. There are none before the first
        trade that is known.
        """
        roll = self.bases[span.base]
        if roll.count == 0 or limit < 1 or (start is not None and start > now):
            return ()
        first, last = self._reach(span, roll, start, end, now)
        if start is None:
            first = max(first, last - limit + 1)
        last = min(last, first + limit - 1)
        if first > last:
            return ()
        return self._stated(span, first, self._dense(span, roll, first, last))

    def since(self, time: int) -> Int64 | None:
        """Return one candle of all trades since a whole second; None when there was none."""
        minute = -(-time // MINUTE) * MINUTE
        seconds, minutes = self.bases[SECOND].rows, self.bases[MINUTE].rows
        low, high = np.searchsorted(seconds[:, at.OPENED], (time, minute))
        later = int(np.searchsorted(minutes[:, at.OPENED], minute))
        rows = np.concatenate((seconds[low:high], minutes[later:]))
        if not len(rows):
            return None
        return cast("Int64", merged(rows, np.zeros(1, np.int64))[0])

    def close_before(self, time: int) -> int:
        """Return the last price before a whole second, in ticks; 0 when there is none."""
        seconds = self.bases[SECOND].rows
        place = int(np.searchsorted(seconds[:, at.OPENED], time))
        return int(seconds[place - 1, at.CLOSE]) if place else 0

    def _reach(
        self, span: Interval, roll: Roll, start: int | None, end: int | None, now: int
    ) -> tuple[int, int]:
        """Return the numbers of the first and last candle that may be told."""
        oldest = int(roll.rows[0, at.OPENED])
        first = span.number(oldest)
        if roll.dropped and span.time(first) < oldest:
            # A part of this one is forgotten.
            first += 1
        if start is not None:
            first = max(first, span.number(start - 1) + 1)
        return first, span.number(now if end is None else min(end, now))

    def _dense(self, span: Interval, roll: Roll, first: int, last: int) -> Int64:
        """Return candles without a hole; where nothing was traded they repeat the close before."""
        rows, (begin, end) = roll.rows, span.times(np.array([first, last + 1]))
        low, high = (int(place) for place in np.searchsorted(rows[:, at.OPENED], (begin, end)))
        out = np.zeros((last - first + 1, at.N_CANDLE), np.int64)
        out[:, at.FIRST_TRADE] = out[:, at.LAST_TRADE] = _NO_TRADE
        # The oldest candle of all saw a trade, so nothing before it is ever repeated.
        closes, filled = rows[low - 1 : low, at.CLOSE], np.zeros(len(out), np.int64)
        if low < high:
            found = span.numbers(rows[low:high, at.OPENED]) - first
            starts = np.flatnonzero(np.diff(found, prepend=-1))
            groups = merged(rows[low:high], starts)
            out[found[starts]] = groups
            closes = np.append(rows[low - 1, at.CLOSE], groups[:, at.CLOSE])
            filled[found[starts]] = np.arange(1, len(closes))
        empty = filled == 0
        before = closes[np.maximum.accumulate(filled)[empty]]
        out[np.ix_(empty, (at.OPEN, at.HIGH, at.LOW, at.CLOSE))] = before[:, np.newaxis]
        out[:, at.OPENED] = span.times(np.arange(first, last + 1))
        return out

    def _stated(self, span: Interval, first: int, rows: Int64) -> tuple[Candle, ...]:
        tick, step, unit = self.listing.tick, self.listing.step, self.listing.quote_unit
        ends = span.times(np.arange(first + 1, first + len(rows) + 1)) - MILLISECOND
        # Python's integers: a day's volume of a cheap coin has more units than int64 holds.
        return tuple(
            Candle(
                row[at.OPENED],
                closed,
                row[at.OPEN] * tick,
                row[at.HIGH] * tick,
                row[at.LOW] * tick,
                row[at.CLOSE] * tick,
                row[at.VOLUME] * step,
                row[at.WORTH] * unit,
                row[at.BOUGHT_VOLUME] * step,
                row[at.BOUGHT_WORTH] * unit,
                row[at.TRADES],
                row[at.FIRST_TRADE],
                row[at.LAST_TRADE],
            )
            for row, closed in zip(rows.tolist(), ends.tolist(), strict=True)
        )
