"""Random walks as bars: around the clock, or in New York's sessions with early closes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tidewright.domain.time import SECOND, timeframe_nanoseconds
from tidewright.market.arrays import BarArrays, Int64

NEW_YORK = ZoneInfo("America/New_York")
START = int(datetime(2023, 3, 1, tzinfo=UTC).timestamp()) * SECOND


def walk(
    name: str = "AAA",
    count: int = 600,
    timeframe: str = "1m",
    seed: int = 0,
    *,
    opened: Int64 | None = None,
    gaps: float = 0.0,
) -> BarArrays:
    """Bars of a driftless walk of cents around 100; a share of them is absent."""
    rng = np.random.default_rng(seed)
    length = timeframe_nanoseconds(timeframe)
    if opened is None:
        opened = START + np.arange(count) * length
    kept = rng.random(len(opened)) >= gaps
    kept[:1] = True
    opened = opened[kept]
    count = len(opened)
    close = np.maximum(10_000 + np.cumsum(rng.integers(-30, 31, count)), 100)
    open_ = np.maximum(close + rng.integers(-20, 21, count), 50)
    high = np.maximum(open_, close) + rng.integers(0, 20, count)
    low = np.maximum(np.minimum(open_, close) - rng.integers(0, 20, count), 1)
    volume = rng.integers(1_000, 100_000, count)
    return BarArrays(name, timeframe, opened, opened + length, open_, high, low, close, volume)


def session_times(first: date, days: int, minutes: int = 5, early: tuple[int, ...] = ()) -> Int64:
    """Open times of bars from 09:30 to 16:00 in New York; given days end at 13:00."""
    found: list[int] = []
    for number in range(days):
        day = first + timedelta(days=number)
        if day.weekday() >= 5:
            continue
        end = 13 * 60 if number in early else 16 * 60
        for minute in range(9 * 60 + 30, end, minutes):
            local = datetime(
                day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=NEW_YORK
            )
            found.append(int(local.timestamp()) * SECOND)
    return np.array(found, np.int64)
