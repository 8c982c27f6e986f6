"""Many small markets that learners step all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.exchange.environment.rules import LOG_ROWS, MarketRules, fresh_market
from tidewright.kernels.environment import layout as at
from tidewright.kernels.environment.layout import Int64
from tidewright.kernels.environment.run import begin_episodes, step_markets
from tidewright.kernels.matching import layout as book_at

_LINE = 8


class ParallelMarkets:
    """Some markets that have nothing to do with each other, with a place for a learner in each.

    Parameters
    ----------
    count : int
        How many.
    rules : MarketRules
        What holds in all of them.
    seed : int
        Market k has the seed ``seed`` + k until `reset` names others.

    Attributes
    ----------
    observations : float32 array of shape (count, N_SEEN)
        What is seen after the last step; its columns are those of `kernels.environment.layout`.
    rewards : float64 array of shape (count,)
        Growth of profit in the last step less the cost of what was held, ticks x lots.
    over : int64 array of shape (count,)
        0, ``TERMINATED`` or ``TRUNCATED``. The next step of such a market begins an episode.
    outcomes : float64 array of shape (count, N_OUTCOME)
        Profit, lots held, and lots bought and sold in the last step.

    Raises
    ------
    ConfigError
        If there are no markets.
    """

    def __init__(self, count: int, rules: MarketRules, seed: int = 0) -> None:
        if count < 1:
            raise ConfigError(f"count was {count}; expected 1 or more")
        self.count, self.rules = count, rules
        fresh = fresh_market(rules)
        self._law, self._fresh = fresh.law, (fresh.words, fresh.reals)
        # Begins at a cache line. Memory is taken where it is first used; most prices never are.
        width = len(fresh.words)
        room = np.zeros(count * width + _LINE, np.int64)
        first = -(room.ctypes.data // room.itemsize) % _LINE
        self._words = room[first : first + count * width].reshape(count, width)
        self._reals = np.zeros((count, len(fresh.reals)))
        book = int(self._law[at.BOOK])
        # An empty book needs its header; the first reset does the rest.
        self._words[:, book : book + book_at.HEADER] = fresh.words[book : book + book_at.HEADER]
        self._log = np.zeros((LOG_ROWS, book_at.N_LOG), np.int64)
        self._mail = np.zeros(book_at.N_MESSAGE, np.int64)
        self.observations = np.zeros((count, at.N_SEEN), np.float32)
        self.rewards = np.zeros(count)
        self.over = np.zeros(count, np.int64)
        self.outcomes = np.zeros((count, at.N_OUTCOME))
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Give market k the seed ``seed`` + k, and make its next episode the first."""
        self._words[:, at.SEED] = np.arange(self.count, dtype=np.int64) + seed
        self._words[:, at.EPISODE] = 0

    def reset(self, which: Sequence[int] | NDArray[np.int64] | None = None) -> None:
        """Begin the next episode in some markets, or in all of them; `observations` tell."""
        chosen = np.arange(self.count) if which is None else np.asarray(which, np.int64)
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < self.count:
            raise ConfigError(
                f"markets were {chosen.min()} to {chosen.max()}; expected 0 to {self.count - 1}"
            )
        begin_episodes(
            chosen,
            self._words,
            self._reals,
            self._fresh,
            self._law,
            self._log,
            self._mail,
            self.observations,
            self.outcomes,
        )
        self.rewards[chosen], self.over[chosen] = 0.0, 0

    def step(self, actions: Int64) -> None:
        """Carry out one action in every market.

        Parameters
        ----------
        actions : int64 array of shape (count, N_ACTION)
            What to do, at how many ticks from the middle, and which size, from 0 on. Numbers that
            mean nothing are answered with a refusal, or do nothing.

        Raises
        ------
        ConfigError
            If the shape is another one.
        """
        wishes = np.ascontiguousarray(actions, np.int64)
        if wishes.shape != (self.count, at.N_ACTION):
            raise ConfigError(
                f"actions had the shape {wishes.shape}; expected {(self.count, at.N_ACTION)}"
            )
        step_markets(
            wishes,
            self._words,
            self._reals,
            self._fresh,
            self._law,
            self.rules.aversion,
            self._log,
            self._mail,
            self.observations,
            self.rewards,
            self.over,
            self.outcomes,
        )

    @property
    def learner(self) -> int:
        """Number of the learner's account, in every market."""
        return int(self._law[at.LEARNER])

    @property
    def answers(self) -> Int64:
        """What the books answered to the last actions; below 0 where they were refused."""
        return self._words[:, at.ANSWER].copy()

    @property
    def messages(self) -> Int64:
        """Messages that each market's book took since its episode began."""
        return self._words[:, int(self._law[at.BOOK]) + book_at.MESSAGES].copy()

    def book(self, market: int) -> Int64:
        """Return a view of a market's book."""
        return self._words[market, int(self._law[at.BOOK]) :]

    def accounts(self, market: int) -> Int64:
        """Return a view of a market's accounts, of shape (n, 6); the learner's is the last."""
        end = at.MONEY + (self.learner + 1) * at.N_MONEY
        return self._words[market, at.MONEY : end].reshape(-1, at.N_MONEY)

    def last_rows(self) -> Int64:
        """Return the rows of the log that the last market wrote in the last step.

        The first ones are missing where a step is so long that the log overflowed.
        """
        return self._log[: self.book(self.count - 1)[book_at.LOG_ROWS]].copy()
