"""Truth of conditions over a whole history, one bit a row: bit ``row % 64`` of word ``row // 64``.

The comparisons are those of `kernels.expressions`: a number that is unknown compares as nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.bulk.layout import Flags, Float64, Int64
from tidewright.kernels.jit import unallocating

Words = NDArray[np.uint64]
"""Array of uint64."""

WIDTH = 64
"""Rows of a word."""

_ONE = np.uint64(1)
_TOP = np.uint64(WIDTH - 1)


def word_count(rows: int) -> int:
    """Return how many words hold so many rows."""
    return (rows + WIDTH - 1) // WIDTH


@unallocating
def compare_columns(
    left: Float64, right: Float64, above: Words, below: Words, equal: Words
) -> None:
    """Compare two columns.

    Parameters
    ----------
    left, right : float64 array of shape (n_rows,)
        Finite numbers, or NaN for unknown.
    above, below, equal : uint64 array of shape (n_words,)
        Receive where the left one is greater, smaller, equal; no bit where either is unknown.
    """
    rows = len(left)
    for word in range(len(above)):
        first = word * WIDTH
        greater = smaller = same = np.uint64(0)
        for place in range(min(WIDTH, rows - first)):
            a, b, shift = left[first + place], right[first + place], np.uint64(place)
            greater |= np.uint64(a > b) << shift
            smaller |= np.uint64(a < b) << shift
            same |= np.uint64(a == b) << shift
        above[word], below[word], equal[word] = greater, smaller, same


@unallocating
def compare_number(left: Float64, right: float, above: Words, below: Words, equal: Words) -> None:
    """Compare a column with a number, as `compare_columns` compares two."""
    rows = len(left)
    for word in range(len(above)):
        first = word * WIDTH
        greater = smaller = same = np.uint64(0)
        for place in range(min(WIDTH, rows - first)):
            a, shift = left[first + place], np.uint64(place)
            greater |= np.uint64(a > right) << shift
            smaller |= np.uint64(a < right) << shift
            same |= np.uint64(a == right) << shift
        above[word], below[word], equal[word] = greater, smaller, same


@unallocating
def delay(words: Words, firsts: Int64, out: Words) -> None:
    """Write what was true one row before; nothing was before the first row of an instrument.

    Parameters
    ----------
    words : uint64 array of shape (n_words,)
        Bits.
    firsts : int64 array of shape (n_instruments + 1,)
        First row of each instrument, then the number of rows.
    out : uint64 array of shape (n_words,)
        Receives the bits.
    """
    carried = np.uint64(0)
    for word in range(len(words)):
        out[word] = (words[word] << _ONE) | carried
        carried = words[word] >> _TOP
    for first in firsts:
        if first // WIDTH < len(out):
            out[first // WIDTH] &= ~(_ONE << np.uint64(first % WIDTH))


@unallocating
def mark_rows(words: Words, flag: int, flags: Flags) -> None:
    """Set a flag on each row whose bit is set.

    Parameters
    ----------
    words : uint64 array of shape (n_words,)
        Bits; none beyond the rows.
    flag : int
        What is added to the flags of the row.
    flags : uint8 array of shape (n_rows,)
        Changed in place.
    """
    for word in range(len(words)):
        rest = words[word]
        if rest == 0:
            continue
        first = word * WIDTH
        for place in range(min(WIDTH, len(flags) - first)):
            if (rest >> np.uint64(place)) & _ONE:
                flags[first + place] |= flag


@unallocating
def make_finite(values: Float64) -> None:
    """Make every infinite number unknown.

    Hardly any column has one, and reading alone takes half the time of writing too.
    """
    infinite = 0
    for row in range(len(values)):
        infinite += abs(values[row]) == np.inf
    if infinite > 0:
        for row in range(len(values)):
            if abs(values[row]) == np.inf:
                values[row] = np.nan
