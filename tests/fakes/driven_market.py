"""Random orders on one book, the tape that watches it, and listeners to its streams."""

from __future__ import annotations

import json
import random
from typing import Any

from fakes.matching_rivals import Mix, Rivals
from tidewright.domain.time import DAY, MILLISECOND
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.tape import Tape
from tidewright.kernels.matching import layout as at
from tidewright.servers.venue.streams.market import MarketStreams
from tidewright.servers.venue.streams.names import FAST
from tidewright.servers.venue.writers import MILLISECONDS

SYMBOL = "ABUSD"
LISTING = Listing(SYMBOL, "AB", "USD", tick=1_000_000, step=10_000, start_price=32_000_000)
EPOCH = 20_000 * DAY


class Listening:
    """Keeps what it is told."""

    def __init__(self, *, combined: bool = False, unit: int = MILLISECONDS) -> None:
        self.combined = combined
        self.unit = unit
        self.texts: list[bytes] = []

    def send(self, text: bytes) -> None:
        self.texts.append(text)

    def take(self) -> list[Any]:
        heard = [json.loads(text) for text in self.texts]
        self.texts.clear()
        return heard


class DrivenMarket:
    """A market whose clock and orders the test moves."""

    def __init__(self, seed: int, prices: int = 64) -> None:
        self.draw = random.Random(seed)
        self.rivals = Rivals(Mix(prices=prices, most_lots=8, spread=4))
        self.tape = Tape([LISTING], [self.rivals.book])
        self.streams = MarketStreams(self.tape, [SYMBOL])
        self.now = EPOCH
        self.tape.move(self.now)

    def listen(self, *names: str, combined: bool = False, unit: int = MILLISECONDS) -> Listening:
        listener = Listening(combined=combined, unit=unit)
        for name in names:
            self.streams.listen(name, listener, self.now)
        return listener

    def order(self, count: int = 1) -> None:
        book = self.rivals.book
        for _ in range(count):
            book[at.NOW] = self.now
            self.rivals.play(self.draw, 1)
            self.tape.add(SYMBOL, self.rivals.log[: book[at.LOG_ROWS]].copy())

    def tell(self) -> None:
        self.tape.move(self.now)
        self.streams.tell_at_once(self.now)

    def pass_time(self, beats: int = 1, orders: int = 0) -> None:
        """Let tenths of a second go by, with so many orders in each."""
        for _ in range(beats):
            for _ in range(orders):
                self.now += MILLISECOND
                self.order()
                self.tell()
            before, self.now = self.now, self.now // FAST * FAST + FAST
            self.tell()
            self.streams.tell_timed(before, self.now)

    def side(self, side: int) -> dict[str, str]:
        """The true book as a client would have it."""
        queues = self.rivals.plain.sides[side]
        shown = {price: sum(order.shown for order in queue) for price, queue in queues.items()}
        return {
            f"{price * LISTING.tick / 1e8:.8f}": f"{lots * LISTING.step / 1e8:.8f}"
            for price, lots in shown.items()
        }
