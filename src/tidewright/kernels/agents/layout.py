"""Where things stand in the arrays of a population of traders.

Times are nanoseconds of market time, prices ticks, quantities lots. Every random number is a hash
of the seed, what it is for, the trader and a counter, so that a run is the same wherever it stops
and goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
"""Array of int64."""
Float64 = NDArray[np.float64]
"""Array of float64."""

# A trader, whole numbers: one row of `traders`.
KIND = 0
MARKET = 1
ACCOUNT = 2
WAIT = 3
DRAWS = 4
FIRST_ORDER = 5
SECOND_ORDER = 6
SIZE = 7
OTHER_MARKET = 8
START_LOTS = 9
MOST_LOTS = 10
N_TRADER = 12

# A trader, real numbers: one row of `habits`. What they mean depends on the kind.
FAST = 0
SLOW = 1
THRESHOLD = 2
BIAS = 3
AVERSION = 4
HALF_SPREAD = 5
VARIANCE = 6
SEEN = 7
CANCELS = 8
TAKES = 9
DISTANCE = 10
MEMORY = 11
N_HABIT = 12

MAKER, NOISE, MOMENTUM, VALUE, ARBITRAGE = 0, 1, 2, 3, 4
"""Kinds of traders."""

# A market's hidden value, real numbers: one row of `values`. The value of a market with a dividend
# is that of one market in units of another; both are numbers of markets, from 1.
WORTH = 0
LOG_VOLATILITY = 1
CALM_VOLATILITY = 2
RETURN_TO_CALM = 3
UNREST = 4
JUMP_CHANCE = 5
JUMP_SIZE = 6
START_WORTH = 7
PULL = 8
DIVIDEND = 9
DIVISOR = 10
TIED = 11
N_VALUE = 12

# The clock: one array of whole numbers for the run.
NOW = 0
SEED = 1
NEXT_NEWS = 2
NEWS_EVERY = 3
NEWS_COUNT = 4
WAKES = 5
COMMON_SEED = 6
N_CLOCK = 7

DRAW_WAIT, DRAW_ACT, DRAW_SIDE, DRAW_SIZE, DRAW_AWAY, DRAW_NEWS, DRAW_JUMP, DRAW_UNREST = range(8)
DRAW_COMMON = 8
"""What random numbers are for."""
