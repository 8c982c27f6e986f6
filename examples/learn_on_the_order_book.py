"""Learn to make a market by trying, with numpy alone: the cross-entropy method on quotes.

A policy has three numbers: how far from the middle it quotes, how much that leans against each
lot held, and how many lots it offers. Many markets try many choices at once; the best fifth say
where to try next. What was learned is then played on seeds that it never saw, beside orders drawn
by lot.

Run it::

    python examples/learn_on_the_order_book.py
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tidewright.exchange.environment.rules import MarketRules
from tidewright.learning.rl.order_book import OrderBookVectorEnv

Numbers = NDArray[np.float64]
Policy = Callable[[NDArray[np.float32]], NDArray[np.int64]]

RULES = MarketRules(steps=400)
TRIES, ROUNDS, BEST = 200, 6, 40
UNSEEN = 1_000_000
"""Seeds from here on are never learned from."""


def quotes(choices: Numbers) -> Policy:
    """Return a policy for as many markets as there are rows of (distance, lean, size)."""
    distance, lean, size = choices.T

    def act(seen: NDArray[np.float32]) -> NDArray[np.int64]:
        held = seen[:, 11]
        targets = np.stack((distance + lean * held, distance - lean * held), axis=1)
        targets = np.clip(np.rint(targets), 0, RULES.distances - 1)
        # The side that stands further from where it should is the one to quote now.
        off = np.where(seen[:, [13, 16]] > 0, np.abs(seen[:, [12, 15]] - targets), np.inf)
        side = np.where(off[:, 1] == off[:, 0], held > 0, off[:, 1] > off[:, 0]).astype(int)
        row = np.arange(len(seen))
        does = np.where(off[row, side] > 0.5, 1 + side, 0)
        lots = np.clip(np.rint(size), 0, RULES.sizes - 1)
        return np.stack((does, targets[row, side], lots), axis=1).astype(np.int64)

    return act


def returns(markets: int, policy: Policy, seed: int) -> Numbers:
    """Play an episode in each market and return the sums of rewards."""
    many = OrderBookVectorEnv(markets, RULES)
    seen, _ = many.reset(seed=seed)
    total = np.zeros(markets)
    for _ in range(RULES.steps):
        seen, rewards, _, _, _ = many.step(policy(seen))
        total += rewards
    return total


def learn(seed: int) -> Numbers:
    """Return the numbers of the policy that the search ends with."""
    draw = np.random.default_rng(seed)
    middle, spread = np.array([3.0, 0.0, 1.5]), np.array([2.0, 0.05, 1.0])
    for number in range(ROUNDS):
        choices = middle + spread * draw.normal(size=(TRIES, len(middle)))
        earned = returns(TRIES, quotes(choices), seed + 1_000 * number)
        best = choices[np.argsort(earned)[-BEST:]]
        middle, spread = best.mean(axis=0), best.std(axis=0) + 0.002
    return middle


def main(seed: int = 1) -> dict[str, float]:
    """Learn, play on unseen seeds, and return mean rewards and their standard errors."""
    learned = learn(seed)
    draw, count = np.random.default_rng(seed), 200
    most = [7, RULES.distances, RULES.sizes]
    policies: dict[str, Policy] = {
        "learned": quotes(np.tile(learned, (count, 1))),
        "by lot": lambda seen: draw.integers(0, most, (len(seen), 3)),
    }
    found = {}
    print("distance {:.2f} ticks, lean {:.4f} a lot, size {:.1f}".format(*learned))
    for name, policy in policies.items():
        earned = returns(count, policy, UNSEEN)
        found[name], error = float(earned.mean()), float(earned.std(ddof=1) / np.sqrt(count))
        print(f"{name:8s} {found[name]:9.1f} ticks x lots an episode, +- {error:.1f}")
    return found


if __name__ == "__main__":
    main()
