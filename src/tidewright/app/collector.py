"""The cyclic garbage collector, paused while a run makes millions of short-lived values."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Leave memory to reference counts alone while the block runs.

    A step makes values that refer to older values and never to themselves, so that counting frees
    all of them; looking for cycles would walk everything that a long run keeps, again and again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
