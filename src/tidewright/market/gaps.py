"""Absent bars: found, counted and named, never filled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewright.domain.instrument import AssetClass
from tidewright.domain.time import DAY, iso, timeframe_nanoseconds
from tidewright.market.arrays import Int64

_LONGEST_CLOSURE = 4 * DAY
"""From a Thursday to the Monday after a holiday weekend."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of absent bars.

    Parameters
    ----------
    start, end : int
        Open time of the first absent bar and of the next present one, nanoseconds UTC.
    missing : int
        Number of absent bars.
    """

    start: int
    end: int
    missing: int

    def __str__(self) -> str:
        return f"{iso(self.start)} to {iso(self.end)}: {self.missing} bars absent"


@dataclass(frozen=True, slots=True)
class GapReport:
    """Every gap of one series.

    Parameters
    ----------
    instrument, timeframe : str
        The series.
    gaps : tuple of Gap
        In time order.
    sessions : bool
        True when nights and closures were not counted as gaps.
    """

    instrument: str
    timeframe: str
    gaps: tuple[Gap, ...]
    sessions: bool = False

    @property
    def missing(self) -> int:
        """Number of absent bars in all gaps."""
        return sum(gap.missing for gap in self.gaps)

    @property
    def longest(self) -> Gap | None:
        """The gap with most absent bars, the first of them on a tie."""
        return max(self.gaps, key=lambda gap: gap.missing, default=None)

    def summary(self) -> str:
        """Return one line for a person."""
        longest = self.longest
        if longest is None:
            return f"{self.instrument} {self.timeframe}: no gap"
        word = "gap" if len(self.gaps) == 1 else "gaps"
        return (
            f"{self.instrument} {self.timeframe}: {self.missing} bars absent in "
            f"{len(self.gaps)} {word}, longest {longest}"
        )


def trades_in_sessions(asset_class: AssetClass) -> bool:
    """Tell whether a market closes at night, so that the night is no gap."""
    return asset_class is not AssetClass.CRYPTO


def find_gaps(
    instrument: str, timeframe: str, ts_event: Int64, *, sessions: bool = False
) -> GapReport:
    """Find every run of absent bars.

    Parameters
    ----------
    instrument, timeframe : str
        The series.
    ts_event : int64 array of shape (n_bars,)
        Open times, strictly increasing, nanoseconds UTC.
    sessions : bool
        For markets that close: intraday, only absences within one UTC day count; for daily and
        longer bars, only absences longer than a holiday weekend. Without a trading calendar an
        absence that looks like a closure is taken for one.

    Returns
    -------
    GapReport
        The gaps.
    """
    length = timeframe_nanoseconds(timeframe)
    steps = np.diff(ts_event)
    wide = steps > length
    if sessions and length < DAY:
        wide &= ts_event[1:] // DAY == ts_event[:-1] // DAY
    elif sessions:
        wide &= steps > max(_LONGEST_CLOSURE, length)
    before = np.flatnonzero(wide)
    gaps = tuple(
        Gap(start + length, end, -(-(end - start - length) // length))
        for start, end in zip(ts_event[before].tolist(), ts_event[before + 1].tolist(), strict=True)
    )
    return GapReport(instrument, timeframe, gaps, sessions)
