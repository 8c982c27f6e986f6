"""A trial registry in memory, and bars to be tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tidewright.domain.time import timeframe_nanoseconds
from tidewright.market.arrays import BarArrays
from tidewright.research.judging.trials import FACTS, Record


class MemoryTrialStore:
    """Keeps entries as the file does, and nothing on disk."""

    def __init__(self) -> None:
        self.entries: list[Record] = []

    def append(self, kind: str, key: str, body: Mapping[str, object], ts: int) -> bool:
        if kind in FACTS and any((one.kind, one.key) == (kind, key) for one in self.entries):
            return False
        self.entries.append(Record(len(self.entries) + 1, ts, kind, key, dict(body)))
        return True

    def records(self, kind: str, key: str | None = None, *, prefix: str = "") -> Sequence[Record]:
        return [
            one
            for one in self.entries
            if one.kind == kind and key in (None, one.key) and one.key.startswith(prefix)
        ]


def walk(
    name: str = "AAA", *, seed: int = 0, days: int = 100, timeframe: str = "1h", start_day: int = 0
) -> BarArrays:
    """Return bars of a random walk over whole UTC days from 2023-01-01 on."""
    step = timeframe_nanoseconds(timeframe)
    count = days * timeframe_nanoseconds("1d") // step
    draws = np.random.default_rng(seed).normal(0.0, 0.002, count)
    close = np.rint(10_000 * np.exp(np.cumsum(draws))).astype(np.int64)
    first = (19_358 + start_day) * timeframe_nanoseconds("1d")
    opened = first + np.arange(count, dtype=np.int64) * step
    before = np.concatenate(([10_000], close[:-1]))
    high, low = np.maximum(before, close) + 3, np.minimum(before, close) - 3
    volume = np.full(count, 1_000, np.int64)
    return BarArrays(name, timeframe, opened, opened + step, before, high, low, close, volume)
