"""Streams of a whole venue, with faults between: nothing lost unseen, nothing told twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection, serve

from fakes.faulty_exchange import Client, exchange_behind
from fakes.open_venue import open_venue
from fakes.turned_time import TurnedTime
from fakes.venue_wire import TurnedClock, until
from tidewright.adapters.binance.streams import names
from tidewright.adapters.binance.streams.backfill import Backfilled, Hole
from tidewright.adapters.binance.streams.connection import StreamSettings
from tidewright.adapters.binance.streams.market import MarketStreams
from tidewright.adapters.binance.streams.messages import (
    AggregateTrade,
    DepthUpdate,
    MarketEvent,
    Trade,
)
from tidewright.adapters.binance.streams.reading import read_depth
from tidewright.domain.errors import ConfigError, Rejected
from tidewright.market.local_book import BookStatus, LocalBook, Taken
from tidewright.servers.venue.wire import SocketSettings

TRADES = names.trades("BTCUSDT")
SETTINGS = StreamSettings(silence_seconds=30.0, life_seconds=1_000.0)


class Heard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[MarketEvent] = []
        self.connected = 0
        self.lost: list[str] = []
        self.failed: list[str] = []
        self.also: Callable[[MarketEvent], None] = lambda event: None

    def on_event(self, event: MarketEvent) -> None:
        self.events.append(event)
        self.also(event)

    def on_connected(self) -> None:
        self.connected += 1

    def on_lost(self, reason: str) -> None:
        self.lost.append(reason)

    def on_failed(self, reason: str) -> None:
        self.failed.append(reason)

    @property
    def trades(self) -> list[int]:
        return [event.id for event in self.events if isinstance(event, Trade)]


class Listening:
    """Streams of a venue, the time they live in, and what they told."""

    def __init__(self, port: int, wanted: Sequence[str], settings: StreamSettings) -> None:
        self.heard = Heard()
        self.time = TurnedTime()
        settings = replace(settings, base_url=f"ws://127.0.0.1:{port}")
        self.streams = MarketStreams(wanted, self.heard, settings, self.time.timing)

    async def connected(self, times: int) -> None:
        await until(lambda: self.heard.connected == times)

    async def lost(self, times: int) -> None:
        await until(lambda: len(self.heard.lost) == times)

    async def done(self, work: Coroutine[None, None, None]) -> None:
        """Let time pass until something is done."""
        task = asyncio.create_task(work)
        while not task.done():
            await self.time.turn(0.1)
            await asyncio.sleep(0.001)
        await task


@contextlib.asynccontextmanager
async def listening(
    port: int, wanted: Sequence[str] = (TRADES,), settings: StreamSettings = SETTINGS
) -> AsyncIterator[Listening]:
    """Listen to a venue for as long as a test lasts."""
    rig = Listening(port, wanted, settings)
    task = asyncio.create_task(rig.streams.run())
    try:
        async with asyncio.timeout(60):
            await rig.connected(1)
            yield rig
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError), results


def script(when: str, do: str) -> str:
    return f"rules: [{{when: {{{when}}}, do: {do}}}]\n"


def test_a_mute_socket_is_given_up_although_it_answers_pings():
    async def whole():
        fault = script("message: {stream: btcusdt@trade}, nth: 3", "mute")
        async with exchange_behind(fault) as client, listening(client.rig.port) as rig:
            await client.trade("a")
            await client.trade("b")
            await until(lambda: len(rig.heard.events) == 2)
            await rig.time.turn(29)
            await client.trade("c")
            assert rig.heard.lost == []
            await rig.time.turn(1)
            await rig.lost(1)
            assert "no message for 30.0 s" in rig.heard.lost[0]
            await until(lambda: rig.time.sleepers)
            await rig.time.turn(1)
            await rig.connected(2)
            await client.trade("d")
            await until(lambda: len(rig.heard.events) == 3)
            first, second, last = rig.heard.trades
            # What was said to nobody is a hole in the numbers.
            assert (second - first, last - second) == (1, 2)

    asyncio.run(whole())


def test_messages_keep_a_socket_alive():
    async def whole():
        async with exchange_behind("rules: []\n") as client, listening(client.rig.port) as rig:
            for number in range(4):
                await rig.time.turn(20)
                await client.trade(str(number))
                await until(lambda seen=number + 1: len(rig.heard.events) == seen)
            assert (rig.heard.connected, rig.heard.lost) == (1, [])

    asyncio.run(whole())


@pytest.mark.parametrize("code", [1001, 1006, 1008])
def test_a_cut_socket_is_replaced_and_what_was_missed_is_fetched(code):
    async def whole():
        fault = script(
            "message: {stream: btcusdt@aggTrade}, nth: 2", f"{{close: {{code: {code}}}}}"
        )
        wanted = (names.aggregate_trades("BTCUSDT"),)
        async with (
            exchange_behind(fault) as client,
            listening(client.rig.port, wanted) as rig,
            backfilled(client) as (line, found, holes),
        ):
            rig.heard.also = line.take
            await client.trade("a")
            await until(lambda: len(found) == 1)
            await client.trade("b")
            await rig.lost(1)
            await client.trade("c")
            await client.trade("d")
            await until(lambda: rig.time.sleepers)
            await rig.time.turn(1)
            await rig.connected(2)
            await client.trade("e")
            await until(lambda: len(found) == 5)
            assert [after - before for before, after in itertools.pairwise(found)] == [1] * 4
            assert holes == []

    asyncio.run(whole())


class TradeLine:
    """Aggregate trades that are backfilled by number."""

    def __init__(self, line: Backfilled[int]) -> None:
        self.line = line

    def take(self, event: MarketEvent) -> None:
        assert isinstance(event, AggregateTrade)
        self.line.take(event.id, event.id)


@contextlib.asynccontextmanager
async def backfilled(client: Client) -> AsyncIterator[tuple[TradeLine, list[int], list[Hole]]]:
    async def fetch(first: int, past: int) -> Mapping[int, int]:
        rows = await client.rig.body(
            f"/api/v3/aggTrades?symbol=BTCUSDT&fromId={first}&limit={past - first}"
        )
        return {row["a"]: row["a"] for row in rows}

    found: list[int] = []
    holes: list[Hole] = []
    line = Backfilled(fetch, found.append, holes.append)
    task = asyncio.create_task(line.run())
    try:
        yield TradeLine(line), found, holes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_what_a_venue_says_twice_is_handed_on_once():
    async def whole():
        fault = script("message: {stream: btcusdt@trade}", "{duplicate: 3}")
        async with exchange_behind(fault) as client, listening(client.rig.port) as rig:
            for number in range(4):
                await client.trade(str(number))
            await until(lambda: len(rig.heard.events) == 4)
            assert len(set(rig.heard.trades)) == 4

    asyncio.run(whole())


def test_a_book_that_missed_a_change_says_so_and_is_good_after_a_snapshot():
    async def whole():
        fault = script("message: {stream: btcusdt@depth*}, nth: 3", "skip")
        wanted = (names.depth("BTCUSDT"),)
        async with exchange_behind(fault) as client, listening(client.rig.port, wanted) as rig:
            book, taken = LocalBook(0), []

            def follow(event: MarketEvent) -> None:
                assert isinstance(event, DepthUpdate)
                taken.append(book.change(event.change, event.ts_event))

            async def move(number: int) -> None:
                await client.place(str(number), price=str(59_000 - number))
                client.rig.clock.turn(0.1)

            async def snapshot() -> bool:
                body = await client.rig.body("/api/v3/depth?symbol=BTCUSDT&limit=5000")
                return book.snapshot(read_depth(json.dumps(body).encode()), client.rig.clock.now())

            rig.heard.also = follow
            await move(0)
            await until(lambda: len(taken) == 1)
            assert await snapshot()
            await move(1)
            await until(lambda: len(taken) == 2)
            await move(2)
            await move(3)
            await until(lambda: len(taken) == 3)
            assert taken == [Taken.WAITING, Taken.APPLIED, Taken.GAP]
            assert (book.status, book.depth(9)) == (BookStatus.STALE, None)
            assert await snapshot()
            await move(4)
            await until(lambda: len(taken) == 4)
            shown = book.depth(9)
            assert shown is not None
            assert [price for price, _ in shown.bids] == [
                (59_000 - number) * 100_000_000 for number in range(5)
            ]

    asyncio.run(whole())


def test_an_old_connection_is_replaced_without_losing_or_repeating_anything():
    async def whole():
        settings = replace(SETTINGS, silence_seconds=1e9)
        async with (
            open_venue(clock=TurnedClock()) as venue,
            listening(venue.port, settings=settings) as rig,
        ):
            venue.trade(60_000)
            await until(lambda: rig.heard.events)
            await rig.time.turn(1_000)
            await until(lambda: 1_002.0 in rig.time.sleepers)
            # Both connections tell of these.
            assert rig.streams.connections == 2
            for _ in range(3):
                venue.trade(60_000)
            await until(lambda: len(rig.heard.events) == 4)
            await rig.time.turn(2)
            venue.trade(60_000)
            await until(lambda: len(rig.heard.events) == 5)
            assert (rig.heard.connected, rig.heard.lost) == (1, [])
            ids = rig.heard.trades
            assert ids == list(range(ids[0], ids[0] + 5))

    asyncio.run(whole())


def test_a_venue_that_says_it_will_close_is_left_before_it_does():
    async def whole():
        clock = TurnedClock()
        life = SocketSettings(ping_every=1e6, pong_within=2e6, life=100.0, warning=50.0)
        async with (
            open_venue(clock=clock, sockets=life) as venue,
            listening(venue.port) as rig,
        ):
            venue.trade(60_000)
            clock.turn(60)
            await until(lambda: rig.streams.connections == 2)
            await until(lambda: len(rig.time.sleepers) > 0)
            await rig.time.turn(5)
            clock.turn(45)
            venue.trade(60_000)
            await until(lambda: len(rig.heard.events) == 2)
            assert (rig.heard.connected, rig.heard.lost) == (1, [])

    asyncio.run(whole())


def test_subscriptions_stay_within_what_the_venue_allows():
    async def whole():
        clock = TurnedClock()
        symbols = ("BTCUSDT", "ETHUSDT")
        wanted = [make(symbol) for symbol in symbols for make in MAKERS]
        settings = replace(SETTINGS, streams_per_message=1)
        async with open_venue(clock=clock) as venue:
            rig = Listening(venue.port, wanted, settings)
            task = asyncio.create_task(rig.streams.run())
            steps = 0
            while not rig.heard.connected:
                await rig.time.turn(0.1)
                clock.turn(0.1)
                await asyncio.sleep(0.005)
                steps += 1
            # Twelve messages: the venue closes at the sixth in one second.
            assert steps >= 30
            assert (rig.streams.connections, rig.heard.lost) == (1, [])
            assert venue.streams.markets.feeds == len(wanted)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(whole())


MAKERS = (
    names.trades,
    names.aggregate_trades,
    names.best_prices,
    names.mini_ticker,
    names.depth,
    lambda symbol: names.klines(symbol, "1m"),
)


def test_streams_are_added_and_left_while_listening():
    async def whole():
        async with open_venue(clock=TurnedClock()) as venue, listening(venue.port, ()) as rig:
            await rig.done(rig.streams.subscribe([TRADES, TRADES]))
            assert rig.streams.names == (TRADES,)
            venue.trade(60_000)
            await until(lambda: rig.heard.trades)
            await rig.done(rig.streams.unsubscribe([TRADES, "never@trade"]))
            assert venue.streams.markets.feeds == 0
            venue.trade(60_000)
            await rig.done(rig.streams.subscribe([names.best_prices("BTCUSDT")]))
            assert len(rig.heard.trades) == 1

    asyncio.run(whole())


def test_a_stream_that_is_none_is_refused():
    async def whole():
        async with open_venue(clock=TurnedClock()) as venue:
            rig = Listening(venue.port, ("no stream",), SETTINGS)
            with pytest.raises(Rejected, match="refused SUBSCRIBE"):
                await asyncio.wait_for(rig.streams.run(), 10)

    asyncio.run(whole())


def test_an_address_that_is_none_and_too_many_streams_are_refused():
    async def whole():
        streams = MarketStreams((), Heard(), StreamSettings(base_url="http://127.0.0.1:1"))
        with pytest.raises(ConfigError, match="stream URL was"):
            await asyncio.wait_for(streams.run(), 10)

    asyncio.run(whole())
    with pytest.raises(ConfigError, match="streams were 1025"):
        MarketStreams([f"s{number}@trade" for number in range(1_025)], Heard())


def test_a_venue_that_cannot_be_reached_is_told_of_and_tried_again():
    async def whole():
        async with exchange_behind("rules: []\n") as client:
            port = client.rig.port
        rig = Listening(port, (TRADES,), SETTINGS)
        task = asyncio.create_task(rig.streams.run())
        await until(lambda: len(rig.heard.failed) == 1)
        await until(lambda: rig.time.sleepers)
        await rig.time.turn(1)
        await until(lambda: len(rig.heard.failed) >= 2)
        assert "did not open" in rig.heard.failed[0]
        assert rig.heard.connected == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(whole())


def test_a_venue_that_closes_at_once_is_not_stormed():
    async def whole():
        opened = 0

        async def refuse(socket: ServerConnection) -> None:
            nonlocal opened
            opened += 1
            await socket.recv()
            await socket.send('{"result":null,"id":1}')
            await socket.close()

        async with serve(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            rig = Listening(port, (TRADES,), SETTINGS)
            task = asyncio.create_task(rig.streams.run())
            for _ in range(300):
                await rig.time.turn(1)
                await asyncio.sleep(0.002)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        # The shortest pauses double from a quarter of a second to half a minute.
        assert 2 <= opened <= 17

    asyncio.run(whole())


def test_a_message_that_cannot_be_read_ends_its_connection():
    async def whole():
        async def babble(socket: ServerConnection) -> None:
            await socket.recv()
            await socket.send('{"result":null,"id":1}')
            await socket.send("<html>")
            await socket.wait_closed()

        async with serve(babble, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with listening(port) as rig:
                await rig.lost(1)
                assert "stream message was '<html>'" in rig.heard.lost[0]

    asyncio.run(whole())


def test_a_fault_of_whoever_listens_is_raised():
    async def whole():
        async with open_venue(clock=TurnedClock()) as venue:
            rig = Listening(venue.port, (TRADES,), SETTINGS)

            def fail(event: MarketEvent) -> None:
                raise ZeroDivisionError

            rig.heard.also = fail
            task = asyncio.create_task(rig.streams.run())
            await rig.connected(1)
            venue.trade(60_000)
            with pytest.raises(ZeroDivisionError):
                await asyncio.wait_for(task, 10)

    asyncio.run(whole())
