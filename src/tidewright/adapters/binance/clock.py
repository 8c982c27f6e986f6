"""The venue's clock as seen from here: an interval that round trips narrow down.

A venue that says ``t`` milliseconds said it between the request's leaving and the answer's coming,
so its clock is ahead of ours by no less than ``t`` minus the coming, and by no more than ``t``
plus one millisecond minus the leaving. Every round trip must hold at once, so the intervals are
intersected; with age they widen, because clocks drift. Intervals that do not meet show that a
clock was set, and the newest alone is kept.

Give it a clock that is never set, such as the monotonic one: then only the venue's can jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MILLISECOND = 1_000_000
"""Nanoseconds in the unit of Binance's times."""


@dataclass(frozen=True, slots=True)
class ClockEstimate:
    """How far the venue's clock is ahead of ours, nanoseconds.

    Parameters
    ----------
    low, high : int
        The venue's clock minus ours lies between these.
    measured : int
        Our clock when the last round trip came back, nanoseconds.
    drift_ppm : int
        How fast two clocks may part, in millionths.
    known : bool
        Whether there was a round trip since the venue last called the time wrong, or ever. Before
        that the bounds are a guess.
    """

    low: int = 0
    high: int = 0
    measured: int = 0
    drift_ppm: int = 200
    known: bool = False

    def heard(self, sent: int, venue_milliseconds: int, received: int) -> ClockEstimate:
        """Return the estimate after one more round trip.

        Parameters
        ----------
        sent, received : int
            Our clock when the request left and when its answer came, nanoseconds.
        venue_milliseconds : int
            What the venue said.

        Raises
        ------
        ValueError
            If the answer came before the request left.
        """
        if received < sent:
            raise ValueError(f"answer came at {received}; expected no earlier than {sent}")
        said = venue_milliseconds * MILLISECOND
        low, high = said - received, said + MILLISECOND - sent
        if self.known:
            widened = self._drift(received)
            both = max(low, self.low - widened), min(high, self.high + widened)
            if both[0] <= both[1]:
                low, high = both
        return ClockEstimate(low, high, received, self.drift_ppm, known=True)

    def doubted(self) -> ClockEstimate:
        """Return an estimate that must be measured anew, as after ``-1021``."""
        return replace(self, known=False)

    @property
    def offset(self) -> int:
        """The venue's clock minus ours: the middle of what is possible, nanoseconds."""
        return (self.low + self.high) // 2

    def error(self, now: int) -> int:
        """Return how far `offset` may be off at a time of ours, nanoseconds."""
        return (self.high - self.low + 1) // 2 + self._drift(now)

    def milliseconds(self, now: int) -> int:
        """Return the venue's time at a time of ours, in the unit that requests carry."""
        return (now + self.offset) // MILLISECOND

    def is_due(self, now: int, worst: int) -> bool:
        """Return whether to measure again, because the error may exceed a number of nanoseconds."""
        return not self.known or self.error(now) > worst

    def _drift(self, now: int) -> int:
        return max(now - self.measured, 0) * self.drift_ppm // 1_000_000
