"""Names of market streams, and what each asks for.

A name that is spelled as no stream could be is refused. A name that is well spelled but stands for
nothing here - an unknown symbol, a symbol in capitals, a stream that is gone - is taken and stays
silent, as at the exchange.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tidewright.domain.time import HOUR, MILLISECOND, SECOND

INTERVALS = (
    *("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d"),
    *("1w", "1M"),
)
"""Lengths of candles, shortest first."""
WINDOWS = {"1h": HOUR, "4h": 4 * HOUR, "1d": 24 * HOUR}
"""Lengths of the rolling windows of tickers, nanoseconds."""
FAST = 100 * MILLISECOND
"""The shortest time between two messages of a timed stream."""
SLOW_CANDLE = 2 * SECOND
"""Time between two updates of a candle longer than a second."""
LEVELS = (5, 10, 20)
"""How many price levels a partial book shows on each side."""

_SPELLED = re.compile(r"[A-Za-z0-9_!.\-]+(@[A-Za-z0-9_+:.\-]+)*", re.ASCII)
_SYMBOL = re.compile(r"[a-z0-9_.\-]+", re.ASCII)
_CANDLE = re.compile(rf"kline_({'|'.join(INTERVALS)})(?:@(\+08:00))?")
_DEPTH = re.compile(r"depth(5|10|20)?(?:@(100ms|1000ms))?")
_WINDOW = re.compile(rf"ticker_({'|'.join(WINDOWS)})")
_ALL_WINDOWS = re.compile(rf"!ticker_({'|'.join(WINDOWS)})@arr")
_ALL_MINI = re.compile(r"!miniTicker@arr(?:@1000ms)?")


class Channel(StrEnum):
    """What a stream tells of, in the order in which one moment's messages leave."""

    TRADE = "trade"
    AGGREGATE_TRADE = "aggTrade"
    BEST = "bookTicker"
    CHANGES = "depth"
    TOP = "partial depth"
    CANDLE = "kline"
    MINI = "miniTicker"
    DAY = "ticker"
    WINDOW = "ticker_window"
    AVERAGE = "avgPrice"
    ALL_MINI = "!miniTicker@arr"
    ALL_WINDOWS = "!ticker_window@arr"


AT_ONCE = frozenset({Channel.TRADE, Channel.AGGREGATE_TRADE, Channel.BEST})
"""Channels that speak when something happens; the others speak on the beat of the clock."""

_PLAIN = {
    "trade": (Channel.TRADE, 0),
    "aggTrade": (Channel.AGGREGATE_TRADE, 0),
    "bookTicker": (Channel.BEST, 0),
    "miniTicker": (Channel.MINI, SECOND),
    "ticker": (Channel.DAY, SECOND),
    "avgPrice": (Channel.AVERAGE, SECOND),
}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that can be served.

    Parameters
    ----------
    name : str
        As the client wrote it.
    channel : Channel
        What it tells of.
    symbol : str
        In capitals; "" for streams of all symbols.
    period : int
        Nanoseconds between two messages; 0 speaks at once.
    interval : str
        Length of a candle or of a window; "" otherwise.
    levels : int
        Price levels on each side of a partial book; 0 otherwise.
    eastern : bool
        Whether its candles begin and end in the time zone UTC+8.
    """

    name: str
    channel: Channel
    symbol: str = ""
    period: int = 0
    interval: str = ""
    levels: int = 0
    eastern: bool = False


def is_spelled(name: str) -> bool:
    """Say whether a name is spelled as a stream's can be."""
    return _SPELLED.fullmatch(name) is not None


def parse_stream(name: str) -> Stream | None:
    """Return what a name asks for; None when it stands for nothing.

    Whether the symbol is traded is not asked here.
    """
    if name.startswith("!"):
        return _of_all(name)
    symbol, _, rest = name.partition("@")
    if not _SYMBOL.fullmatch(symbol):
        return None
    return _of_one(name, symbol.upper(), rest)


def _of_all(name: str) -> Stream | None:
    if _ALL_MINI.fullmatch(name):
        return Stream(name, Channel.ALL_MINI, period=SECOND)
    if window := _ALL_WINDOWS.fullmatch(name):
        return Stream(name, Channel.ALL_WINDOWS, period=SECOND, interval=window[1])
    return None


def _of_one(name: str, symbol: str, rest: str) -> Stream | None:
    if plain := _PLAIN.get(rest):
        channel, period = plain
        return Stream(name, channel, symbol, period)
    if candle := _CANDLE.fullmatch(rest):
        period = SECOND if candle[1] == "1s" else SLOW_CANDLE
        return Stream(name, Channel.CANDLE, symbol, period, candle[1], eastern=bool(candle[2]))
    if window := _WINDOW.fullmatch(rest):
        return Stream(name, Channel.WINDOW, symbol, SECOND, window[1])
    if depth := _DEPTH.fullmatch(rest):
        period = FAST if depth[2] == "100ms" else SECOND
        channel = Channel.TOP if depth[1] else Channel.CHANGES
        return Stream(name, channel, symbol, period, levels=int(depth[1] or 0))
    return None
