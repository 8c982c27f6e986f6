"""The order book as an environment of gymnasium: one market, or many at once.

An action is (act, distance, size):

- act: 0 nothing, 1 bid, 2 ask, 3 buy now, 4 sell now, 5 cancel the bid, 6 cancel the ask. There is
  one own bid and one own ask; a new one takes the place of the one before.
- distance: of a limit order from the middle of the best quotes, ticks outwards, 0 on the middle or
  the half tick beside it. An order that would take is refused.
- size: from 0 on, in multiples of ``order_lots``. Lots beyond the inventory limit are left out.

An observation has 19 numbers:

- 0 to 2: best bid and best ask against the first middle of the episode, and the spread; ticks
- 3 and 4: lots at the best bid and at the best ask
- 5 to 7: (bids - asks) / (bids + asks) of the lots within 1, 3 and 5 ticks from the best prices on
- 8 to 10: how far the middle moved in the last step, in 4 and in 15; ticks
- 11: lots held; below 0 when owed
- 12 to 14: own bid: ticks below the middle, lots, lots before it in its queue; zeros without one
- 15 to 17: own ask: ticks above the middle, lots, lots before it
- 18: share of the episode that is left

The reward is the growth of profit, with the good valued at the middle and fees paid, in ticks x
lots, less ``aversion`` x lots held, squared. An episode is terminated when ``most_loss`` was lost,
and truncated after ``steps`` actions: the market would go on.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.exchange.environment.markets import ParallelMarkets
from tidewright.exchange.environment.rules import MarketRules
from tidewright.kernels.environment import layout as at

try:
    import gymnasium
    from gymnasium import spaces
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space
except ImportError as missing:
    raise ConfigError(
        "gymnasium is not installed; environments need it: pip install 'tidewright[learn]'"
    ) from missing

Observation = NDArray[np.float32]
Action = NDArray[np.int64]
Flags = NDArray[np.bool_]
Info = dict[str, Any]


def _spaces(rules: MarketRules) -> tuple[spaces.Space[Observation], spaces.MultiDiscrete]:
    seen = spaces.Box(-np.inf, np.inf, (at.N_SEEN,), np.float32)
    return cast("spaces.Space[Observation]", seen), spaces.MultiDiscrete(
        [at.N_ACTS, rules.distances, rules.sizes]
    )


class OrderBookEnv(gymnasium.Env[Observation, Action]):
    """One market.

    Parameters
    ----------
    rules : MarketRules, optional
        What an episode is.
    seed : int
        Holds until `reset` is given another one. The same seed and actions give the same market; a
        reset without a seed begins the seed's next episode.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, rules: MarketRules | None = None, *, seed: int = 0) -> None:
        self.rules = rules or MarketRules()
        self.markets = ParallelMarkets(1, self.rules, seed)
        self.observation_space, self.action_space = _spaces(self.rules)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode; ``options`` are not looked at.

        Returns
        -------
        (float32 array of shape (19,), dict)
            What is seen, and what `step` tells beside it.
        """
        super().reset(seed=seed)
        if seed is not None:
            self.markets.seed(seed)
        self.markets.reset()
        return self.markets.observations[0].copy(), self._info()

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, Info]:
        """Carry out an action and let the market go on for ``step_time``.

        Returns
        -------
        (float32 array of shape (19,), float, bool, bool, dict)
            What is seen, the reward, whether the episode was terminated or truncated, and profit,
            lots held, lots bought and sold, and the book's answer to the action.
        """
        markets = self.markets
        markets.step(np.asarray(action, np.int64).reshape(1, -1))
        over = int(markets.over[0])
        return (
            markets.observations[0].copy(),
            float(markets.rewards[0]),
            over == at.TERMINATED,
            over == at.TRUNCATED,
            self._info(),
        )

    def _info(self) -> Info:
        return {name: values[0].item() for name, values in _told(self.markets).items()}


class OrderBookVectorEnv(VectorEnv[Observation, Action, NDArray[Any]]):
    """Many markets, stepped by one compiled call.

    Equal to as many `OrderBookEnv` in gymnasium's ``SyncVectorEnv``, bit for bit. The step after
    the end of an episode begins another one, whatever the action is (``NEXT_STEP``).

    Parameters
    ----------
    num_envs : int
        How many markets; each takes some 0.2 MB of memory.
    rules : MarketRules, optional
        What an episode is.
    seed : int
        Market k has the seed ``seed`` + k until `reset` is given another one.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": [],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(self, num_envs: int, rules: MarketRules | None = None, *, seed: int = 0) -> None:
        self.rules = rules or MarketRules()
        self.num_envs = num_envs
        self.markets = ParallelMarkets(num_envs, self.rules, seed)
        self.single_observation_space, self.single_action_space = _spaces(self.rules)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode in every market; ``options`` are not looked at."""
        super().reset(seed=seed)
        if seed is not None:
            self.markets.seed(seed)
        self.markets.reset()
        return self.markets.observations.copy(), _told(self.markets)

    def step(self, actions: Action) -> tuple[Observation, NDArray[Any], Flags, Flags, Info]:
        """Carry out one action in every market.

        Parameters
        ----------
        actions : int64 array of shape (num_envs, 3)

        Returns
        -------
        (float32 array of shape (num_envs, 19), three arrays of shape (num_envs,), dict)
            As of one market; the dict holds an array for each name.
        """
        markets = self.markets
        markets.step(actions)
        return (
            markets.observations.copy(),
            markets.rewards.copy(),
            markets.over == at.TERMINATED,
            markets.over == at.TRUNCATED,
            _told(markets),
        )


def _told(markets: ParallelMarkets) -> dict[str, NDArray[Any]]:
    outcomes = markets.outcomes
    return {
        "profit": outcomes[:, at.PROFIT].copy(),
        "held": outcomes[:, at.HELD].copy(),
        "bought": outcomes[:, at.BOUGHT].copy(),
        "sold": outcomes[:, at.SOLD].copy(),
        "answer": markets.answers,
    }
