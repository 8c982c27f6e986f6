"""Fetching a span of candles page by page, closed candles only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tidewright.adapters.binance_history.parse import KlinePage
from tidewright.market.validation import RawBars


class PageSource(Protocol):
    """Whoever gives pages of candles."""

    def page(self, symbol: str, interval: str, start: int, end: int) -> KlinePage:
        """Return the oldest candles that open in [start, end)."""


def fetch_klines(
    source: PageSource, symbol: str, interval: str, start: int, end: int, now: int
) -> Iterator[RawBars]:
    """Yield the candles that open in [start, end) and are closed now, a page at a time.

    Parameters
    ----------
    source : PageSource
        The client.
    symbol, interval : str
        Which candles.
    start, end : int
        Nanoseconds UTC.
    now : int
        Present time, nanoseconds UTC; candles that close later are left out.

    Yields
    ------
    RawBars
        Candles as they came. A page may repeat or skip candles: the caller checks that.
    """
    cursor = start
    while cursor < end:
        page = source.page(symbol, interval, cursor, end)
        if not len(page):
            return
        closed = page.ts_close <= now
        raw = page.raw
        if closed.any():
            yield RawBars(raw.ts_event[closed], raw.prices[closed], raw.volume[closed])
        last = int(np.max(raw.ts_event))
        # A short page is not taken for the last one: another server may have a lower limit.
        if not closed.all() or last < cursor:
            return
        cursor = last + 1
