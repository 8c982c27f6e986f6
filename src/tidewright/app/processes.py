"""Independent work in several processes, one thread each."""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import TypeVar, cast

from tidewright.domain.errors import ConfigError, Transient

Given = TypeVar("Given")
Found = TypeVar("Found")

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
_AHEAD = 2
"""Items that wait for each process, so that none waits for an item."""


class ProcessExecutor:
    """Works in processes of its own; an `Executor`.

    Work and items are pickled; work that carries much data travels once to each process. Processes
    start with the first item and end with `close`; used in a ``with`` statement, it closes itself.

    Parameters
    ----------
    processes : int
        How many, at least 1.

    Raises
    ------
    ConfigError
        If there are to be fewer than 1.
    """

    def __init__(self, processes: int) -> None:
        if processes < 1:
            raise ConfigError(f"processes were {processes}; expected at least 1")
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> ProcessExecutor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; items that were not begun are abandoned."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def map(self, work: Callable[[Given], Found], items: Iterable[Given]) -> Iterator[Found]:
        """Yield ``work(item)`` in the order of the items.

        Raises
        ------
        Transient
            If a process ended without an answer, such as for want of memory.
        """
        pool = self._started()
        with tempfile.TemporaryDirectory(prefix="tidewright-") as folder:
            path = Path(folder) / "work"
            with path.open("wb") as file:
                pickle.dump(work, file, protocol=pickle.HIGHEST_PROTOCOL)
            waiting: deque[Future[object]] = deque()
            rest = iter(items)
            try:
                while True:
                    while len(waiting) < _AHEAD * self._processes:
                        try:
                            item = next(rest)
                        except StopIteration:
                            break
                        waiting.append(pool.submit(_work, str(path), item))
                    if not waiting:
                        return
                    yield cast("Found", waiting.popleft().result())
            except BrokenProcessPool as error:
                self._pool = None
                raise Transient(
                    "a worker process ended without an answer, perhaps for want of memory; "
                    "expected it to finish: try again with fewer processes"
                ) from error
            finally:
                for future in waiting:
                    future.cancel()
                # The folder goes with this call: nobody may still be about to read from it.
                for future in waiting:
                    if not future.cancelled() and self._pool is not None:
                        future.exception()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # What is compiled here is loaded there.
            _warm()
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=get_context("spawn"), initializer=_begin
            )
        return self._pool


def _warm() -> None:
    from tidewright.kernels.warmup import warm_up_research

    warm_up_research()


def _begin() -> None:
    """Prepare a new process: one thread, and interrupts are its parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    _warm()


@lru_cache(maxsize=1)
def _loaded(path: str) -> Callable[[object], object]:
    """Return the work that a file holds; a process keeps the one that it did last."""
    work: Callable[[object], object] = pickle.loads(Path(path).read_bytes())  # noqa: S301 - ours
    return work


def _work(path: str, item: object) -> object:
    return _loaded(path)(item)
