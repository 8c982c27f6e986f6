"""Steps a second of the order book as an environment, over many markets on one core.

The function that is timed is the product's own: `ParallelMarkets.step`, and the same behind
gymnasium's interface. A step is one action in one market (drawn beforehand from all actions), the
messages of the market's traders until the next one, an observation of 19 numbers and a reward; an
episode that ends begins again within the time. Messages of traders in a step are counted in a run
in which the learner does nothing.

    python benchmarks/bench_environment.py [--markets 1000] [--turns 200] [--repeat 7]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measure import surroundings
from numpy.typing import NDArray

from tidewright.exchange.environment.markets import ParallelMarkets
from tidewright.exchange.environment.rules import MarketRules
from tidewright.kernels.environment import layout as at
from tidewright.learning.rl.order_book import OrderBookVectorEnv

DRAWN = 64
"""Different turns of actions, drawn before the clock starts."""


def drawn_actions(markets: int, rules: MarketRules) -> NDArray[np.int64]:
    draw = np.random.default_rng(1)
    most = [at.N_ACTS, rules.distances, rules.sizes]
    return draw.integers(0, most, (DRAWN, markets, at.N_ACTION))


def rates(
    act: Callable[[NDArray[np.int64]], object],
    actions: NDArray[np.int64],
    turns: int,
    repeat: int,
) -> list[float]:
    """Return steps for each second of processor time, of some runs."""
    found = []
    for _ in range(repeat):
        began = time.process_time()
        for turn in range(turns):
            act(actions[turn % DRAWN])
        found.append(turns * actions.shape[1] / (time.process_time() - began))
    return found


def of_runs(found: list[float]) -> dict[str, int]:
    return {
        "steps_per_cpu_second": round(float(np.median(found))),
        "slowest": round(min(found)),
        "fastest": round(max(found)),
    }


def messages_of_traders(markets: int, rules: MarketRules) -> float:
    """Return how many messages a market's traders send between two actions."""
    quiet, turns = ParallelMarkets(markets, rules), 200
    quiet.reset()
    before = int(quiet.messages.sum())
    for _ in range(turns):
        quiet.step(np.zeros((markets, at.N_ACTION), np.int64))
    return (int(quiet.messages.sum()) - before) / turns / markets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markets", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=7)
    words = parser.parse_args()
    rules = MarketRules()
    actions = drawn_actions(words.markets, rules)
    own = ParallelMarkets(words.markets, rules)
    own.reset()
    behind = OrderBookVectorEnv(words.markets, rules)
    behind.reset(seed=0)
    for warm in (own.step, behind.step):
        rates(warm, actions, DRAWN, 1)
    found = {
        "markets": words.markets,
        "messages_of_traders_per_step": round(messages_of_traders(words.markets, rules), 2),
        "compiled": of_runs(rates(own.step, actions, words.turns, words.repeat)),
        "behind_gymnasium": of_runs(rates(behind.step, actions, words.turns, words.repeat)),
        "surroundings": surroundings(Path.cwd()),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
