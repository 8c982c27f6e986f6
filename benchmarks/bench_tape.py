"""How many rows of a book's log the tape takes in a second, and how long it takes to tell of them.

The rows are those of traders who made a market for an hour; in bulk the same trades are handed over
200,000 rows at a time. What is told comes from the tape of that hour: the answers that a server
gives most often.

    python benchmarks/bench_tape.py [--seconds 3600] [--rounds 200] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measure import surroundings

from tidewright.domain.time import SECOND
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.tape import Tape
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64

LISTING = Listing("AB", "A", "B", tick=1_000_000, step=1_000_000, start_price=5_000_000_000)
BULK = 200_000


def watched_hour(seconds: int) -> tuple[Tape, list[Int64], float]:
    """Return the tape of some trading, the rows that it got, and processor time per row."""
    market = AgentMarket([MarketShape(5_000)], Population(), 1)
    tape = Tape([LISTING], market.books)
    tape.add("AB", market.take_trades(0))
    pieces, spent = [], 0.0
    for second in range(1, seconds + 1):
        done = False
        while not done:
            done = market.run(second * SECOND)
            rows = market.take_trades(0)
            began = time.process_time()
            tape.add("AB", rows)
            tape.move(second * SECOND)
            spent += time.process_time() - began
            pieces.append(rows)
    return tape, pieces, spent / sum(len(rows) for rows in pieces)


def bulk_rows_a_second(pieces: list[Int64], rounds: int) -> float:
    rows = np.concatenate(pieces)
    trades = rows[rows[:, at.EVENT] == at.TRADED]
    rows = np.ascontiguousarray(np.tile(trades, (-(-BULK // len(trades)), 1))[:BULK])
    rows[:, at.TRADE_NUMBER] = np.arange(1, BULK + 1)
    rows[:, at.WHEN] = np.arange(BULK) * 5_000
    book = AgentMarket([MarketShape(5_000)], Population(), 1).books[0]
    tape = Tape([LISTING], [book])
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        tape.add("AB", rows)
        seconds.append(time.process_time() - began)
        rows[:, at.TRADE_NUMBER] += BULK
        rows[:, at.WHEN] += BULK * 5_000
    return round(BULK / statistics.median(seconds))


def microseconds(work: Callable[[], object], rounds: int) -> float:
    work()
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return round(statistics.median(seconds) * 1e6, 1)


def answers(tape: Tape, rounds: int) -> dict[str, float]:
    whole = tape.depth("AB", 5_000)
    tape.depth_change("AB", "reader")
    asked: dict[str, Callable[[], object]] = {
        "best": lambda: tape.best("AB"),
        f"depth_of_{len(whole.bids) + len(whole.asks)}_levels": lambda: tape.depth("AB", 5_000),
        "change_of_depth": lambda: tape.depth_change("AB", "reader"),
        "forming_minute": lambda: tape.candles("AB", "1m", limit=1),
        "1000_seconds": lambda: tape.candles("AB", "1s", limit=1_000),
        "500_trades": lambda: tape.trades("AB", limit=500),
        "ticker_of_a_day": lambda: tape.day("AB", tape.now),
    }
    return {f"{name}_us": microseconds(work, rounds) for name, work in asked.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3_600)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tape, pieces, each = watched_hour(options.seconds)
    found = {
        "rows_a_second_of_market": round(sum(len(rows) for rows in pieces) / options.seconds, 1),
        "us_a_row_as_it_comes": round(each * 1e6, 2),
        "rows_a_second_in_bulk": bulk_rows_a_second(pieces, 20),
        **answers(tape, options.rounds),
        "surroundings": surroundings(Path.cwd()),
    }
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
