"""How long requests take in the spot exchange, and what it holds after very many of them.

Five symbols with their usual filters; an account has 50 other orders open. A pair is a limit order
far from the price and its cancel, with everything in it: filters, balances, events, ledger. A trade
is a market order that one of 50 levels fills, seen by both accounts.

    python benchmarks/bench_spot_exchange.py [--pairs 20000] [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from measure import surroundings

from tidewright.domain.orders import Side
from tidewright.domain.time import MILLISECOND
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import ONE, default_exchange_filters, default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.values import Kind, NewOrder

START = 1_700_000_000_000_000_000
MONEY = {"BTC": 10_000 * ONE, "USDT": 100_000_000 * ONE}


def order(side: Side, kind: Kind, price: int, quantity: int = ONE // 100) -> NewOrder:
    return NewOrder("BTCUSDT", side, kind, quantity=quantity, price=price * ONE)


def venue(population: Population | None) -> SpotExchange:
    people = [SpotAccount("ann", MONEY), SpotAccount("bob", MONEY)]
    exchange = SpotExchange(
        default_listings(),
        people,
        seed=1,
        now=START,
        population=population,
        filters=default_exchange_filters(),
    )
    for number in range(50):
        exchange.place(0, order(Side.BUY, Kind.LIMIT, 40_000 + number), START)
    return exchange


def pairs(exchange: SpotExchange, count: int, step: int) -> None:
    asked = order(Side.BUY, Kind.LIMIT, 45_000)
    for _ in range(count):
        now = exchange.now + step
        placed = exchange.place(0, asked, now).order
        exchange.cancel(0, "BTCUSDT", order_id=placed.id, now=now)
        exchange.take_events()


def trades(exchange: SpotExchange, count: int) -> None:
    for number in range(count // 50):
        price = 60_000 + number % 2
        for _ in range(50):
            exchange.place(1, order(Side.SELL, Kind.LIMIT, price), exchange.now + 1)
        for _ in range(50):
            exchange.place(0, order(Side.BUY, Kind.MARKET, 0), exchange.now + 1)
        exchange.take_events()


def microseconds(work: Callable[[], None], count: int, rounds: int) -> float:
    work()
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return round(statistics.median(seconds) / count * 1e6, 1)


def megabytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def measure(count: int, rounds: int) -> dict[str, object]:
    quiet, living = venue(None), venue(Population())
    found: dict[str, object] = {
        "place_and_cancel_us": microseconds(lambda: pairs(quiet, count, 1), count, rounds),
        "two_orders_and_their_trade_us": microseconds(
            lambda: trades(quiet, count // 4), count // 4, rounds
        ),
        "place_and_cancel_among_traders_us": microseconds(
            lambda: pairs(living, count // 4, MILLISECOND), count // 4, rounds
        ),
    }
    sizes = []
    for _ in range(8):
        pairs(quiet, max(count, 20_000), 1)
        sizes.append(megabytes())
    return found | {
        "megabytes_as_pairs_go_on": sizes,
        "pairs_between": max(count, 20_000),
        "surroundings": surroundings(Path.cwd()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.pairs, options.rounds)
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
