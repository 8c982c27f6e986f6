"""The account as risk sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tidewright.domain.orders import OrderRecord


@dataclass(frozen=True, slots=True)
class AccountView:
    """Account, orders and prices at one moment.

    Parameters
    ----------
    ts : int
        The moment, nanoseconds UTC.
    equity, cash : int
        Money units; equity is cash plus positions at the latest closes.
    positions : mapping of str to int
        Signed lots by instrument id.
    marks : mapping of str to int
        Latest close in ticks by instrument id.
    mark_times : mapping of str to int
        When each mark was known, nanoseconds UTC.
    working : sequence of OrderRecord
        Every order that is not final, protective legs and orders of unknown outcome included.
    unknown : frozenset of str
        Instruments with an order of unknown outcome.
    feed_live : bool
        Whether the market feed delivers.
    correlation : callable of (str, str) to float
        Correlation of two instruments' returns in [-1, 1]; NaN when it is not known.
    """

    ts: int
    equity: int
    cash: int
    positions: Mapping[str, int]
    marks: Mapping[str, int]
    mark_times: Mapping[str, int]
    working: Sequence[OrderRecord]
    unknown: frozenset[str]
    feed_live: bool
    correlation: Callable[[str, str], float]
