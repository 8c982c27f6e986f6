"""Trades, aggregate trades and candles from the rows that a book's log holds."""

from __future__ import annotations

from tidewright.kernels.jit import compiled
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64

# A trade.
NUMBER = 0
PRICE = 1
LOTS = 2
SIDE = 3
TIME = 4
N_TRADE = 5

# Trades of one taking order, one after the other at one price.
AGGREGATE = 0
AGGREGATE_PRICE = 1
AGGREGATE_LOTS = 2
AGGREGATE_SIDE = 3
AGGREGATE_TIME = 4
FROM_TRADE = 5
TO_TRADE = 6
ORDER = 7
N_AGGREGATE = 8

# A candle; worth is ticks times lots.
OPENED = 0
OPEN = 1
HIGH = 2
LOW = 3
CLOSE = 4
VOLUME = 5
WORTH = 6
BOUGHT_VOLUME = 7
BOUGHT_WORTH = 8
TRADES = 9
FIRST_TRADE = 10
LAST_TRADE = 11
N_CANDLE = 12


@compiled
def collect(
    log: Int64, epoch: int, trades: Int64, count: int, aggregates: Int64, aggregated: int
) -> tuple[int, int]:
    """Add the trades of a log to two tables.

    Parameters
    ----------
    log : int64 array of shape (n, N_LOG)
        Rows of a book's log; those that are no trades are left out.
    epoch : int
        Added to their times.
    trades : int64 array of shape (rows, N_TRADE)
        Receives a row per trade from ``count`` on; room for n is needed.
    count : int
        Rows in use.
    aggregates : int64 array of shape (rows, N_AGGREGATE)
        Receives a row per aggregate trade; the last one may go on.
    aggregated : int
        Rows in use.

    Returns
    -------
    (int, int)
        Rows then in use.
    """
    for line in range(log.shape[0]):
        if log[line, at.EVENT] != at.TRADED:
            continue
        number, price, lots = (
            log[line, at.TRADE_NUMBER],
            log[line, at.TRADE_PRICE],
            log[line, at.TRADE_LOTS],
        )
        side, order, time = (
            log[line, at.TAKER_SIDE],
            log[line, at.TAKER],
            log[line, at.WHEN] + epoch,
        )
        trades[count, NUMBER] = number
        trades[count, PRICE] = price
        trades[count, LOTS] = lots
        trades[count, SIDE] = side
        trades[count, TIME] = time
        count += 1
        last = aggregated - 1
        if (
            last >= 0
            and aggregates[last, ORDER] == order
            and aggregates[last, AGGREGATE_PRICE] == price
            and aggregates[last, TO_TRADE] == number - 1
        ):
            aggregates[last, AGGREGATE_LOTS] += lots
            aggregates[last, TO_TRADE] = number
            continue
        aggregates[aggregated, AGGREGATE] = aggregates[last, AGGREGATE] + 1 if last >= 0 else 1
        aggregates[aggregated, AGGREGATE_PRICE] = price
        aggregates[aggregated, AGGREGATE_LOTS] = lots
        aggregates[aggregated, AGGREGATE_SIDE] = side
        aggregates[aggregated, AGGREGATE_TIME] = time
        aggregates[aggregated, FROM_TRADE] = number
        aggregates[aggregated, TO_TRADE] = number
        aggregates[aggregated, ORDER] = order
        aggregated += 1
    return count, aggregated


@compiled
def fold(trades: Int64, length: int, candles: Int64, count: int) -> int:
    """Add trades to a table of candles; intervals without a trade have no row.

    Parameters
    ----------
    trades : int64 array of shape (n, N_TRADE)
        In the order of their numbers.
    length : int
        Nanoseconds of a candle.
    candles : int64 array of shape (rows, N_CANDLE)
        The last one in use may go on; room for every interval that begins is needed.
    count : int
        Rows in use.

    Returns
    -------
    int
        Rows then in use.
    """
    for line in range(trades.shape[0]):
        price, lots, time = trades[line, PRICE], trades[line, LOTS], trades[line, TIME]
        row = count - 1
        if row < 0 or time >= candles[row, OPENED] + length:
            row = count
            count += 1
            for place in range(N_CANDLE):
                candles[row, place] = 0
            candles[row, OPENED] = time // length * length
            candles[row, OPEN] = candles[row, HIGH] = candles[row, LOW] = price
            candles[row, FIRST_TRADE] = trades[line, NUMBER]
        candles[row, HIGH] = max(candles[row, HIGH], price)
        candles[row, LOW] = min(candles[row, LOW], price)
        candles[row, CLOSE] = price
        candles[row, VOLUME] += lots
        candles[row, WORTH] += price * lots
        if trades[line, SIDE] > 0:
            candles[row, BOUGHT_VOLUME] += lots
            candles[row, BOUGHT_WORTH] += price * lots
        candles[row, TRADES] += 1
        candles[row, LAST_TRADE] = trades[line, NUMBER]
    return count
