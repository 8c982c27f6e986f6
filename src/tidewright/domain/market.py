"""Market data as the engine sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Bar(NamedTuple):
    """One finished OHLCV candle; a tuple, because a run makes one per row of its data.

    Parameters
    ----------
    instrument : str
        Instrument id.
    timeframe : str
        Length label such as ``"1m"``.
    ts_event : int
        Open time, nanoseconds UTC; bars are stamped by it.
    ts_known : int
        Close time, nanoseconds UTC; the first moment at which the bar may be used.
    open, high, low, close : int
        Prices in ticks.
    volume : int
        Traded quantity in lots.
    """

    instrument: str
    timeframe: str
    ts_event: int
    ts_known: int
    open: int
    high: int
    low: int
    close: int
    volume: int


@dataclass(frozen=True, slots=True)
class DataDefect:
    """A datum that was kept out of trading, and why.

    Parameters
    ----------
    instrument : str
        Instrument id.
    ts_event : int
        Time stamp of the datum, nanoseconds UTC.
    rule : str
        Name of the check that it failed, such as ``"price_not_positive"``.
    detail : str
        What was expected and what came.
    """

    instrument: str
    ts_event: int
    rule: str
    detail: str
