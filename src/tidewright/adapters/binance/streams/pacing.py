"""How often to speak and when to come back: pure arithmetic over a clock that is handed in."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tidewright.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance, as the edge of the program has them.

    Parameters
    ----------
    now : callable
        Seconds of a clock that never jumps.
    sleep : callable
        Waits for some of its seconds.
    draw : callable
        Gives a number in [0, 1) by chance, so that many clients do not come back together.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random


class Backoff:
    """Pauses that double, each drawn from the upper half of its range.

    Parameters
    ----------
    first, longest : float
        Upper end of the first pause and of all later ones, seconds.
    draw : callable
        Gives a number in [0, 1) by chance.

    Raises
    ------
    ConfigError
        If the first pause is not above 0, or longer than the longest.
    """

    def __init__(self, first: float, longest: float, draw: Callable[[], float]) -> None:
        if not 0 < first <= longest:
            raise ConfigError(f"pauses were {first} to {longest} s; expected 0 < first <= longest")
        self._first = first
        self._longest = longest
        self._draw = draw
        self._next = first

    def pause(self) -> float:
        """Return how long to wait now, in seconds, and double the next pause."""
        upper = self._next
        self._next = min(2 * upper, self._longest)
        return upper * (0.5 + 0.5 * self._draw())

    def reset(self) -> None:
        """Begin with the first pause again: things went well for a while."""
        self._next = self._first


class MessageBudget:
    """At most so many messages in any second.

    Parameters
    ----------
    most : int
        Messages that may be sent within ``span``.
    span : float
        Seconds.

    Raises
    ------
    ConfigError
        If no message may be sent at all.
    """

    def __init__(self, most: int, span: float = 1.0) -> None:
        if most < 1 or span <= 0:
            raise ConfigError(f"budget was {most} messages in {span} s; expected both above 0")
        self._most = most
        self._span = span
        self._sent: deque[float] = deque(maxlen=most)

    def wait(self, now: float) -> float:
        """Return after how many seconds a message may be sent; 0 for at once."""
        if len(self._sent) < self._most:
            return 0.0
        return max(0.0, self._sent[0] + self._span - now)

    def spend(self, now: float) -> None:
        """Count a message that is sent now."""
        self._sent.append(now)
