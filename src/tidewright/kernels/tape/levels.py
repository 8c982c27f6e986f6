"""Price levels that a book shows, and what changed between two looks at it."""

from __future__ import annotations

from tidewright.kernels.jit import compiled
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.ladder import next_above, next_below
from tidewright.kernels.matching.layout import Int64

UNSURE = -1
"""Lots of a level that somebody may know otherwise than a reader saw it."""


@compiled
def list_levels(book: Int64, side: int, out: Int64) -> int:
    """Write the occupied price levels of a side, best first.

    Parameters
    ----------
    book : int64 array
        As `exchange.matching.new_book` makes it.
    side : int
        1 for the bids, -1 for the asks.
    out : int64 array of shape (limit, 2)
        Receives ticks and shown lots; what iceberg orders hide is not in them.

    Returns
    -------
    int
        How many levels were written, at most ``limit``.
    """
    price = book[at.BID] if side > 0 else book[at.ASK]
    found, limit = 0, out.shape[0]
    while found < limit and price != 0 and price != book[at.PRICES]:
        out[found, 0] = price
        out[found, 1] = book[book[at.LEVELS] + price * at.N_LEVEL + at.SHOWN_LOTS]
        found += 1
        price = next_below(book, at.BITS, price) if side > 0 else next_above(book, at.BITS, price)
    return found


@compiled
def _ahead(first: Int64, one: int, second: Int64, other: int, side: int) -> int:
    """Return 1 where the next level of the first list is the better one, -1 for the second's."""
    if one == first.shape[0]:
        return -1
    if other == second.shape[0] or (first[one, 0] - second[other, 0]) * side > 0:
        return 1
    return 0 if first[one, 0] == second[other, 0] else -1


@compiled
def changed_levels(before: Int64, after: Int64, side: int, out: Int64) -> int:
    """Write the levels whose lots differ between two lists, as they are in the second.

    Parameters
    ----------
    before, after : int64 arrays of shape (n, 2) and (m, 2)
        Ticks and lots of one side, best first.
    side : int
        1 for bids, -1 for asks.
    out : int64 array of shape (n + m, 2)
        Receives the levels, best first; one that is gone has 0 lots.

    Returns
    -------
    int
        How many levels were written.
    """
    one, other, found = 0, 0, 0
    while one < before.shape[0] or other < after.shape[0]:
        ahead = _ahead(before, one, after, other, side)
        if ahead > 0:
            out[found, 0], out[found, 1] = before[one, 0], 0
            found += 1
        elif ahead < 0 or before[one, 1] != after[other, 1]:
            out[found, 0], out[found, 1] = after[other, 0], after[other, 1]
            found += 1
        one += 1 if ahead >= 0 else 0
        other += 1 if ahead <= 0 else 0
    return found


@compiled
def doubt_levels(seen: Int64, told: Int64, side: int, out: Int64) -> int:
    """Write the levels that a reader saw, `UNSURE` where somebody was told otherwise.

    Parameters
    ----------
    seen, told : int64 arrays of shape (n, 2) and (m, 2)
        Ticks and lots of one side, best first.
    side : int
        1 for bids, -1 for asks.
    out : int64 array of shape (n + m, 2)
        Receives every level that is in one of the lists, best first.

    Returns
    -------
    int
        How many levels were written.
    """
    one, other, found = 0, 0, 0
    while one < seen.shape[0] or other < told.shape[0]:
        ahead = _ahead(seen, one, told, other, side)
        out[found, 0] = seen[one, 0] if ahead >= 0 else told[other, 0]
        same = ahead == 0 and seen[one, 1] == told[other, 1]
        out[found, 1] = seen[one, 1] if same else UNSURE
        found += 1
        one += 1 if ahead >= 0 else 0
        other += 1 if ahead <= 0 else 0
    return found
