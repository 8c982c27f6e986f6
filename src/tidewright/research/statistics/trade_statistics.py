"""What single trades say: how far prices went against them, what they cost, how they concentrate.

Trades support the daily figures and never replace them: trades of one day are one piece of
evidence, and a share of winners means nothing without the size of wins and losses beside it.

Sources
-------
Excursions: J. Sweeney, "Maximum Adverse Excursion", 1997. Interval of a share: E. B. Wilson,
Journal of the American Statistical Association, 1927. Expectancy in units of risk: V. K. Tharp,
"Trade Your Way to Financial Freedom", 1998. Longest row of losers: M. F. Schilling, "The Longest
Run of Heads", College Mathematics Journal, 1990.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import Side
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.statistics.effective import EffectiveTrades, effective_trades
from tidewright.research.statistics.series import Bool, Float64, Int64, probability

_STOP, _TARGET = "stop", "target"


@dataclass(frozen=True, slots=True, eq=False)
class Excursions:
    """How far prices went while each trade was open, as shares of its entry price.

    Parameters
    ----------
    adverse : float64 array of shape (n_trades,)
        Deepest point under water, at least 0; NaN where the bars do not cover the trade.
    favourable : float64 array of shape (n_trades,)
        Highest open profit, at least 0; NaN likewise.
    realised : float64 array of shape (n_trades,)
        Result before fees, signed.
    """

    adverse: Float64
    favourable: Float64
    realised: Float64


@dataclass(frozen=True, slots=True)
class WinRate:
    """Share of winners with what it has to be compared with.

    Parameters
    ----------
    trades, wins : int
        Round trips, and those with a profit after fees.
    share : float
        wins / trades.
    low, high : float
        Wilson interval of the share, trades taken as independent.
    payoff : float or None
        Mean win / mean loss; None without a win or a loss.
    break_even : float or None
        Share of winners at which such wins and losses cancel: 1 / (1 + payoff).
    expectancy : float or None
        Mean profit of a trade in units of the mean loss; None when nothing was lost.
    """

    trades: int
    wins: int
    share: float
    low: float
    high: float
    payoff: float | None
    break_even: float | None
    expectancy: float | None


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading cost.

    Parameters
    ----------
    fees : int
        Money units.
    gross : int
        Profit before fees, money units.
    share : float or None
        Fees / gross profit; None when there was no profit to pay them from.
    """

    fees: int
    gross: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Streaks:
    """Longest rows of equal outcomes.

    Parameters
    ----------
    wins, losses : int
        Longest rows of trades with and without a profit after fees, by time of exit.
    expected_losses : float
        Longest row of losses to expect in so many independent trades with that share of losers.
    """

    wins: int
    losses: int
    expected_losses: float


@dataclass(frozen=True, slots=True)
class Concentration:
    """How few days and trades the profit comes from; shares of the net profit, None without one.

    Parameters
    ----------
    best_day, best_five_days : float or None
        What the best days earned: above 1, all other days lost together.
    best_trade : float or None
        What the best trade earned.
    days_to_nothing : int or None
        How many of the best days have to be left out for nothing to remain.
    """

    best_day: float | None
    best_five_days: float | None
    best_trade: float | None
    days_to_nothing: int | None


def excursions(trades: Sequence[Trade], bars: Mapping[str, BarArrays]) -> Excursions:
    """Return how far prices went against and for each trade while it was open.

    Bars count from the entry on, a bar that was entered inside does not. In the bar of a stop what
    lay beyond the stop does not count, in the bar of a target what lay beyond the target: the trade
    was over.

    Parameters
    ----------
    trades : sequence of Trade
        Round trips.
    bars : mapping of str to BarArrays
        Bars of each instrument; the finer they are, the truer the answer.
    """
    shape = len(trades)
    found = Excursions(np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan))
    rows: dict[tuple[str, Side], list[int]] = {}
    for row, trade in enumerate(trades):
        rows.setdefault((trade.instrument, trade.side), []).append(row)
    for (instrument, side), numbers in rows.items():
        some = [trades[number] for number in numbers]
        _fill_excursions(found, np.array(numbers), some, side, bars.get(instrument))
    return found


def _fill_excursions(
    found: Excursions,
    rows: NDArray[np.intp],
    trades: Sequence[Trade],
    side: Side,
    bars: BarArrays | None,
) -> None:
    sign = 1.0 if side is Side.BUY else -1.0
    entry = np.array([trade.entry_value / trade.entry_lots for trade in trades])
    exit_ = np.array([trade.exit_value / trade.exit_lots for trade in trades])
    found.realised[rows] = sign * (exit_ - entry) / entry
    if bars is None or len(bars) == 0:
        return
    low, high = (bars.low, bars.high) if side is Side.BUY else (-bars.high, -bars.low)
    opened = np.array([trade.ts_entry for trade in trades], dtype=np.int64)
    closed = np.array([trade.ts_exit for trade in trades], dtype=np.int64)
    begin = np.searchsorted(bars.ts_event, opened, side="left")
    end = np.searchsorted(bars.ts_known, closed, side="right")
    last = np.maximum(end - 1, 0)
    final = (begin < end) & (bars.ts_known[last] == closed)
    stopped = np.array([trade.exit_reason == _STOP for trade in trades]) & final
    reached = np.array([trade.exit_reason == _TARGET for trade in trades]) & final
    leave = sign * exit_
    # A stop or target ends its bar: only what lies on this side of the exit happened before.
    worst = np.minimum(_extreme(np.minimum, low, begin, end - stopped), leave)
    best = np.maximum(_extreme(np.maximum, high, begin, end - reached), leave)
    covered = (opened >= bars.ts_event[0]) & (closed <= bars.ts_known[-1])
    for into, price, way in ((found.adverse, worst, -1.0), (found.favourable, best, 1.0)):
        moved = np.maximum(way * (price - sign * entry) / entry, 0.0)
        into[rows] = np.where(covered, moved, np.nan)


def _extreme(
    pick: np.ufunc, values: Int64, begin: NDArray[np.intp], end: NDArray[np.intp]
) -> Float64:
    """Return the extreme of each stretch; the other end of the scale where a stretch is empty."""
    found = np.full(len(begin), np.inf if pick is np.minimum else -np.inf)
    some = begin < end
    if some.any():
        # One row more, so that a stretch may end with the array.
        padded = np.append(values, values[-1])
        edges = np.column_stack((begin[some], end[some])).reshape(-1)
        found[some] = pick.reduceat(padded, edges)[::2]
    return found


def wilson_interval(wins: int, trades: int, level: float = 0.95) -> tuple[float, float]:
    """Return (low, high) of a share; the interval stays within 0 and 1 for any counts.

    Raises
    ------
    ConfigError
        If there is no trade, more wins than trades, or the level is not between 0 and 1.
    """
    if not 0 <= wins <= trades or trades < 1:
        raise ConfigError(f"wins were {wins} of {trades}; expected 0 to a number of at least 1")
    z = float(ndtri(0.5 + probability(level, "level of the interval") / 2.0))
    share, extra = wins / trades, z * z / trades
    middle = (share + extra / 2.0) / (1.0 + extra)
    reach = z / (1.0 + extra) * math.sqrt(share * (1.0 - share) / trades + extra / trades / 4.0)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def win_rate(profits: Sequence[int], level: float = 0.95) -> WinRate | None:
    """Return the share of winners beside the share that would break even; None without trades.

    Parameters
    ----------
    profits : sequence of int
        Profit of each round trip after fees, money units.
    level : float
        Of the interval.

    Raises
    ------
    ConfigError
        If the level is not between 0 and 1.
    """
    if not profits:
        return None
    wins = [profit for profit in profits if profit > 0]
    losses = [-profit for profit in profits if profit < 0]
    low, high = wilson_interval(len(wins), len(profits), level)
    mean_loss = sum(losses) / len(losses) if losses else None
    payoff = sum(wins) / len(wins) / mean_loss if wins and mean_loss else None
    return WinRate(
        trades=len(profits),
        wins=len(wins),
        share=len(wins) / len(profits),
        low=low,
        high=high,
        payoff=payoff,
        break_even=None if payoff is None else 1.0 / (1.0 + payoff),
        expectancy=sum(profits) / len(profits) / mean_loss if mean_loss else None,
    )


def costs(trades: Sequence[Trade]) -> Costs:
    """Return fees and the share of the profit before fees that they took."""
    fees = sum(trade.fees for trade in trades)
    gross = sum(trade.pnl + trade.fees for trade in trades)
    return Costs(fees, gross, fees / gross if gross > 0 else None)


def turnover(trades: Sequence[Trade], instruments: Mapping[str, Instrument], initial: int) -> float:
    """Return the value bought and sold by round trips, as a multiple of the initial equity.

    Raises
    ------
    ConfigError
        If the initial equity is not above 0, or an instrument is unknown.
    """
    if initial <= 0:
        raise ConfigError(f"initial equity was {initial}; expected above 0")
    value = 0.0
    for trade in trades:
        if trade.instrument not in instruments:
            hint = nearest(trade.instrument, instruments)
            raise ConfigError(f"trades were in {trade.instrument!r}, which is not known{hint}")
        numerator, denominator = instruments[trade.instrument].value_ratio
        value += (trade.entry_value + trade.exit_value) * numerator / denominator
    return value / initial


def clustered(trades: Sequence[Trade]) -> EffectiveTrades:
    """Return how many independent trades they amount to: those of one day count together."""
    return effective_trades(
        np.array([(trade.ts_exit - 1) // DAY for trade in trades], dtype=np.int64),
        np.array([trade.pnl for trade in trades], dtype=np.float64),
    )


def streaks(trades: Sequence[Trade]) -> Streaks:
    """Return the longest rows of winners and of losers by time of exit.

    The longest row of losers to expect is ln(n (1 - q)) / -ln(q) for a share q of losers.
    """
    ordered = sorted(trades, key=lambda trade: trade.ts_exit)
    won = np.array([trade.pnl > 0 for trade in ordered], dtype=np.bool_)
    losers = 1.0 - float(won.mean()) if len(won) else 0.0
    expected = float(len(won)) if losers == 1.0 else 0.0
    if 0.0 < losers < 1.0:
        expected = max(1.0, math.log(len(won) * (1.0 - losers)) / -math.log(losers))
    return Streaks(_longest(won), _longest(~won), expected)


def _longest(flags: Bool) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def concentration(profits: Float64, trades: Sequence[Trade] = ()) -> Concentration:
    """Return how few days and trades the profit comes from.

    Parameters
    ----------
    profits : float64 array of shape (n_days,)
        Daily profit.
    trades : sequence of Trade
        Round trips.
    """
    total = float(profits.sum())
    gained = sum(trade.pnl for trade in trades)
    best = np.sort(profits)[::-1]
    left = total - np.cumsum(best)
    return Concentration(
        best_day=float(best[0]) / total if total > 0 else None,
        best_five_days=float(best[:5].sum()) / total if total > 0 else None,
        best_trade=max(trade.pnl for trade in trades) / gained if gained > 0 else None,
        days_to_nothing=int(np.argmax(left <= 1e-12 * total)) + 1 if total > 0 else None,
    )


def within_one_bar(trades: Sequence[Trade], bar_length: int) -> float | None:
    """Return the share of trades that met stop or target in the bar they began in; None without.

    Their result depends on the way of the price inside the bar, which bars do not hold.

    Parameters
    ----------
    trades : sequence of Trade
        Round trips.
    bar_length : int
        Nanoseconds.
    """
    if not trades:
        return None
    ended = [
        trade.exit_reason in (_STOP, _TARGET) and trade.ts_exit - trade.ts_entry <= bar_length
        for trade in trades
    ]
    return sum(ended) / len(trades)
