"""A client on the wire that follows the documented procedure has the true book, drops included."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from fakes.open_venue import OTHER, OpenVenue, open_venue
from fakes.venue_wire import TurnedClock, until
from tidewright.domain.orders import Side
from tidewright.domain.time import SECOND
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.values import Refusal
from tidewright.servers.venue.writers import amount

START = 1_700_000_000 * SECOND


class WiredBook:
    """One client: a stream, a snapshot by HTTP, and the procedure that joins them."""

    def __init__(self, venue: OpenVenue, speed: str) -> None:
        self.venue = venue
        self.address = f"ws://127.0.0.1:{venue.port}/ws/btcusdt@{speed}"
        self.update = -1
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self.waiting: list[dict[str, Any]] = []
        self.starts = 0

    async def follow(self) -> None:
        """Follow the stream, anew whenever the connection breaks."""
        while True:
            asking: asyncio.Task[None] | None = None
            try:
                async with connect(self.address) as socket:
                    self.update, self.waiting = -1, []
                    async for text in socket:
                        self.hear(json.loads(text))
                        if asking is None:
                            asking = asyncio.create_task(self.ask(self.waiting[0]["U"]))
            except (ConnectionClosed, OSError):
                """The network failed: begin again."""
            finally:
                if asking is not None:
                    asking.cancel()

    async def ask(self, first: int) -> None:
        """Take snapshots until one is not older than the first event."""
        query = b"GET /api/v3/depth?symbol=BTCUSDT&limit=5000 HTTP/1.1\r\nConnection: close\r\n\r\n"
        while self.update < 0:
            try:
                answer = await fetch(self.venue.port, query)
            except OSError:
                continue
            head, _, body = answer.partition(b"\r\n\r\n")
            found = json.loads(body) if head.startswith(b"HTTP/1.1 200") else {"lastUpdateId": -1}
            if found["lastUpdateId"] >= first - 1:
                self.begin(found)

    def begin(self, found: dict[str, Any]) -> None:
        self.bids, self.asks = dict(found["bids"]), dict(found["asks"])
        self.update = found["lastUpdateId"]
        self.starts += 1
        for event in self.waiting:
            self.hear(event)

    def hear(self, event: dict[str, Any]) -> None:
        if self.update < 0:
            self.waiting.append(event)
        elif event["u"] > self.update:
            assert event["U"] <= self.update + 1, "a change was lost"
            for side, levels in ((self.bids, event["b"]), (self.asks, event["a"])):
                for price, quantity in levels:
                    side[price] = quantity
                    if quantity == "0.00000000":
                        del side[price]
            self.update = event["u"]

    @property
    def is_true(self) -> bool:
        depth = self.venue.exchange.tape.depth("BTCUSDT", 5000)
        return self.bids == written(depth.bids) and self.asks == written(depth.asks)


async def fetch(port: int, query: bytes) -> bytes:
    """Send a request, and return all that comes before the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(query)
        return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()


def written(side: tuple[tuple[int, int], ...]) -> dict[str, str]:
    return {amount(price): amount(quantity) for price, quantity in side}


def order(venue: OpenVenue, draw: random.Random) -> None:
    """Order near the middle, or take something back."""
    price = 60_000 + draw.randint(-30, 30)
    try:
        venue.place(draw.choice((Side.BUY, Side.SELL)), price, draw.randint(1, 90) / 1000)
    except Refusal:
        venue.exchange.cancel_all(OTHER, "BTCUSDT", venue.venue.clock.now())


@pytest.mark.parametrize(("seed", "drops"), [(1, 0), (2, 3)])
def test_books_kept_over_the_wire_are_true(seed, drops):
    clock, draw = TurnedClock(START), random.Random(seed)

    async def whole():
        population = Population(noise=60, momentum=6, value=12)
        async with open_venue(clock=clock, population=population) as venue:
            books = [WiredBook(venue, speed) for speed in ("depth", "depth@100ms")]
            following = [asyncio.create_task(book.follow()) for book in books]
            breaks = set(draw.sample(range(40, 200), drops))
            for step in range(250):
                clock.turn(0.1)
                for _ in range(draw.randint(0, 8)):
                    order(venue, draw)
                if step in breaks:
                    venue.drop_all()
                # What was sent may arrive, or not yet.
                for _ in range(draw.randint(0, 5)):
                    await asyncio.sleep(0)
            await settle(venue, clock, books)
            assert venue.exchange.tape.best("BTCUSDT").update > 2_000
            assert all(book.starts > (1 if drops else 0) for book in books)
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    asyncio.run(whole())


async def settle(venue: OpenVenue, clock: TurnedClock, books: list[WiredBook]) -> None:
    """Let everybody begin and catch up, while nobody but the traders acts."""
    for _ in range(200):
        clock.turn(0.5)
        venue.place(Side.BUY, 59_000, 0.001)
        await asyncio.sleep(0.002)
        if all(book.update >= 0 for book in books):
            break
    venue.streams.pump.stop()
    # One last look at every stream, after which nothing moves.
    venue.streams.markets.tell_timed(0, venue.venue.clock.now())
    await until(lambda: all(book.is_true for book in books))
