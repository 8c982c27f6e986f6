"""Bars as compressed blobs: history segments of the journal.

A blob is a header line, naming version, instrument, timeframe and length, and the seven columns as
little-endian int64, each as differences from its predecessor, compressed together.
"""

from __future__ import annotations

import zlib

import numpy as np
import orjson

from tidewright.domain.errors import DataIntegrityError
from tidewright.market.arrays import BarArrays

_VERSION = 1
_COLUMNS = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")
_LEVEL = 1


def encode_bars(bars: BarArrays) -> bytes:
    """Return bars as a blob; equal bars give equal bytes under one build of zlib."""
    header = orjson.dumps([_VERSION, bars.instrument, bars.timeframe, len(bars)])
    columns = np.empty((len(_COLUMNS), len(bars)), np.dtype("<i8"))
    for row, name in zip(columns, _COLUMNS, strict=True):
        row[:] = getattr(bars, name)
    # Differences wrap around on overflow and so does the sum that undoes them.
    columns[:, 1:] -= columns[:, :-1].copy()
    return header + b"\n" + zlib.compress(columns.tobytes(), _LEVEL)


def decode_bars(data: bytes) -> BarArrays:
    """Return the bars of a blob.

    Raises
    ------
    DataIntegrityError
        If it is no such blob, or a newer build wrote it.
    """
    header, _, body = data.partition(b"\n")
    try:
        version, instrument, timeframe, length = orjson.loads(header)
        if version != _VERSION:
            raise DataIntegrityError(f"history was of version {version}; expected {_VERSION}")
        raw = np.frombuffer(zlib.decompress(body), np.dtype("<i8"))
        columns = raw.reshape(len(_COLUMNS), length).astype(np.int64)
    except (ValueError, zlib.error) as error:
        raise DataIntegrityError(f"history was {data[:40]!r}; expected bars: {error}") from error
    np.cumsum(columns, axis=1, out=columns)
    return BarArrays(instrument, timeframe, *columns)


def join_bars(parts: list[BarArrays]) -> BarArrays:
    """Return stretches of one series as one; where they overlap the later stretch wins.

    Parameters
    ----------
    parts : list of BarArrays
        At least one, all of one instrument and timeframe, ordered by their first bar.

    Raises
    ------
    DataIntegrityError
        If they are of different series.
    """
    names = {(part.instrument, part.timeframe) for part in parts}
    if len(names) != 1:
        raise DataIntegrityError(f"history was of {sorted(names)}; expected one series")
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS]
    # The last of equal time stamps is the first one when the order is reversed.
    _, keep = np.unique(columns[0][::-1], return_index=True)
    kept = [column[::-1][keep] for column in columns]
    return BarArrays(parts[0].instrument, parts[0].timeframe, *kept)
