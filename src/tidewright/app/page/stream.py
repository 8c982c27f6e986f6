"""Live messages for any number of readers: one snapshot each, then shared deltas.

The trading thread only raises a flag; once in a while the event loop makes one delta of whatever
happened meanwhile and hands the same bytes to every reader. A reader that does not keep up loses
its queue and gets a fresh snapshot instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Self

from tidewright.app.page.queries import delta, snapshot
from tidewright.app.page.read_models import Snapshot
from tidewright.app.page.view import Cursor, LiveView

QUEUE_LIMIT = 32

_log = logging.getLogger(__name__)


class Subscription:
    """The messages of one reader; iterate over it."""

    def __init__(self, first: bytes) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_LIMIT)
        self._queue.put_nowait(first)
        self.lagging = False

    def offer(self, message: bytes) -> None:
        """Queue a message; a full queue marks the reader as lagging."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.lagging = True

    def restart(self, message: bytes) -> None:
        """Forget what waits and begin again with a snapshot."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(message)
        self.lagging = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await self._queue.get()


class Stream:
    """Fans the changes of one view out to its readers, inside one event loop.

    Parameters
    ----------
    view : LiveView
        What is read.
    interval, heartbeat : float
        Seconds between two deltas at least, and at most.
    """

    def __init__(self, view: LiveView, interval: float = 0.1, heartbeat: float = 2.0) -> None:
        self._view = view
        self._interval = interval
        self._heartbeat = heartbeat
        self._readers: set[Subscription] = set()
        self._cursor: Cursor | None = None
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Yield a subscription that starts with a snapshot.

        A delta after it may repeat items that the snapshot held already: readers merge by id.
        """
        whole, cursor = snapshot(self._view)
        if self._cursor is None:
            self._cursor = cursor
        subscription = Subscription(whole.model_dump_json().encode())
        self._readers.add(subscription)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield subscription
        finally:
            self._readers.discard(subscription)
            if not self._readers:
                await self._stop()

    async def _stop(self) -> None:
        task, self._task, self._cursor = self._task, None, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _deliver(self) -> None:
        """Give every reader what is new."""
        if self._cursor is None or not self._readers:
            return
        message, self._cursor = delta(self._view, self._cursor)
        data = message.model_dump_json().encode()
        for reader in self._readers:
            if isinstance(message, Snapshot):
                reader.restart(data)
            else:
                reader.offer(data)
        if lagging := [reader for reader in self._readers if reader.lagging]:
            whole, _ = snapshot(self._view)
            data = whole.model_dump_json().encode()
            for reader in lagging:
                reader.restart(data)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)

        try:
            while True:
                changed.clear()
                self._view.watch(wake)
                self._deliver()
                await asyncio.sleep(self._interval)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), self._heartbeat)
                self._view.unwatch(wake)
        except Exception:
            _log.exception("live messages ended; readers notice the silence and come back")
            raise
        finally:
            self._view.unwatch(wake)
