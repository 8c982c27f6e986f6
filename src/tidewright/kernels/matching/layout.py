"""Where things stand in the flat arrays of an order book.

A book is one int64 array, so that a compiled step takes it in a few registers: several arrays, or a
tuple of them, cost many times the step itself. It holds a header, the orders, the price levels of
resting orders, those of waiting orders (stops), and for both a bitmap that finds the next occupied
price in a few steps. Prices are ticks, quantities lots, money the smallest unit of the asset.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
"""Array of int64."""
Float64 = NDArray[np.float64]
"""Array of float64."""
Float32 = NDArray[np.float32]
"""Array of float32."""

WORD = 6
"""A word of a bitmap covers 64 prices, or 64 words of the layer below."""
MOST_LAYERS = 5
"""Layers of a bitmap: at most 64**5 prices."""

# Header.
PRICES = 0
CAPACITY = 1
LAYERS = 2
LEVELS = 3
WAITING_LEVELS = 4
BITS = 5
WAITING_BITS = 10
TRAILERS = 15
FREE = 16
LIVE = 17
ICEBERGS = 18
WAITING = 19
TRAILING = 20
BID = 21
ASK = 22
LAST = 23
LOWEST = 24
HIGHEST = 25
ANCHOR = 26
TRADES = 27
BASE = 28
QUOTE = 29
BASE_UNIT = 30
QUOTE_UNIT = 31
LOG_ROWS = 32
MESSAGES = 33
WIDTH = 34
ACCOUNTS = 35
NOW = 36
HEADER = 40

# An order: one row of two cache lines. Slot 0 stays empty, so that a link of 0 is none.
HANDLE = 0
ACCOUNT = 1
SIDE = 2
KIND = 3
PRICE = 4
LOTS = 5
SHOWN = 6
DISPLAY = 7
STOP = 8
TRAIL = 9
PEER = 10
NEXT = 11
PREVIOUS = 12
LOCKED = 13
GUARD = 14
BEST = 15
N_ORDER = 16

# A price level.
FIRST = 0
FINAL = 1
SHOWN_LOTS = 2
HIDDEN_LOTS = 3
N_LEVEL = 4

# An account: fee rates in millionths, then free and locked units of each asset.
MAKER_PPM = 0
TAKER_PPM = 1
N_RATES = 2
VENUE = 0
"""The account that receives fees."""

# A message.
WHAT = 0
WHO = 1
WHICH_SIDE = 2
ORDER_KIND = 3
AT_PRICE = 4
HOW_MANY = 5
STOP_AT = 6
SHOW = 7
TRAIL_BY = 8
SELF_TRADE = 9
ORDER = 10
STOP_LIMIT = 11
FOR_MONEY = 12
RISES = 13
N_MESSAGE = 14

PLACE, CANCEL, REDUCE, PLACE_PAIR = 0, 1, 2, 3
"""What a message asks for."""

LIMIT, POST_ONLY, IMMEDIATE, ALL_OR_NONE, MARKET = 0, 1, 2, 3, 4
"""Kinds of orders; immediate or cancel and all or none (fill or kill) are limit orders too."""

NO_GUARD, EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH, DECREMENT = 0, 1, 2, 3, 4
"""What happens when an account would trade with itself; the taker's choice holds."""

# A row of the log.
EVENT = 0
TAKER = 1
MAKER = 2
TRADE_PRICE = 3
TRADE_LOTS = 4
TAKER_SIDE = 5
TAKER_ACCOUNT = 6
MAKER_ACCOUNT = 7
TAKER_FEE = 8
MAKER_FEE = 9
TRADE_NUMBER = 10
MESSAGE = 11
WHEN = 12
N_LOG = 13

TRADED, ENDED, TRIGGERED, NOT_TRADED, PAIRED, TRAILS = 1, 2, 3, 4, 5, 6
"""Events: a trade; an order that left unfilled, its lots and why beside it; a stop that was
reached; two orders of one account kept from trading; the orders of a new pair; a stop that begins
to trail.

Of two orders that were kept apart, what each of them loses stands in the columns of the fees."""

BY_REQUEST, UNFILLED, SELF_TRADED, BY_PEER, NO_FUNDS = 1, 2, 3, 4, 5
"""Why an order ended: cancelled; immediate and nothing left to trade with; self-trade prevention;
the other order of its pair; money ran out."""

UNKNOWN_ORDER = -1
BAD_PRICE = -2
BAD_LOTS = -3
NO_BALANCE = -4
WOULD_TAKE = -5
WOULD_TRIGGER = -6
BOOK_FULL = -7
NO_LIQUIDITY = -8
BAD_ACCOUNT = -9
BAD_KIND = -10
"""Answers below 0: why a message was refused. Others are the order's handle."""

MOST_PARTS = 100
"""Parts that an iceberg order may show one after the other."""
MOST_UNITS = 9.0e18
"""Products of price, lots and unit stay below this."""
