"""Columns that the sets of a sweep share, each worked out once while there is room for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.instrument import Instrument
from tidewright.features.declarations import ColumnReference
from tidewright.kernels.bulk.bits import make_finite
from tidewright.kernels.bulk.layout import Float64
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.columns import instrument_rows

KEPT_COLUMNS = 2**27 + 2**26
"""Bytes of columns that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What columns are worked out from.

    Parameters
    ----------
    series, instruments, timeframe, watched
        As `instrument_rows` takes them.
    """

    series: Sequence[BarArrays]
    instruments: Sequence[Instrument]
    timeframe: str
    watched: Sequence[bool]


class ColumnStore:
    """Columns of rows, instruments one after the other, finite or NaN.

    Parameters
    ----------
    rows : Rows
        What they are of.
    count : int
        Rows of all instruments.
    """

    def __init__(self, rows: Rows, count: int) -> None:
        self._rows = rows
        self._room = max(KEPT_COLUMNS // (8 * count + 1), 1)
        self._columns: OrderedDict[ColumnReference, Float64] = OrderedDict()

    def load(self, references: Sequence[ColumnReference]) -> None:
        """Work out those columns that are not there, all at once."""
        wanted = dict.fromkeys(references)
        for reference in wanted:
            if reference in self._columns:
                self._columns.move_to_end(reference)
        missing = [reference for reference in wanted if reference not in self._columns]
        if not missing:
            return
        while self._columns and len(self._columns) + len(missing) > self._room:
            self._columns.popitem(last=False)
        rows = self._rows
        found = instrument_rows(
            rows.series, rows.instruments, missing, rows.timeframe, rows.watched
        )
        for place, reference in enumerate(missing):
            parts = [one.columns[place] for one in found]
            # A row of a table would keep the whole table.
            alone = len(parts) == len(missing) == 1
            column = parts[0] if alone else np.concatenate(parts)
            make_finite(column)
            self._columns[reference] = column

    def __getitem__(self, reference: ColumnReference) -> Float64:
        if reference not in self._columns:
            self.load((reference,))
        return self._columns[reference]

    def table(self, references: Sequence[ColumnReference], count: int) -> Float64:
        """Return some columns as one array of shape (n_references, ``count``)."""
        table = np.empty((len(references), count))
        for place, reference in enumerate(references):
            table[place] = self[reference]
        return table
