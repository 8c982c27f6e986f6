"""The venue's time: it begins at a moment and runs at a speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from tidewright.domain.errors import ConfigError


class Alarm(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Forget the call; no effect when it was made."""


class Clock(Protocol):
    """What tells the venue's time and calls back when some of it has passed."""

    def now(self) -> int:
        """Return the time, nanoseconds UTC."""

    def call_later(self, delay: float, call: Callable[[], None]) -> Alarm:
        """Call once after so many seconds of venue time."""


class RunningClock:
    """A clock that runs beside the machine's own.

    Parameters
    ----------
    speed : float
        Seconds of venue time in one real second.
    start : int, optional
        Venue time now, nanoseconds UTC; the machine's by default.

    Raises
    ------
    ConfigError
        If the speed is not above 0.
    """

    def __init__(self, speed: float = 1.0, start: int | None = None) -> None:
        if not speed > 0:
            raise ConfigError(f"speed was {speed}; expected more than 0")
        self.speed = speed
        self._zero = time.monotonic_ns()
        self._start = time.time_ns() if start is None else start

    def now(self) -> int:
        """Return the venue's time, nanoseconds UTC; it never goes back unless shifted."""
        passed = time.monotonic_ns() - self._zero
        return self._start + (passed if self.speed == 1.0 else int(passed * self.speed))

    def shift(self, nanoseconds: int) -> None:
        """Set the clock forward, or back."""
        self._start += nanoseconds

    def call_later(self, delay: float, call: Callable[[], None]) -> Alarm:
        """Call once after so many seconds of venue time; needs the running event loop."""
        return asyncio.get_running_loop().call_later(delay / self.speed, call)
