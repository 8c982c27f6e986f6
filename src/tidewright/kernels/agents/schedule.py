"""Who acts next: a heap of traders by the time at which they wake, then by their number."""

from __future__ import annotations

from tidewright.kernels.agents.layout import Int64
from tidewright.kernels.jit import inlined


@inlined
def earlier(times: Int64, one: int, other: int) -> bool:
    """Return whether a trader wakes before another."""
    return bool(times[one] < times[other] or (times[one] == times[other] and one < other))


@inlined
def sink(heap: Int64, times: Int64, count: int) -> None:
    """Restore the order of the heap after the wake time of its first trader grew."""
    moved, place = heap[0], 0
    while True:
        child = 2 * place + 1
        if child >= count:
            break
        if child + 1 < count and earlier(times, heap[child + 1], heap[child]):
            child += 1
        if not earlier(times, heap[child], moved):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = moved
