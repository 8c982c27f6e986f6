"""A table that only grows, of which the newest rows are kept."""

from __future__ import annotations

import numpy as np

from tidewright.kernels.matching.layout import Int64

CHUNK = 65_536
"""Rows that may be added at a time."""


class Roll:
    """The newest rows of a table, one after the other in one array.

    Parameters
    ----------
    keep : int
        Rows that are kept at least; older ones go when room is needed.
    columns : int
        Numbers in a row.
    """

    def __init__(self, keep: int, columns: int) -> None:
        self.keep = keep
        self.count = 0
        self.dropped = False
        # Pages of it are taken when rows first reach them.
        self.table = np.zeros((keep + CHUNK, columns), np.int64)

    @property
    def rows(self) -> Int64:
        """The rows that are kept, oldest first; a view."""
        return self.table[: self.count]

    def make_room(self, rows: int) -> None:
        """Let up to `CHUNK` rows be written from ``count`` on."""
        if self.count + rows > len(self.table):
            # Copied once for many rows, so that a row costs the same however many are kept.
            self.table[: self.keep] = self.table[self.count - self.keep : self.count].copy()
            self.count, self.dropped = self.keep, True
