"""What it costs to tell many sockets of one market, as the venue does it.

A depth change, its trade and its best prices are found once, written once and handed to all. The
sockets are the venue's own, with a network that takes everything; with ``--compressed`` each also
compresses for itself, as some clients ask for.

    python benchmarks/bench_venue_streams.py [--sockets 200] [--events 500] [--compressed]
"""

from __future__ import annotations

import argparse
import asyncio
import time

from tidewright.domain.orders import Side
from tidewright.domain.time import MILLISECOND
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.values import Kind, NewOrder
from tidewright.servers.venue.clock import RunningClock
from tidewright.servers.venue.streams.listening import MarketListener
from tidewright.servers.venue.streams.market import MarketStreams
from tidewright.servers.venue.wire import Request, Socket, SocketSettings
from tidewright.servers.venue.writers import MILLISECONDS

ONE = 100_000_000
STREAMS = "/stream?streams=btcusdt@trade/btcusdt@bookTicker/btcusdt@depth@100ms"
OPENING = (
    b"Host: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
COMPRESSED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


class Sink(asyncio.Transport):
    """A network that takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.size += len(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        """Nobody is there."""


async def measure(sockets: int, events: int, *, compressed: bool) -> None:
    """Print how many messages a second one core sends."""
    clock = RunningClock()
    account = SpotAccount("one", {"USDT": 10**15, "BTC": 10**12})
    exchange = SpotExchange(default_listings(), [account] * 2, seed=1, now=clock.now())
    streams = MarketStreams(exchange.tape, tuple(exchange.listings))
    path, _, query = STREAMS.partition("?")
    sinks = [Sink() for _ in range(sockets)]
    for sink in sinks:
        socket = Socket(Request("GET", path, query), sink, clock, SocketSettings())
        assert socket.accept(OPENING + (COMPRESSED if compressed else b"")) is None
        MarketListener(socket, streams, clock, MILLISECONDS)
        socket.begin()
    spent = 0.0
    before = sum(sink.size for sink in sinks)
    now = clock.now()
    for number in range(events):
        now += 100 * MILLISECOND
        for place, side in enumerate((Side.SELL, Side.BUY)):
            order = NewOrder(
                "BTCUSDT", side, Kind.LIMIT, ONE // 100, price=(60_000 + number % 50) * ONE
            )
            exchange.place(place, order, now)
        exchange.place(
            0, NewOrder("BTCUSDT", Side.SELL, Kind.LIMIT, ONE // 100, price=70_000 * ONE), now
        )
        exchange.cancel_all(0, "BTCUSDT", now)
        begin = time.process_time()
        streams.tell_at_once(now)
        streams.tell_timed(now - 100 * MILLISECOND, now)
        spent += time.process_time() - begin
    size = sum(sink.size for sink in sinks) - before
    count = streams.told * sockets
    print(
        f"{count:,} messages to {sockets} sockets in {spent:.2f} s: {count / spent:,.0f} a second"
    )
    print(f"{spent / count * 1e6:.1f} us and {size / count:.0f} bytes a message")


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--compressed", action="store_true")
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.sockets, chosen.events, compressed=chosen.compressed))


if __name__ == "__main__":
    main()
