"""Users among traders: their orders meet the market, in the same way for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fakes.spot_cases import START, units
from fakes.spot_storm import Storm
from tidewright.domain.errors import ConfigError
from tidewright.domain.orders import Side
from tidewright.domain.time import SECOND
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import default_exchange_filters, default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.values import (
    Execution,
    Kind,
    ListEvent,
    ListKind,
    NewOrder,
    OrderEvent,
    SpotEvent,
    Status,
    SymbolStatus,
)
from tidewright.kernels.matching import layout as at

FEW = Population(makers=4, noise=40, momentum=5, value=15, maker_wait=SECOND // 5)
PEOPLE = (
    SpotAccount("ann", {"USDT": units(100_000), "BTC": units(5)}),
    SpotAccount("bob", {"BNB": units(7)}),
)


def living(seed: int = 3) -> SpotExchange:
    return SpotExchange(
        default_listings(),
        PEOPLE,
        seed=seed,
        now=START,
        population=FEW,
        filters=default_exchange_filters(),
    )


def spend(exchange: SpotExchange, seconds: int) -> list[SpotEvent]:
    """Trade a little for a while and return what was told."""
    found: list[SpotEvent] = []
    for second in range(1, seconds + 1):
        exchange.advance(START + second * SECOND)
        best = exchange.tape.best("BTCUSDT")
        if second > 5 and best.bid:
            asked = NewOrder("BTCUSDT", Side.BUY, Kind.LIMIT, quantity=units(0.001), price=best.bid)
            exchange.place(0, asked, exchange.now)
        found.extend(exchange.take_events())
    return found


def test_the_same_seed_and_requests_give_the_same_everything() -> None:
    one, other, different = living(), living(), living(4)
    events = spend(one, 40)
    assert events == spend(other, 40)
    assert one.balances(0) == other.balances(0)
    assert one.tape.trades("BTCUSDT") == other.tape.trades("BTCUSDT")
    assert one.ledger.rows() == other.ledger.rows()
    assert events != spend(different, 40)
    filled = [one for one in events if isinstance(one, OrderEvent) and one.fill is not None]
    assert any(one.fill and one.fill.makes for one in filled)
    times = [event.time for event in events]
    assert times == sorted(times)


def test_every_symbol_lives_and_money_is_conserved() -> None:
    exchange = living()
    accounts = exchange._market.accounts
    before = accounts[:, at.N_RATES :].reshape(len(accounts), -1, 2).sum(axis=(0, 2))
    spend(exchange, 60)
    after = accounts[:, at.N_RATES :].reshape(len(accounts), -1, 2).sum(axis=(0, 2))
    assert after.tolist() == before.tolist()
    totals = exchange.ledger.totals()
    for asset, (free, locked) in exchange.balances(0).items():
        assert free + locked == totals.get((0, asset), 0)
    for symbol in exchange.listings:
        best = exchange.tape.best(symbol)
        assert 0 < best.bid < best.ask
        assert exchange.tape.last(symbol) is not None


def test_a_pending_order_enters_within_a_step_of_the_fill() -> None:
    exchange = living()
    exchange.advance(START + 20 * SECOND)
    best = exchange.tape.best("BTCUSDT")
    working = NewOrder("BTCUSDT", Side.BUY, Kind.LIMIT, quantity=units(0.001), price=best.bid)
    pending = replace(working, side=Side.SELL, price=best.ask + units(500))
    exchange.place_list(0, ListKind.OTO, (working, pending), now=exchange.now)
    exchange.advance(START + 400 * SECOND)
    first, second = exchange.all_orders(0, "BTCUSDT")
    assert (first.status, second.status) == (Status.FILLED, Status.NEW)
    assert 0 <= second.working_since - first.updated <= SECOND // 10


def test_traders_rest_while_a_symbol_is_closed() -> None:
    exchange = living()
    exchange.advance(START + 20 * SECOND)
    exchange.set_status("BTCUSDT", SymbolStatus.HALT)
    exchange.set_status("BTCUSDT", SymbolStatus.BREAK)
    still = exchange.tape.depth("BTCUSDT", 5_000)
    moved = exchange.tape.last("ETHUSDT")
    exchange.advance(START + 60 * SECOND)
    assert exchange.tape.depth("BTCUSDT", 5_000).bids == still.bids
    assert exchange.tape.last("ETHUSDT") != moved
    exchange.set_status("BTCUSDT", SymbolStatus.TRADING)
    exchange.advance(START + 80 * SECOND)
    assert exchange.tape.depth("BTCUSDT", 5_000).bids != still.bids
    last = exchange.tape.last("BTCUSDT")
    assert last is not None
    assert last.time > START + 60 * SECOND


def test_time_does_not_go_back() -> None:
    exchange = living()
    exchange.advance(START + SECOND)
    exchange.advance(START)
    assert exchange.now == START + SECOND


def test_listings_are_checked() -> None:
    listings = default_listings()
    with pytest.raises(ConfigError, match="each once"):
        SpotExchange([listings[0]] * 2, PEOPLE, seed=1, now=START)
    with pytest.raises(ConfigError, match="at least one"):
        SpotExchange([], PEOPLE, seed=1, now=START)
    with pytest.raises(ConfigError, match="maker_ppm"):
        SpotAccount("ann", maker_ppm=-1)
    with pytest.raises(ConfigError, match="BTC"):
        SpotAccount("ann", {"BTC": 2**62})


def test_markets_share_assets_and_one_price_follows_two_others() -> None:
    shapes = [
        MarketShape(60_000, goods=(0, 1), units=(1_000, 1_000)),
        MarketShape(30_000, goods=(2, 1), units=(100, 10), size=7, grain=5.0),
        MarketShape(5_000, goods=(2, 0), units=(100, 2), between=(1, 0)),
    ]
    market = AgentMarket(shapes, replace(FEW, volatility=0.002), 5, users=2, assets=4)
    accounts = market.accounts
    assert accounts.shape == (FEW.traders * 3 + 3, at.N_RATES + 2 * 4)
    before = accounts[:, at.N_RATES :].reshape(len(accounts), -1, 2).sum(axis=(0, 2))
    assert (before < 2**62).all()
    while not market.run(120 * SECOND):
        for number in range(3):
            market.take_trades(number)
    after = accounts[:, at.N_RATES :].reshape(len(accounts), -1, 2).sum(axis=(0, 2))
    assert after.tolist() == before.tolist()
    worth = market.values[:, 0] / np.array([60_000, 30_000, 5_000])
    assert worth[2] == pytest.approx(worth[1] / worth[0], rel=1e-9)
    assert abs(worth[0] - 1.0) > 0.001
    assert not accounts[market.first_user :].any()


def storm(requests: int, seed: int) -> Storm:
    """Send random requests of every kind, and check the books now and then."""
    rich = {asset: units(50_000) for asset in ("USDT", "BTC", "ETH", "SOL", "BNB")}
    people = [SpotAccount(name, rich) for name in ("ann", "bob", "cat")]
    exchange = SpotExchange(default_listings(), people, seed=seed, now=START, population=FEW)
    exchange.advance(START + 10 * SECOND)
    found = Storm(exchange, seed)
    for _ in range(10):
        found.blow(requests // 10)
        totals = exchange.ledger.totals()
        for account in range(len(people)):
            for asset, (free, locked) in exchange.balances(account).items():
                assert free + locked == totals[account, asset]
                assert min(free, locked) >= 0
    return found


def test_requests_of_every_kind_among_traders_lose_no_unit() -> None:
    found = storm(1_500, 1)
    done = {event.execution for event in found.events if isinstance(event, OrderEvent)}
    assert done >= set(Execution) - {Execution.REJECTED}
    lists = {event.list.kind for event in found.events if isinstance(event, ListEvent)}
    assert lists == set(ListKind)
    assert found.events == storm(1_500, 1).events


@pytest.mark.full
@pytest.mark.timeout(900)
def test_long_storms_lose_no_unit() -> None:
    for seed in range(2, 8):
        storm(20_000, seed)
