"""Where things stand in the arrays of many markets with a learner in each.

Prices are ticks, quantities lots, times nanoseconds. One unit of money is a millionth of a lot at
one tick, one unit of the good a millionth of a lot, so that fees of small orders are not lost.
"""

from __future__ import annotations

from tidewright.kernels.matching.layout import Float32 as Float32
from tidewright.kernels.matching.layout import Float64 as Float64
from tidewright.kernels.matching.layout import Int64 as Int64

UNIT = 1_000_000
"""Units of the good in a lot, and of money in a lot at one tick."""
START_LOTS = 1_000_000
"""Lots that every account begins with, so that it can sell; profit is counted from there."""
START_MONEY = 2**53
"""Units of money that every account begins with."""

# A market's learner, at the start of its row of whole numbers.
SEED = 0
EPISODE = 1
STEP = 2
OVER = 3
BID_ORDER = 4
ASK_ORDER = 5
FIRST_MIDDLE = 6
MIDDLE = 7
WORTH = 8
ANSWER = 9
HISTORY = 16
PAST = 16
"""Middles of the last steps, a ring; a power of 2."""
N_DESK = HISTORY + PAST

# What one action asks for: one row of `actions`.
ACT = 0
AWAY = 1
LOTS = 2
N_ACTION = 3

NOTHING, BID, ASK, BUY, SELL, CANCEL_BID, CANCEL_ASK = range(7)
"""Acts: none; a limit order on a side, in place of the one that stands there; a market order; the
end of an own order."""
N_ACTS = 7

# A market is a row of whole numbers: its learner, its clock, its accounts, then traders and book
# where `rules` says; and a row of real numbers: its hidden value, then the habits of its traders.
CLOCK = N_DESK
MONEY = CLOCK + 8
N_MONEY = 6
"""Numbers of an account: its fees, and both assets."""
VALUES = 0
HABITS = 16

# What holds in all markets: `rules`.
STEP_TIME = 0
STEPS = 1
MEAN_GAP = 2
MOST_LOTS = 3
ORDER_LOTS = 4
MOST_LOSS = 5
LEARNER = 6
OPENING = 7
PEOPLE = 8
BOOK = 9
LOG_ROOM = 10
KINDS = 11
"""From here on the traders by kind."""

# Traders of a kind: the first of them, how many, and the share of acts, of 2**32, that are theirs
# or of a kind before.
FIRST = 0
COUNT = 1
SHARE = 2
N_KIND = 3

# What a learner sees: one row of `observations`, float32.
SEEN_BID = 0
SEEN_ASK = 1
SEEN_SPREAD = 2
SEEN_BID_LOTS = 3
SEEN_ASK_LOTS = 4
SEEN_BALANCE = 5
SEEN_RETURN = 8
SEEN_HELD = 11
SEEN_OWN_BID = 12
SEEN_OWN_ASK = 15
SEEN_TIME = 18
N_SEEN = 19

# What a step led to: one row of `outcomes`, float64.
PROFIT = 0
HELD = 1
BOUGHT = 2
SOLD = 3
N_OUTCOME = 4

TERMINATED, TRUNCATED = 1, 2
"""How an episode ended: its loss was too large; its time was over."""
DRAW_NEXT, DRAW_EPISODE = 40, 41
"""What random numbers are for, beside those of the traders."""
REFUSED = -20
"""Answer to an action that its inventory limit, or an empty book, does not allow."""
