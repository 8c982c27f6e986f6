"""A bar store in memory."""

from __future__ import annotations

from collections.abc import Sequence

from tidewright.domain.instrument import Instrument
from tidewright.market.arrays import BarArrays


class MemoryBarStore:
    """Keeps series by instrument and timeframe, and counts writes."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[BarArrays, Instrument]] = {}
        self.writes = 0

    def write(self, bars: BarArrays, instrument: Instrument) -> None:
        self.writes += 1
        self.kept[instrument.id, bars.timeframe] = (bars, instrument)

    def read(self, instrument: str, timeframe: str) -> tuple[BarArrays, Instrument] | None:
        return self.kept.get((instrument, timeframe))

    def series(self) -> Sequence[tuple[str, str]]:
        return sorted(self.kept)
