"""What the bulk loop reads and writes: flat arrays, and the names of their columns.

All arrays of integers are int64, times are nanoseconds UTC, prices ticks, quantities lots and money
units of 1e-8. Rows of all instruments lie one instrument after the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
"""Array of int64."""
Float64 = NDArray[np.float64]
"""Array of float64."""
Parts = NDArray[np.int64]
"""Array of int64 with three axes."""
Flags = NDArray[np.uint8]
"""Array of uint8, one bit for each condition."""


class Market(NamedTuple):
    """Bars and columns. All of it is shared by the sets of a sweep.

    A slice is a moment at which at least one bar becomes known. With one instrument each row is a
    slice, and what says which row is in which slice is left out.

    Parameters
    ----------
    opened, known, open, high, low, close, volume : int64 array of shape (n_rows,)
        Bars, those of one instrument in time order.
    first : int64 array of shape (n_instruments + 1,)
        First row of each instrument; the last element is ``n_rows``.
    order : int64 array of shape (n_rows,) or (0,)
        Rows by time, then by instrument; without elements there is one instrument.
    owner : int64 array of shape (n_rows,) or (0,)
        Instrument of each element of ``order``.
    moments : int64 array of shape (n_slices,)
        Time of each slice.
    begins : int64 array of shape (n_slices + 1,) or (0,)
        First element of ``order`` of each slice; the last one is ``n_rows``.
    moment_of : int64 array of shape (n_rows,) or (0,)
        Slice of each row.
    columns : float64 array of shape (n_columns, n_column_rows)
        Columns that the strategy reads, one after the other.
    first_column : int64 array of shape (n_instruments + 1,)
        First row of ``columns`` of each instrument.
    column_row : int64 array of shape (n_rows,) or (0,)
        Row of ``columns`` that came with each bar, -1 for none; without elements each bar has its
        own.
    silent : int64 array
        Times of slices that hold no bar, in order; they count as inputs.
    extremes : int64 array of shape (n_rows // BLOCK, 4) or (0, 4)
        Lowest low, highest high, lowest and highest close of each whole block of rows, to skip
        blocks by; used where there is one instrument.
    kept : int64 array
        Slices after which equity is kept, in order; without elements after every one.
    worth : float64 array of shape (n_instruments, n_slices + 1) or (n_instruments, 0)
        Running sum over the slices of the value of one lot at its latest close, money units; where
        it is given, ``State.totals`` gets the exposure.
    lines : int64 array of shape (n_rows, N_LINE) or (0, N_LINE)
        The bars once more, each in a cache line of its own: what a fill asks of a bar then costs
        one access to far memory in place of seven.
    line_worth : float64 array of shape (n_rows, N_LINE) or (0, N_LINE)
        The same memory; its last column is ``worth`` of the instrument before the row's slice.
    """

    opened: Int64
    known: Int64
    open: Int64
    high: Int64
    low: Int64
    close: Int64
    volume: Int64
    first: Int64
    order: Int64
    owner: Int64
    moments: Int64
    begins: Int64
    moment_of: Int64
    columns: Float64
    first_column: Int64
    column_row: Int64
    silent: Int64
    extremes: Int64
    kept: Int64
    worth: Float64
    lines: Int64
    line_worth: Float64


BLOCK = 16
"""Rows of a block of `Market.extremes`."""
BLOCK_LOW, BLOCK_HIGH, BLOCK_LOW_CLOSE, BLOCK_HIGH_CLOSE = 0, 1, 2, 3
"""Columns of it."""
LINE_OPENED, LINE_KNOWN, LINE_OPEN, LINE_HIGH, LINE_LOW, LINE_CLOSE = 0, 1, 2, 3, 4, 5
LINE_VOLUME, LINE_WORTH, N_LINE = 6, 7, 8
"""Columns of `Market.lines`."""


class Script(NamedTuple):
    """Where a strategy's rules hold, and the program of the numbers that an entry needs beside.

    Parameters
    ----------
    code, constants, stack
        As for `evaluate_row`; the program finds 1.0 in the output of an entry whose rule holds, and
        takes it back where a number that the entry depends on is unknown.
    outputs : float64 array of shape (N_OUTPUTS,)
        Receives the outputs of the latest row.
    unknown : float64 array of shape (n_columns, 1)
        The row before the first: NaN.
    flags : uint8 array of shape (n_rows,)
        Bit ``1 << output`` of each bar with which a rule holds; none where no row of columns came
        with the bar, or nobody watches its instrument.
    """

    code: Int64
    constants: Float64
    stack: Float64
    outputs: Float64
    unknown: Float64
    flags: Flags


ENTRY_LONG, EXIT_LONG, ENTRY_SHORT, EXIT_SHORT = 0, 1, 2, 3
CONFIDENCE, STOP_DISTANCE, TARGET_DISTANCE, TRAIL_DISTANCE, LIMIT_OFFSET = 4, 5, 6, 7, 8
SIZE, STOP_2, TARGET_2, STOP_3, TARGET_3 = 9, 10, 11, 12, 13
"""Places of a strategy's outputs."""


class Plan(NamedTuple):
    """How the strategy trades.

    Parameters
    ----------
    method, fallback : int
        Sizing methods of `kernels.sizing`; the second one until enough trades have closed for the
        first, below 0 for none.
    time_stop_bars, expire_after_bars : int
        In bars of the feed; 0 means never.
    start, end : int
        Entries are decided in [start, end); an end of 0 is never.
    keyed : int
        1 where fills are drawn, so that entries need the keys of their client ids.
    logged : int
        1 where the logs keep every row; 0 where they may forget what no limit looks at any more.
    chosen, parts : int
        1 where the confidence of an entry chooses one of the tiers; 1 where all are parts of it.
    shares : (int, int, int)
        Share of the position of each tier in millionths; 0 for tiers that there are not.
    steps : (float, float, float)
        Confidences from which on a tier is chosen.
    """

    method: int
    fallback: int
    time_stop_bars: int
    expire_after_bars: int
    start: int
    end: int
    keyed: int
    logged: int
    chosen: int
    parts: int
    shares: tuple[int, int, int]
    steps: tuple[float, float, float]


class Limits(NamedTuple):
    """Risk limits: shares in millionths, times in nanoseconds.

    Parameters
    ----------
    drawdown_ppm, daily_ppm : int
        Losses that halt trading, and that stop entries for the day.
    daily_amount : int
        The daily limit in money units; below 0 for none.
    loss_type : int
        What counts for the daily limits: 0 realised, 1 unrealised, 2 both.
    max_losses : int
        Losing trades in a row that start a cooldown; 0 for none.
    cooldown : int
        Nanoseconds.
    max_errors : int
        Venue errors in a row that start a cooldown.
    risk_ppm, position_ppm, exposure_ppm, cash_ppm, collar_ppm : int
        Risk per trade, position size, total exposure, free cash, price collar.
    max_correlated : int
        Positions that may move together; 0 for no limit.
    max_per_minute, max_open : int
        Orders.
    duplicate_window : int
        Nanoseconds.
    slippage_ppm : int
        Slippage that raises an alert; below 0 for none.
    confidence : float
        Smallest confidence that may enter.
    correlation : float
        From here on two instruments move together.
    correlation_bars : int
        Closes over which that is measured.
    """

    drawdown_ppm: int
    daily_ppm: int
    daily_amount: int
    loss_type: int
    max_losses: int
    cooldown: int
    max_errors: int
    risk_ppm: int
    position_ppm: int
    exposure_ppm: int
    cash_ppm: int
    collar_ppm: int
    max_correlated: int
    max_per_minute: int
    max_open: int
    duplicate_window: int
    slippage_ppm: int
    confidence: float
    correlation: float
    correlation_bars: int


REALIZED, UNREALIZED, BOTH = 0, 1, 2
"""Losses that count."""

# Terms of an instrument, one row each.
NUMERATOR = 0
DENOMINATOR = 1
MAKER_PPM = 2
TAKER_PPM = 3
MIN_LOTS = 4
MAX_LOTS = 5
MIN_NOTIONAL = 6
PRICE_NUMERATOR = 7
PRICE_DENOMINATOR = 8
SHORTABLE = 9
AMOUNT = 10
WATCHED = 11
OWNER = 12
BORROW_PPM = 13
YEAR_ROOT = 14
FALLBACK_AMOUNT = 15
COUNTS_TRADES = 16
N_TERMS = 17

# Entries of a moment.
WANTED_INSTRUMENT = 0
WANTED_SIGN = 1
WANTED_STOP = 2
WANTED_TARGET = 3
WANTED_TRAIL = 4
WANTED_OFFSET = 5
WANTED_YEARLY = 6
WANTED_SHARE = 7
WANTED_STOP_2 = 8
WANTED_TARGET_2 = 9
WANTED_STOP_3 = 10
WANTED_TARGET_3 = 11
N_WANTED = 12

# The account.
CASH = 0
VALUE = 1
OWED = 2
POSITIONS = 3
SEQUENCE = 4
BESIDE = 5
SLICES = 6
IN_MARKET = 7
SILENT = 8
ORDERS = 9
FILLS = 10
TRADES = 11
NOTES = 12
FIRST_NEW = 13
ACTIVE = 14
NEXT_ENTRY = 15
KEPT = 16
PAID = 17
ROUND_TRIPS = 18
TRADE_DAYS = 19
LAST_TRADE_DAY = 20
OWES_FROM = 21
TRADE_SUMS = 22
N_ACCOUNT = 28

# Sums of floats.
TURNOVER = 0
EXPOSURE = 1
N_TOTALS = 2

# The breakers.
STATE = 0
ENDS_WITH_DAY = 1
PEAK = 2
EQUITY = 3
DAY_EQUITY = 4
DAY_REALIZED = 5
DAY_END = 6
LOSSES = 7
COOLDOWN_UNTIL = 8
ERRORS = 9
LEVEL = 10
DAILY_LEVEL = 11
WAKE = 12
N_BREAKERS = 13
TRADING, REDUCING, HALTED = 0, 1, 2
"""Trading states."""

# Where a trade stands; the first fifteen are the fields of `fills.TradeState`.
DIRECTION = 0
KEY = 1
ENTRY_LOTS = 2
ENTRY_LIMIT = 3
ENTRY_SINCE = 4
ENTRY_BARS = 5
HELD = 6
STOP = 7
TARGET = 8
TRAIL = 9
BEST = 10
EXIT_LOTS = 12
EXIT_LIMIT = 13
EXIT_SINCE = 14
N_TRADE = 15

# What is kept beside it.
AT_VENUE = 0
REFERENCE = 1
ENTRY_ORDER = 2
EXIT_ORDER = 3
HAS_STOP = 4
HAS_TARGET = 5
STOP_REFERENCE = 6
EXIT_REFERENCE = 7
ENTRY_FILLS = 8
EXIT_FILLS = 9
STOP_FILLS = 10
TARGET_FILLS = 11
SLIPPED_DAY = 12
ROW = 13
QUIET_LOW = 14
QUIET_HIGH = 15
CHARGED_DAY = 16
CHARGE_FROM = 17
PARTS = 18
PART_FILLS = 19
N_BOOK = 23
NOT_SHORT = -1
"""The day up to which an instrument is charged for that is not owed."""

# What is held of an instrument.
LOTS = 0
COST = 1
FEES = 2
PROFIT = 3
LARGEST = 4
ENTRY_VALUE = 5
ENTERED = 6
EXIT_VALUE = 7
LEFT = 8
SINCE = 9
OPENED_BAR = 10
WORTH = 11
N_HOLDING = 12

# Rows of the order log; the reference price is the latest close when it was decided.
ORDER_SEQUENCE = 0
ORDER_TIME = 1
ORDER_INSTRUMENT = 2
ORDER_LEG = 3
ORDER_SIGN = 4
ORDER_LOTS = 5
ORDER_REFERENCE = 6
ORDER_LIMIT = 7
ORDER_STOP = 8
ORDER_TARGET = 9
ORDER_TRAIL = 10
ORDER_WHY = 11
N_ORDER = 12
ENTRY, EXIT, STOPPED, TARGETED = 0, 1, 2, 3
"""Legs, in the order in which what they trade in a bar is booked."""
N_LEGS = 4
STOPPED_2, TARGETED_2, STOPPED_3, TARGETED_3 = 4, 5, 6, 7
"""Legs of the later parts of a position."""
BY_RULE, BY_TIME = 0, 1
"""Why a position was left."""

# Rows of the log of parts: lots, stop and target of each, zeros where there is none.
N_ORDER_PARTS = 9

# Rows of the fill log.
FILL_ORDER = 0
FILL_LEG = 1
FILL_NUMBER = 2
FILL_SIGN = 3
FILL_LOTS = 4
FILL_TICKS = 5
FILL_FEE = 6
FILL_MAKER = 7
FILL_TIME = 8
FILL_CASH = 9
FILL_INSTRUMENT = 10
FILL_KNOWN = 11
N_FILL = 12

# Rows of the trade log.
TRADE_INSTRUMENT = 0
TRADE_SIGN = 1
TRADE_LARGEST = 2
TRADE_OPENED = 3
TRADE_CLOSED = 4
TRADE_ENTRY_VALUE = 5
TRADE_EXIT_VALUE = 6
TRADE_ENTRY_LOTS = 7
TRADE_EXIT_LOTS = 8
TRADE_FEES = 9
TRADE_PNL = 10
TRADE_ORDER = 11
TRADE_LEG = 12
N_TRADE_LOG = 13

# Rows of the note log: time, code, three numbers.
N_NOTE = 5
NOTE_DRAWDOWN = 0
NOTE_DAILY_LOSS = 1
NOTE_NEW_DAY = 2
NOTE_RATE = 3
NOTE_LOSSES = 4
NOTE_ERRORS = 5
NOTE_REJECTED = 6
NOTE_SLIPPAGE = 7
NOTE_BORROW = 8

RULES = (
    "",
    "account_form",
    "sizing",
    "instrument_limits",
    "max_position_size_percent",
    "max_total_exposure_percent",
    "min_free_cash_percent",
    "risk_per_trade_percent",
    "intent_form",
    "bracket",
    "trading_state",
    "cooldown_minutes",
    "min_confidence",
    "shortable",
    "price_collar_percent",
    "duplicate_window_seconds",
    "max_open_orders",
    "max_correlated_positions",
    "max_orders_per_minute",
)
"""Names of the rules that refuse entries, by the number of the refusal; 0 is none."""

NOT_REFUSED = 0
REFUSED_ACCOUNT = 1
REFUSED_SIZING = 2
REFUSED_INSTRUMENT = 3
REFUSED_POSITION = 4
REFUSED_EXPOSURE = 5
REFUSED_CASH = 6
REFUSED_RISK = 7
REFUSED_FORM = 8
REFUSED_BRACKET = 9
REFUSED_STATE = 10
REFUSED_COOLDOWN = 11
REFUSED_CONFIDENCE = 12
REFUSED_SHORT = 13
REFUSED_COLLAR = 14
REFUSED_DUPLICATE = 15
REFUSED_OPEN_ORDERS = 16
REFUSED_CORRELATED = 17
REFUSED_RATE = 18


class State(NamedTuple):
    """Everything that changes during a run, so that it can go on where it stopped.

    Parameters
    ----------
    account : int64 array of shape (N_ACCOUNT,)
        Money, counts of rows written, sequence; fees paid, round trips and the days on which they
        ended.
    breakers : int64 array of shape (N_BREAKERS,)
        Trading state and loss limits.
    trades : int64 array of shape (n_instruments, N_TRADE)
        The trade of each instrument, as the venue's step has it.
    books : int64 array of shape (n_instruments, N_BOOK)
        What is kept beside it.
    holdings : int64 array of shape (n_instruments, N_HOLDING)
        What is held.
    refusals : int64 array of shape (len(RULES),)
        How often each rule refused.
    candidates : int64 array of shape (n_instruments, N_WANTED)
        Entries of the moment, columns ``WANTED_...``: instrument, direction, distances in ticks and
        the share of the position that is taken in millionths.
    sureness : float64 array of shape (n_instruments,)
        Their confidences.
    active : int64 array of shape (n_instruments,)
        The first ``ACTIVE`` elements are the instruments that hold something or have an order, in
        order.
    orders, fills, round_trips, notes : int64 arrays
        Logs; rows beyond the counts of ``account`` are unused.
    confidences : float64 array
        Confidence of each row of ``orders``.
    equity : int64 array of shape (n_slices,) or (n_kept,)
        After every slice, or after those of `Market.kept`.
    parts : int64 array of shape (n_instruments, 3, N_TRADE) or (0, 3, N_TRADE)
        The parts of each instrument's trade, of which ``trades`` then holds the sums.
    order_parts : int64 array
        Log of the parts of entries, a row for each row of ``orders``; may be empty.
    totals : float64 array of shape (N_TOTALS,)
        Money units bought and sold; sum over the slices of the value held at their end.
    """

    account: Int64
    breakers: Int64
    trades: Int64
    books: Int64
    holdings: Int64
    refusals: Int64
    candidates: Int64
    sureness: Float64
    active: Int64
    orders: Int64
    fills: Int64
    round_trips: Int64
    notes: Int64
    confidences: Float64
    equity: Int64
    totals: Float64
    parts: Parts
    order_parts: Int64
