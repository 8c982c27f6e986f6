"""TA-Lib's functions on arrays, loaded without its wrappers for data frames.

On import TA-Lib looks for polars and pandas and, where it finds them, wraps every function to take
their series. Columns are arrays, and the two libraries would cost a trader half a second of its
start and tens of megabytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _seeming_absent(*names: str) -> Iterator[None]:
    """Let modules that are not imported yet look as if they were not installed."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        # None is how the import system marks a module that cannot be imported.
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _seeming_absent("polars", "pandas"):
    import talib as batch
    from talib import stream

__all__ = ["batch", "stream"]
