"""Recorded streams of the real venue rebuild its book, and its own best prices agree."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidewright.adapters.binance.streams.messages import BookTicker, DepthUpdate, Trade
from tidewright.adapters.binance.streams.reading import read_depth, read_message
from tidewright.market.local_book import BookStatus, LocalBook, Taken

pytestmark = pytest.mark.realdata
FILES = [f"lob/binance_spot_btcusdt_202408{day}_raw.txt.gz" for day in ("08", "09")]


def recorded(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Yield when each message came, nanoseconds UTC, and the message."""
    for name in FILES:
        with gzip.open(folder / name, "rb") as lines:
            for line in lines:
                time, _, body = line.partition(b" ")
                yield int(time), body


def test_recorded_streams_rebuild_the_book_without_a_gap(realdata: Path) -> None:
    book, taken = LocalBook(0), dict.fromkeys(Taken, 0)
    best: dict[int, BookTicker] = {}
    shown: dict[int, tuple[int, ...]] = {}
    trades: list[Trade] = []
    for time, body in recorded(realdata):
        if body.startswith(b'{"lastUpdateId"'):
            assert book.snapshot(read_depth(body), time)
            continue
        message = read_message(body)
        if isinstance(message, DepthUpdate):
            taken[book.change(message.change, time)] += 1
            depth = book.depth(1)
            if depth is not None:
                shown[depth.last_update] = (*depth.bids[0], *depth.asks[0])
        elif isinstance(message, BookTicker):
            best[message.update] = message
        else:
            assert isinstance(message, Trade)
            trades.append(message)
    assert book.status is BookStatus.GOOD
    assert taken[Taken.GAP] == book.gaps == taken[Taken.OLD] == 0
    assert taken[Taken.APPLIED] > 6_000
    assert [one.id for one in trades] == list(range(trades[0].id, trades[-1].id + 1))
    # Best prices came on a stream of their own: another witness of the same book.
    compared = [update for update in shown if update in best]
    assert len(compared) > 1_000
    for update in compared:
        one = best[update]
        assert shown[update] == (one.bid, one.bid_quantity, one.ask, one.ask_quantity)
