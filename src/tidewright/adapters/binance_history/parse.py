"""Reading what Binance's ``klines`` endpoint answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from tidewright.domain.errors import Transient
from tidewright.market.arrays import Int64
from tidewright.market.validation import RawBars

MILLISECOND = 1_000_000
"""Nanoseconds in the unit of Binance's times."""

_FIELDS = 11


@dataclass(frozen=True, slots=True, eq=False)
class KlinePage:
    """One answer of the endpoint.

    Parameters
    ----------
    raw : RawBars
        Its candles, in the order in which they came; the last may still be open.
    ts_close : int64 array of shape (n_bars,)
        First moment after each candle, nanoseconds UTC.
    """

    raw: RawBars
    ts_close: Int64

    def __len__(self) -> int:
        return len(self.raw)


def parse_klines(body: bytes) -> KlinePage:
    """Return the candles of an answer.

    Parameters
    ----------
    body : bytes
        A JSON list of candles: open time, open, high, low, close, volume, close time (the last
        millisecond of the candle) and five more values; prices as text, times in milliseconds.

    Raises
    ------
    Transient
        If the answer is no such list, as when a proxy cut it off or answered in its own words.
    """
    try:
        rows = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Transient(f"klines answer was {body[:80]!r}; expected JSON: {error}") from error
    if not isinstance(rows, list):
        raise Transient(f"klines answer was {body[:80]!r}; expected a list of candles")
    for row in rows:
        _check_row(row)
    times = np.array([row[0] for row in rows], np.int64) * MILLISECOND
    closes = (np.array([row[6] for row in rows], np.int64) + 1) * MILLISECOND
    values = np.array([_numbers(row) for row in rows], np.float64).reshape(len(rows), 5)
    return KlinePage(RawBars(times, np.ascontiguousarray(values[:, :4]), values[:, 4]), closes)


def _check_row(row: object) -> None:
    if not (
        isinstance(row, list)
        and len(row) >= _FIELDS
        and isinstance(row[0], int)
        and isinstance(row[6], int)
    ):
        raise Transient(f"candle was {str(row)[:120]}; expected a list of {_FIELDS} or more values")


def _numbers(row: Sequence[object]) -> tuple[float, ...]:
    try:
        return tuple(float(str(value)) for value in row[1:6])
    except ValueError as error:
        raise Transient(f"candle was {str(row)[:120]}; expected numbers: {error}") from error
