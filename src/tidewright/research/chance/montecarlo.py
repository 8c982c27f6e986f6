"""Other ways the same strategy could have gone: three questions, and a few more on demand.

How bad can the drawdown get? Blocks of days are drawn with replacement and joined to a year, many
times (`drawdown_forecast`; stationary bootstrap of D. N. Politis and J. P. Romano, Journal of the
American Statistical Association, 1994). Blocks keep bad days together as they came together.

Would random entries do it? See `research.chance.random_entries`.

Does skipping every tenth trade kill it? Trades are left out at random, as missed signals, outages
and holidays would (`skipped_trades`).

On demand: the same trades in another order (`shuffled_trades`), costs that differ from trade to
trade (`noisy_costs`), another first day (`shifted_starts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.research.chance.random_entries import RandomEntries
from tidewright.research.results import Float64, Int64

PATHS = 1_000
LEVEL = 0.95
"""How many of the paths a worst case is not worse than."""
FAN = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles of the paths."""
FEWEST_DAYS = 20
SHORTEST_BLOCK = 5.0
SKIPPED = 0.10
_COST_SPREAD = 0.5
_TOGETHER = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class DrawdownForecast:
    """How far a year of resampled days falls from its peaks.

    Parameters
    ----------
    paths, days : int
        How many were drawn, and how long they are.
    block : float
        Mean length of the blocks, days.
    worst : float
        Drawdown that 95 % of paths stay above, 0 to 1.
    typical : float
        Median drawdown.
    seen : float
        Drawdown of the days themselves, however many there are.
    share_losing : float
        Paths that end below their start.
    fan : float64 array of shape (len(FAN), days)
        Quantiles of equity at the end of each day, in multiples of the start.
    drawdowns : float64 array of shape (paths,)
        Largest fall of each path, 0 to 1.
    """

    paths: int
    days: int
    block: float
    worst: float
    typical: float
    seen: float
    share_losing: float
    fan: Float64
    drawdowns: Float64


@dataclass(frozen=True, slots=True)
class Resampled:
    """A figure of a strategy under one kind of bad luck.

    Parameters
    ----------
    draws : int
        How often the luck was drawn.
    seen : float
        The figure as it came out.
    low, median, high : float
        5 %, 50 % and 95 % quantiles of the draws.
    share_with_profit : float
        Draws that still earned something.
    """

    draws: int
    seen: float
    low: float
    median: float
    high: float
    share_with_profit: float


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarlo:
    """Answers; None where they were not asked for, or there is nothing to answer from.

    Parameters
    ----------
    drawdown : DrawdownForecast
        How bad a year can get.
    skipped : Resampled or None
        Profit with a tenth of the trades left out.
    entries : RandomEntries or None
        Profit against the same trades at random times.
    shuffled : Resampled or None
        Drawdown, as a share of the initial equity, with the trades in another order.
    costs : Resampled or None
        Profit with costs that differ from trade to trade.
    starts : Resampled or None
        Profit of a year begun on any of the days.
    """

    drawdown: DrawdownForecast
    skipped: Resampled | None = None
    entries: RandomEntries | None = None
    shuffled: Resampled | None = None
    costs: Resampled | None = None
    starts: Resampled | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TradeSample:
    """Round trips in the order in which they ended, as shares of the initial equity.

    Parameters
    ----------
    profit, cost : float64 array of shape (n_trades,)
        Profit after costs, and the costs in it, at least 0.
    """

    profit: Float64
    cost: Float64


def monte_carlo(
    returns: Float64,
    days_per_year: int,
    trades: TradeSample | None = None,
    entries: RandomEntries | None = None,
    *,
    paths: int = PATHS,
    seed: int = 0,
    everything: bool = False,
) -> MonteCarlo:
    """Ask the three questions, and with ``everything`` the others.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
        Simple daily returns on equity, flat days included.
    days_per_year : int
        Length of a year in such days.
    trades : TradeSample or None
        Round trips.
    entries : RandomEntries or None
        The answer of `random_entries`, where bars were at hand.
    paths, seed : int
        How many draws for each question, and where they come from.
    everything : bool
        Whether to ask more than three questions.

    Raises
    ------
    ConfigError
        If there are under 20 days.
    """
    some = trades if trades is not None and len(trades.profit) else None
    return MonteCarlo(
        drawdown=drawdown_forecast(returns, days_per_year, paths=paths, seed=seed),
        skipped=skipped_trades(some.profit, draws=paths, seed=seed) if some else None,
        entries=entries,
        shuffled=shuffled_trades(some.profit, draws=paths, seed=seed)
        if some and everything
        else None,
        costs=noisy_costs(some, draws=paths, seed=seed) if some and everything else None,
        starts=shifted_starts(returns, days_per_year) if everything else None,
    )


def drawdown_forecast(
    returns: Float64, days: int, *, paths: int = PATHS, seed: int = 0, block: float | None = None
) -> DrawdownForecast:
    """Resample days into paths of a year and measure how far they fall.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
        Simple daily returns on equity, at least 20.
    days : int
        Length of the paths.
    paths, seed : int
        How many, and where they come from.
    block : float or None
        Mean length of the blocks in days; None takes what fits returns and their squares, at
        least 5, because bad days come together.

    Raises
    ------
    ConfigError
        If there are too few days.
    """
    from tidewright.research.statistics.bootstrap import block_length, resampled_days

    if len(returns) < FEWEST_DAYS:
        raise ConfigError(f"there were {len(returns)} days; expected at least {FEWEST_DAYS}")
    kept = np.maximum(returns, -1.0)
    if block is None:
        lengths = block_length(np.stack((kept, (kept - kept.mean()) ** 2)))
        block = max(SHORTEST_BLOCK, float(lengths.max()))
    generator = _generator(seed, 0)
    rounds = -(-days // len(kept))
    equity = np.empty((paths, days))
    drawdowns = np.empty(paths)
    for chosen in _parts(paths, rounds * len(kept)):
        drawn = [resampled_days(len(kept), block, len(chosen), generator) for _ in range(rounds)]
        chance = np.concatenate(drawn, axis=1)[:, :days]
        growth = _growth(kept[chance])
        equity[chosen] = growth
        drawdowns[chosen] = _deepest(growth)
    return DrawdownForecast(
        paths=paths,
        days=days,
        block=block,
        worst=float(np.quantile(drawdowns, LEVEL)),
        typical=float(np.median(drawdowns)),
        seen=float(_deepest(_growth(kept[None, :]))[0]),
        share_losing=float((equity[:, -1] < 1.0).mean()),
        fan=np.quantile(equity, FAN, axis=0),
        drawdowns=drawdowns,
    )


def skipped_trades(
    profit: Float64, *, share: float = SKIPPED, draws: int = PATHS, seed: int = 0
) -> Resampled:
    """Leave out a share of the trades at random, and add up the others.

    Parameters
    ----------
    profit : float64 array of shape (n_trades,)
        Net profit of each, as a share of the initial equity; at least one trade.
    share : float
        Of trades left out, rounded up to whole trades; between 0 and 1.
    draws, seed : int
        How often, and where the draws come from.
    """
    count = min(max(int(np.ceil(share * len(profit))), 1), len(profit))
    generator, found = _generator(seed, 1), np.empty(draws)
    for chosen in _parts(draws, len(profit)):
        keys = generator.random((len(chosen), len(profit)))
        left_out = np.argpartition(keys, count - 1, axis=1)[:, :count]
        found[chosen] = profit.sum() - profit[left_out].sum(axis=1)
    return _resampled(found, float(profit.sum()), found > 0)


def shuffled_trades(profit: Float64, *, draws: int = PATHS, seed: int = 0) -> Resampled:
    """Put the trades in another order and measure the drawdown, as a share of initial equity.

    The sum stays, so every draw earns what was earned.

    Parameters
    ----------
    profit : float64 array of shape (n_trades,)
        Net profit of each in their order, as a share of the initial equity; at least one trade.
    draws, seed : int
        How often, and where the draws come from.
    """
    generator, found = _generator(seed, 2), np.empty(draws)
    for chosen in _parts(draws, len(profit)):
        order = np.argsort(generator.random((len(chosen), len(profit))), axis=1)
        found[chosen] = _deepest_sum(profit[order])
    seen = float(_deepest_sum(profit[None, :])[0])
    return _resampled(found, seen, np.full(draws, profit.sum() > 0))


def noisy_costs(
    trades: TradeSample, *, spread: float = _COST_SPREAD, draws: int = PATHS, seed: int = 0
) -> Resampled:
    """Let the costs of each trade differ, and add up profits.

    Parameters
    ----------
    trades : TradeSample
        At least one.
    spread : float
        Standard deviation of the logarithm of each trade's cost factor; its median is 1, so costs
        are higher on average (13 % at 0.5), as bad fills are worse than good ones are good.
    draws, seed : int
        How often, and where the draws come from.
    """
    generator, found = _generator(seed, 3), np.empty(draws)
    gross = float((trades.profit + trades.cost).sum())
    for chosen in _parts(draws, len(trades.cost)):
        factor = np.exp(spread * generator.standard_normal((len(chosen), len(trades.cost))))
        found[chosen] = gross - factor @ trades.cost
    return _resampled(found, float(trades.profit.sum()), found > 0)


def shifted_starts(returns: Float64, days: int) -> Resampled:
    """Begin on each day that leaves a year to go, and return what that year earned.

    A history shorter than two years is cut into stretches of half its length.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
        Simple daily returns on equity, at least 2.
    days : int
        Length of a year.
    """
    length = min(days, max(len(returns) // 2, 1))
    equity = np.concatenate(([1.0], np.cumprod(1.0 + np.maximum(returns, -1.0))))
    begin = equity[:-length]
    found = np.divide(equity[length:], begin, out=np.zeros(len(begin)), where=begin > 0.0) - 1.0
    return _resampled(found, float(equity[-1] - 1.0), found > 0)


def _generator(seed: int, question: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, question])))


def _parts(draws: int, width: int) -> Iterator[Int64]:
    """Yield the numbers of draws that fit into memory together."""
    step = max(1, _TOGETHER // max(width, 1))
    for begin in range(0, draws, step):
        yield np.arange(begin, min(begin + step, draws))


def _growth(returns: Float64) -> Float64:
    return np.asarray(np.cumprod(1.0 + returns, axis=1), np.float64)


def _deepest(equity: Float64) -> Float64:
    """Return the largest fall of each row from its highest value so far, begun at 1."""
    peaks = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    return np.asarray((1.0 - equity / peaks).max(axis=1), np.float64)


def _deepest_sum(profit: Float64) -> Float64:
    """Return the largest fall of running sums from their highest value so far, begun at 0."""
    total = np.cumsum(profit, axis=1)
    peaks = np.maximum(np.maximum.accumulate(total, axis=1), 0.0)
    return np.asarray((peaks - total).max(axis=1), np.float64)


def _resampled(found: Float64, seen: float, with_profit: np.ndarray) -> Resampled:
    low, median, high = np.quantile(found, (1.0 - LEVEL, 0.5, LEVEL)).tolist()
    return Resampled(len(found), seen, low, median, high, float(with_profit.mean()))
