"""When an order must be looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tidewright.domain.time import SECOND
from tidewright.execution.settings import ExecutionSettings


class Timers:
    """One timer per order at most.

    Attributes
    ----------
    next_due : int
        When the earliest timer is due, nanoseconds UTC; 0 when none is set.
    """

    __slots__ = ("_delay", "_longest", "_timeout", "_timers", "next_due")

    def __init__(self, settings: ExecutionSettings) -> None:
        self._timeout = settings.order_timeout_seconds * SECOND
        self._delay = settings.retry_delay_seconds * SECOND
        self._longest = settings.stale_check_interval_seconds * SECOND
        self._timers: dict[str, tuple[int, int]] = {}
        self.next_due = 0

    def await_answer(self, client_id: str, ts: int) -> None:
        """Wait for the answer to a command that left at a time."""
        self._set(client_id, ts + self._timeout, 0)

    def ask_again(self, client_id: str, ts: int, attempts: int) -> None:
        """Ask again after a pause that doubles with every attempt, up to the longest one."""
        pause = self._delay << min(max(attempts - 1, 0), 20)
        self._set(client_id, ts + min(pause, self._longest), attempts)

    def at_once(self, client_id: str, ts: int) -> None:
        """Look at an order at the next occasion."""
        self._set(client_id, max(ts, 1), 0)

    def clear(self, client_id: str) -> None:
        """Forget an order's timer."""
        if self._timers.pop(client_id, None) is not None:
            self._retime()

    def attempts(self, client_id: str) -> int:
        """Return how often an order was asked for."""
        return self._timers.get(client_id, (0, 0))[1]

    def due(self, ts: int) -> Iterator[str]:
        """Yield the orders whose timers are due, in the order of their timers' setting."""
        yield from [name for name, (when, _) in self._timers.items() if when <= ts]

    def snapshot(self) -> dict[str, list[int]]:
        """Return the timers as JSON-able values."""
        return {name: list(timer) for name, timer in self._timers.items()}

    def restore(self, data: Mapping[str, Sequence[int]]) -> None:
        """Take over a snapshot."""
        self._timers = {name: (int(when), int(tries)) for name, (when, tries) in data.items()}
        self._retime()

    def _set(self, client_id: str, when: int, attempts: int) -> None:
        self._timers.pop(client_id, None)
        self._timers[client_id] = (when, attempts)
        self._retime()

    def _retime(self) -> None:
        self.next_due = min((when for when, _ in self._timers.values()), default=0)
