"""A book at one moment, as a feed shows it to people."""

from __future__ import annotations

from dataclasses import dataclass

from tidewright.exchange.spot.values import Depth, PublicTrade


@dataclass(frozen=True, slots=True)
class BookPicture:
    """A book at one moment, prices and quantities whole numbers of 1e-8.

    Parameters
    ----------
    depth : Depth
        The best levels.
    trades : tuple of PublicTrade
        The last trades, oldest first.
    """

    depth: Depth
    trades: tuple[PublicTrade, ...]
