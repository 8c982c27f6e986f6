"""A market's whole state as bytes, so that it can go on later from where it stood.

What is saved: the arrays of the population, and of each book its header, its orders, its bitmaps
and those price levels that the bitmaps name. All other levels are empty, and there are millions.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Float64, Int64

_DIGEST = 16
_FASTEST = 1
_LEVELS = ((at.LEVELS, at.BITS), (at.WAITING_LEVELS, at.WAITING_BITS))


def pack(arrays: Sequence[Int64 | Float64], books: Sequence[Int64]) -> bytes:
    """Return arrays and books as bytes.

    Parameters
    ----------
    arrays : sequence of int64 or float64 arrays
        Whatever belongs to the state beside the books.
    books : sequence of int64 arrays of shape (n_words,)
        As `exchange.matching.book` makes them.

    Raises
    ------
    ConfigError
        If a book's log holds rows that nobody took.
    """
    parts = [_sizes(arrays, books), *(array.reshape(-1).view(np.int64) for array in arrays)]
    for book in books:
        if book[at.LOG_ROWS]:
            raise ConfigError(f"a log held {book[at.LOG_ROWS]} rows; expected it to be taken first")
        parts += [book[: book[at.LEVELS]], book[book[at.BITS] :]]
        parts += [book[_level_words(book, levels, bits)].reshape(-1) for levels, bits in _LEVELS]
    data = zlib.compress(np.concatenate(parts).tobytes(), _FASTEST)
    return _digest(data) + data


def unpack(data: bytes, arrays: Sequence[Int64 | Float64], books: Sequence[Int64]) -> None:
    """Fill arrays and books of the same shapes with what `pack` returned.

    Raises
    ------
    DataIntegrityError
        If the bytes are damaged or of other shapes; nothing was changed then.
    """
    packed = data[_DIGEST:]
    if _digest(packed) != data[:_DIGEST]:
        raise DataIntegrityError("a saved market was damaged; expected the bytes that were saved")
    words = np.frombuffer(zlib.decompress(packed), np.int64)
    sizes = _sizes(arrays, books)
    if not np.array_equal(words[: len(sizes)], sizes):
        raise DataIntegrityError(f"a saved market was of another shape; expected {sizes.tolist()}")
    words = words[len(sizes) :]
    words = _fill([array.reshape(-1).view(np.int64) for array in arrays], words)
    for book in books:
        for levels, bits in _LEVELS:
            book[_level_words(book, levels, bits)] = 0
        words = _fill([book[: book[at.LEVELS]], book[book[at.BITS] :]], words)
        for levels, bits in _LEVELS:
            places = _level_words(book, levels, bits)
            book[places] = words[: places.size].reshape(places.shape)
            words = words[places.size :]


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()


def _sizes(arrays: Sequence[Int64 | Float64], books: Sequence[Int64]) -> Int64:
    sizes = [array.size for array in arrays]
    return np.array([*sizes, *(len(book) for book in books), *(int(b[at.LEVELS]) for b in books)])


def _fill(places: Sequence[Int64], words: Int64) -> Int64:
    """Copy words into places, one after the other, and return the rest."""
    for place in places:
        place[:] = words[: len(place)]
        words = words[len(place) :]
    return words


def _level_words(book: Int64, levels: int, bits: int) -> NDArray[np.intp]:
    """Return where the occupied levels of a bitmap lie, shape (n, N_LEVEL)."""
    first = int(book[bits])
    bitmap = book[first : first + -(-int(book[at.PRICES]) // 64)]
    used = np.flatnonzero(bitmap)
    # Bytes of a word from its lowest bits on, whatever the machine's own order is.
    octets = bitmap[used].astype("<i8").view(np.uint8).reshape(-1, 8)
    word, bit = np.nonzero(np.unpackbits(octets, axis=1, bitorder="little"))
    prices = used[word] * 64 + bit
    return int(book[levels]) + prices[:, None] * at.N_LEVEL + np.arange(at.N_LEVEL)
