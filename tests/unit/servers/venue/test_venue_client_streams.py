"""Unmodified clients live on the venue's streams: ccxt.pro and python-binance."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fakes.open_venue import KEY, OTHER, SECRET, SIGNING, OpenVenue, open_venue
from fakes.venue_clients import ccxt_pro, load_clients, python_binance
from fakes.venue_wire import until
from tidewright.domain.orders import Side
from tidewright.servers.venue.writers import amount

# python-binance asks for a part of websockets that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SYMBOL = "BTC/USDT"


@contextlib.asynccontextmanager
async def moving(venue: OpenVenue) -> AsyncIterator[None]:
    """Trades and orders go on, between others, until the end."""

    async def move() -> None:
        for number in itertools.count():
            price = 60_000 + number % 7
            venue.trade(price)
            side = (Side.BUY, Side.SELL)[number % 2]
            venue.place(side, price - 20 * side.sign - number % 5, 0.002, account=OTHER)
            if number % 10 == 9:
                cancel_oldest(venue)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(move())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def cancel_oldest(venue: OpenVenue) -> None:
    for order in venue.exchange.open_orders(OTHER, "BTCUSDT")[:5]:
        venue.exchange.cancel(OTHER, "BTCUSDT", order_id=order.id, now=venue.venue.clock.now())


def true_book(venue: OpenVenue) -> tuple[list[list[float]], list[list[float]]]:
    depth = venue.exchange.tape.depth("BTCUSDT", 5000)
    sides = (
        [[float(amount(price)), float(amount(quantity))] for price, quantity in side]
        for side in (depth.bids, depth.asks)
    )
    return next(sides), next(sides)


def levels(side: Any) -> list[list[float]]:
    return [list(level[:2]) for level in side]


@contextlib.asynccontextmanager
async def hurried(venue: OpenVenue) -> AsyncIterator[None]:
    """Connections end again and again: python-binance closes after the next thing it hears."""

    async def hurry() -> None:
        while True:
            await asyncio.sleep(0.05)
            venue.drop_all()

    task = asyncio.create_task(hurry())
    try:
        yield
    finally:
        task.cancel()


def run(tour: Any, **options: Any) -> None:
    # Long to import, which no deadline is for.
    load_clients()

    async def whole() -> None:
        async with open_venue(**options) as venue:
            venue.place(Side.BUY, 59_000, 0.5)
            venue.place(Side.SELL, 61_000, 0.5)
            venue.trade(60_000)
            await tour(venue)

    asyncio.run(whole())


def test_ccxt_watches_the_market():
    async def tour(venue):
        async with ccxt_pro(venue.port) as client:
            await client.load_markets()
            async with moving(venue):
                ticker, trades, candles, best, _ = await asyncio.gather(
                    client.watch_ticker(SYMBOL),
                    client.watch_trades(SYMBOL),
                    client.watch_ohlcv(SYMBOL, "1s"),
                    client.watch_bids_asks([SYMBOL]),
                    client.watch_order_book(SYMBOL),
                )
                tickers = await client.watch_tickers([SYMBOL])
                for _ in range(10):
                    book = await client.watch_order_book(SYMBOL)
            assert 60_000 <= ticker["last"] <= 60_006
            assert ticker["open"] == 60_000
            assert ticker["baseVolume"] > 0
            assert tickers[SYMBOL]["last"] > 0
            assert all(60_000 <= trade["price"] <= 60_006 for trade in trades)
            assert {trade["amount"] for trade in trades} <= {0.01, 0.002}
            assert candles[-1][1] >= 60_000
            assert best[SYMBOL]["bid"] < best[SYMBOL]["ask"]
            true = true_book(venue)
            await until(lambda: (levels(book["bids"]), levels(book["asks"])) == true)
            assert len(true[0]) > 5

    run(tour)


def test_ccxt_trades_and_watches_its_account():
    async def tour(venue):
        async with ccxt_pro(venue.port, KEY, SECRET) as client:
            await client.load_markets()
            watching = [
                asyncio.create_task(watch)
                for watch in (
                    client.watch_orders(SYMBOL),
                    client.watch_balance(),
                )
            ]
            await until(lambda: venue.streams.accounts.subscriptions == 1)
            placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59_500)
            orders, balance = await asyncio.gather(*watching)
            assert placed["status"] == "open"
            assert orders[0]["id"] == placed["id"]
            assert (orders[0]["status"], orders[0]["price"]) == ("open", 59_500)
            assert balance["USDT"]["used"] == 595
            fills = asyncio.create_task(client.watch_my_trades(SYMBOL))
            updates = asyncio.create_task(client.watch_orders(SYMBOL))
            await asyncio.sleep(0)
            venue.place(Side.SELL, 59_500, 0.004)
            (fill,) = await fills
            assert (fill["order"], fill["amount"], fill["takerOrMaker"]) == (
                placed["id"],
                0.004,
                "maker",
            )
            assert fill["fee"]["currency"] == "BTC"
            assert (await updates)[-1]["filled"] == 0.004
            cancelled = await client.cancel_order_ws(placed["id"], SYMBOL)
            assert cancelled["status"] == "canceled"
            assert venue.exchange.open_orders(0) == ()
            found = await client.fetch_order_ws(placed["id"], SYMBOL)
            assert (found["status"], found["filled"]) == ("canceled", 0.004)
            assert len(await client.fetch_my_trades_ws(SYMBOL)) == 1

    run(tour)


def test_ccxt_asks_by_socket_what_it_asks_by_rest():
    async def tour(venue):
        async with ccxt_pro(venue.port, KEY, SECRET) as client:
            await client.load_markets()
            by_rest = await client.fetch_ohlcv(SYMBOL, "1m")
            assert await client.fetch_ohlcv_ws(SYMBOL, "1m") == by_rest
            assert len(await client.fetch_trades_ws(SYMBOL)) == 1
            placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59_500)
            edited = await client.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.02, 59_400)
            assert (edited["amount"], edited["price"]) == (0.02, 59_400)
            (alone,) = await client.fetch_open_orders_ws(SYMBOL)
            assert alone["id"] == edited["id"]
            known = await client.fetch_orders_ws(SYMBOL)
            assert [one["status"] for one in known] == ["canceled", "open"]
            await client.cancel_all_orders_ws(SYMBOL)
            assert venue.exchange.open_orders(0) == ()

    run(tour)


async def watch_on(client: Any) -> None:
    while True:
        await client.watch_order_book(SYMBOL)


def test_ccxt_leaves_streams_and_comes_back_after_the_network_failed():
    import ccxt

    async def tour(venue):
        async with ccxt_pro(venue.port) as client, moving(venue):
            await client.load_markets()
            await client.watch_trades(SYMBOL)
            await client.watch_order_book(SYMBOL)
            assert venue.streams.markets.feeds == 2
            await client.un_watch_trades(SYMBOL)
            assert venue.streams.markets.feeds == 1
            venue.drop_all()
            with pytest.raises(ccxt.NetworkError):
                await watch_on(client)
            for _ in range(5):
                book = await client.watch_order_book(SYMBOL)
            assert book["bids"]

    run(tour)


def test_ccxt_sees_a_refused_order_as_what_it_is():
    import ccxt

    async def tour(venue):
        async with ccxt_pro(venue.port, KEY, SECRET) as client:
            await client.load_markets()
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(SYMBOL, "limit", "buy", 100, 59_500)
        async with ccxt_pro(venue.port, KEY, "wrong") as client:
            await client.load_markets()
            with pytest.raises(ccxt.AuthenticationError):
                await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59_500)

    run(tour)


def test_python_binance_listens_to_the_market():
    async def tour(venue):
        async with python_binance(venue.port) as (_, manager), moving(venue):
            async with manager.trade_socket("BTCUSDT") as socket:
                heard = await socket.recv()
            assert (heard["e"], heard["s"]) == ("trade", "BTCUSDT")
            names = ["btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@depth5@100ms"]
            async with manager.multiplex_socket(names) as socket:
                told: set[str] = set()
                while told != set(names):
                    told.add((await socket.recv())["stream"])
            async with manager.kline_socket("BTCUSDT", "1s") as socket:
                candles = [(await socket.recv())["k"] for _ in range(2)]
            assert candles[1]["t"] >= candles[0]["t"]
            assert candles[0]["i"] == "1s"
            async with manager.miniticker_socket() as socket:
                assert (await socket.recv())[0]["e"] == "24hrMiniTicker"

    run(tour)


def test_python_binance_keeps_the_true_book():
    async def tour(venue):
        from binance.ws.depthcache import DepthCacheManager

        async with (
            contextlib.AsyncExitStack() as later,
            python_binance(venue.port) as (client, manager),
            DepthCacheManager(client, "BTCUSDT", bm=manager, limit=1000, ws_interval=100) as cache,
        ):
            async with moving(venue):
                for _ in range(10):
                    book = await cache.recv()
            true = true_book(venue)
            while (book.get_bids(), book.get_asks()) != true:
                book = await cache.recv()
            await later.enter_async_context(hurried(venue))

    run(tour)


def test_python_binance_trades_and_hears_of_it():
    async def tour(venue):
        async with (
            contextlib.AsyncExitStack() as later,
            python_binance(venue.port, KEY, SECRET) as (client, manager),
            manager.user_socket() as socket,
        ):
            await until(lambda: venue.streams.accounts.subscriptions == 1)
            placed = await client.ws_order_limit_buy(
                symbol="BTCUSDT", quantity=0.01, price="59500.00", id="own-1"
            )
            heard = [await socket.recv() for _ in range(2)]
            assert [event["e"] for event in heard] == ["executionReport", "outboundAccountPosition"]
            assert heard[0]["i"] == placed["orderId"]
            found = await client.ws_get_order(symbol="BTCUSDT", orderId=placed["orderId"])
            assert found["status"] == "NEW"
            venue.place(Side.SELL, 59_500, 0.01, account=SIGNING)
            filled = await socket.recv()
            assert (filled["x"], filled["X"], filled["m"]) == ("TRADE", "FILLED", True)
            assert (await client.ws_get_account())["accountType"] == "SPOT"
            assert len(await client.ws_get_my_trades(symbol="BTCUSDT")) == 1
            assert (await client.ws_ping()) == {}
            await later.enter_async_context(hurried(venue))

    run(tour)
