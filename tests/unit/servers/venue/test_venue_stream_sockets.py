"""Market streams over a real socket: addresses, subscriptions, limits, ends."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from fakes.driven_market import DrivenMarket
from fakes.venue_wire import Told, TurnedClock, listening, until
from tidewright.servers.venue.streams.listening import MarketListener
from tidewright.servers.venue.wire import SocketSettings
from tidewright.servers.venue.writers import MILLISECONDS

SUBSCRIBE = '{"method":"SUBSCRIBE","params":["abusd@trade"],"id":1}'


class Listened(Told):
    """A venue of market streams only."""

    def __init__(self, clock: TurnedClock) -> None:
        super().__init__()
        self.clock = clock
        self.market = DrivenMarket(1)
        self.market.now = clock.now()
        self.market.order(60)

    def open_socket(self, socket):
        MarketListener(socket, self.market.streams, self.clock, MILLISECONDS)
        return None

    def trade(self) -> None:
        before = self.market.tape.last("ABUSD").id
        while self.market.tape.last("ABUSD").id == before:
            self.market.order()
        self.market.tell()


def run(talk, path, settings=None):
    async def whole():
        clock = TurnedClock()
        venue = Listened(clock)
        async with (
            listening(venue, clock, settings) as port,
            connect(f"ws://127.0.0.1:{port}{path}") as socket,
            asyncio.timeout(20),
        ):
            await talk(venue, socket)
        await until(lambda: venue.market.streams.feeds == 0)

    asyncio.run(whole())


async def hear(socket):
    return json.loads(await socket.recv())


@pytest.mark.parametrize("path", ["/ws/abusd@trade", "/ws/0", "/ws", "/ws/x@y/abusd@trade"])
def test_raw_addresses_tell_plain_events(path):
    async def talk(venue, socket):
        if "trade" not in path:
            await socket.send(SUBSCRIBE)
            assert await hear(socket) == {"result": None, "id": 1}
        await until(lambda: venue.market.streams.feeds == 1)
        venue.trade()
        assert (await hear(socket))["e"] == "trade"

    run(talk, path)


def test_combined_address_wraps_until_it_is_told_not_to():
    async def talk(venue, socket):
        await until(lambda: venue.market.streams.feeds == 2)
        venue.trade()
        heard = await hear(socket)
        assert heard["stream"] == "abusd@trade"
        assert heard["data"]["e"] == "trade"
        await socket.send('{"method":"SET_PROPERTY","params":["combined",false],"id":null}')
        while "result" not in await hear(socket):
            """Trades of the same moment may still come."""
        venue.trade()
        assert (await hear(socket))["e"] == "trade"

    run(talk, "/stream?streams=abusd@trade/abusd@depth@100ms")


def test_address_names_what_is_listed():
    async def talk(venue, socket):
        await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":"a-1"}')
        assert await hear(socket) == {"result": ["abusd@depth", "old@thing"], "id": "a-1"}

    run(talk, "/stream?streams=abusd%40depth/old@thing")


def test_five_messages_a_second_are_heard_and_a_sixth_ends_the_connection():
    async def talk(venue, socket):
        for _ in range(3):
            for number in range(5):
                await socket.send(f'{{"method":"LIST_SUBSCRIPTIONS","id":{number}}}')
                assert (await hear(socket))["id"] == number
            venue.clock.turn(1.0)
        for _ in range(5):
            await (await socket.ping())
        await socket.send(SUBSCRIBE)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1008
        assert venue.market.streams.feeds == 0

    run(talk, "/ws")


def test_misspelled_stream_is_told_and_ends_the_connection():
    async def talk(venue, socket):
        await socket.send('{"method":"SUBSCRIBE","params":["@@@"],"id":4}')
        assert await hear(socket) == {
            "error": {"code": 2, "msg": "Invalid request: invalid stream"},
            "id": 4,
        }
        with pytest.raises(ConnectionClosed):
            await socket.recv()

    run(talk, "/ws")


def test_end_of_a_long_life_is_announced():
    async def talk(venue, socket):
        venue.clock.turn(10.0)
        assert (await hear(socket))["e"] == "serverShutdown"

    run(talk, "/ws/abusd@trade", SocketSettings(life=30.0, warning=20.0))
