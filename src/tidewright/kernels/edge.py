"""What closed trades say about the edge of a strategy, and the share of equity that Kelly bets.

A trade counts with its profit after fees as a share of what was paid for it, so trades of different
size weigh the same. All sums are integers in millionths and only grow: the window is expanding.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tidewright.kernels.integer import checked_add
from tidewright.kernels.jit import compiled
from tidewright.kernels.limits import PPM

KELLY_TRADES = 100
"""Closed trades below which no edge is known."""
KELLY_DEVIATIONS = 1.6448536269514722
"""Standard errors below the mean at which the edge is read: one-sided 95 %."""
UNKNOWN = -1
"""No edge is known yet."""

_LARGEST = 10 * PPM


class TradeSums(NamedTuple):
    """Running sums over closed trades; returns in millionths of the entry's value.

    Parameters
    ----------
    wins, losses, flat : int
        Trades with a profit, with a loss, with neither.
    gained, lost : int
        Sums of the returns of wins and, without sign, of losses.
    squares : int
        Sum of the squares of all returns.
    """

    wins: int
    losses: int
    flat: int
    gained: int
    lost: int
    squares: int


NO_TRADES = TradeSums(0, 0, 0, 0, 0, 0)
"""Nothing closed yet."""


@compiled
def trade_return(pnl: int, entry_value: int) -> int:
    """Return a trade's profit as a share of its entry's value, in millionths.

    Parameters
    ----------
    pnl : int
        Money units after fees.
    entry_value : int
        Money units paid or received at the entry, > 0.

    Returns
    -------
    int
        Rounded towards zero, and cut at ten times the value on either side.
    """
    size = abs(pnl)
    if size >= 10 * entry_value:
        found = _LARGEST
    else:
        whole, rest = size // entry_value, size % entry_value
        # The remainder is below the value, so the float quotient is below 1 and cannot overflow.
        found = whole * PPM + int(np.float64(rest) / np.float64(entry_value) * PPM)
    return found if pnl >= 0 else -found


@compiled
def with_trade(sums: TradeSums, return_ppm: int) -> TradeSums:
    """Return the sums after one more closed trade.

    Raises
    ------
    OverflowError
        If a sum leaves int64.
    """
    wins, losses, flat, gained, lost, squares = sums
    if return_ppm > 0:
        wins, gained = wins + 1, checked_add(gained, return_ppm)
    elif return_ppm < 0:
        losses, lost = losses + 1, checked_add(lost, -return_ppm)
    else:
        flat += 1
    return TradeSums(
        wins, losses, flat, gained, lost, checked_add(squares, return_ppm * return_ppm)
    )


@compiled
def with_trade_flat(sums: tuple[int, ...], return_ppm: int) -> tuple[int, ...]:
    """Return `with_trade` in plain tuples: cheap to call from outside compiled code."""
    after = with_trade(TradeSums(*sums), return_ppm)
    return after.wins, after.losses, after.flat, after.gained, after.lost, after.squares


@compiled
def kelly_ppm(sums: TradeSums, fraction_ppm: int) -> int:
    """Return the share of equity to buy for, by Kelly's criterion on the lower bound of the edge.

    With wins of ``a`` and losses of ``l`` as shares of the position, growth is largest at
    ``f = p / l - (1 - p) / a = edge / (a * l)`` of equity, where ``edge = p * a - (1 - p) * l`` is
    the mean return (Kelly, A New Interpretation of Information Rate, 1956; Thorp, The Kelly
    Criterion in Blackjack, Sports Betting and the Stock Market, 2006). ``a`` and ``l`` are the mean
    win and loss; the edge is not its mean but the lower bound of a one-sided 95 % interval, the
    mean less 1.645 standard errors.

    Parameters
    ----------
    sums : TradeSums
        Trades closed so far.
    fraction_ppm : int
        Share of the bet that is taken, in millionths, in (0, 1e6].

    Returns
    -------
    int
        Millionths of equity in [0, ``fraction_ppm``], rounded down: 0 where the bound is not above
        0; never above the fraction of all equity. `UNKNOWN` below `KELLY_TRADES` trades.
    """
    count = sums.wins + sums.losses + sums.flat
    if count < KELLY_TRADES:
        return UNKNOWN
    total = np.float64(sums.gained - sums.lost)
    mean = total / count
    variance = max(np.float64(sums.squares) - total * mean, 0.0) / (count - 1)
    edge = mean - KELLY_DEVIATIONS * math.sqrt(variance / count)
    if not edge > 0.0:
        return 0
    if sums.losses == 0:
        return fraction_ppm
    win = np.float64(sums.gained) / sums.wins
    loss = np.float64(sums.lost) / sums.losses
    share = min(edge / win * (PPM / loss), 1.0)
    return int(share * fraction_ppm)


@compiled
def kelly_ppm_flat(sums: tuple[int, ...], fraction_ppm: int) -> int:
    """Return `kelly_ppm` of sums given as a plain tuple."""
    return kelly_ppm(TradeSums(*sums), fraction_ppm)
