"""The order in which pushed things leave, when some are dropped, repeated or overtaken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from tidewright.exchange.faults.plans import PushPlan

T = TypeVar("T")


@dataclass(slots=True)
class _Held(Generic[T]):
    item: T
    stream: str
    copies: int
    delay: int
    left: int


class Line(Generic[T]):
    """What waits to be pushed to one reader.

    What is delayed holds up what is behind it, as on one connection; only what is reordered is
    overtaken, by later things of its stream.
    """

    def __init__(self) -> None:
        self._held: list[_Held[T]] = []
        self._skips: dict[str, int] = {}
        self._free_at = 0

    def push(self, item: T, plan: PushPlan, now: int, stream: str = "") -> list[tuple[int, T]]:
        """Return what goes out because something came: times and items, in order.

        Parameters
        ----------
        item : T
            What came.
        plan : PushPlan
            What happens to it.
        now : int
            Nanoseconds UTC.
        stream : str
            What it is a part of: skipped are only things of one stream, and overtaking.

        Returns
        -------
        list of (int, T)
            When each goes out, never before now and never falling.
        """
        if skips := max(self._skips.get(stream, 0), plan.skip):
            self._skips[stream] = skips - 1
            return []
        if plan.copies and plan.behind:
            self._held.append(_Held(item, stream, plan.copies, plan.delay, plan.behind))
            return []
        leaving = self._leave(item, plan.copies, plan.delay, now)
        if not plan.copies:
            return leaving
        for held in self._held:
            held.left -= held.stream == stream
        for held in [one for one in self._held if not one.left]:
            leaving += self._leave(held.item, held.copies, held.delay, now)
        self._held = [one for one in self._held if one.left]
        return leaving

    def _leave(self, item: T, copies: int, delay: int, now: int) -> list[tuple[int, T]]:
        if not copies:
            return []
        self._free_at = max(self._free_at, now + delay)
        return [(self._free_at, item)] * copies
