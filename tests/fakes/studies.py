"""How often statistics find what is there, and what is not: studies over many simulated worlds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fakes.series import autoregressive, heavy_tailed, losing_seldom, trading_seldom
from tidewright.research.statistics.inference import estimate_mean
from tidewright.research.statistics.overfitting import SelectionOverfitting, overfitting_probability
from tidewright.research.statistics.selection import max_statistic_test, superior_ability_test
from tidewright.research.statistics.sharpe_inference import (
    deflated_sharpe,
    probabilistic_sharpe,
    sharpe_moments,
)

CANDIDATES, DAYS, PER_YEAR = 100, 1_000, 252
LEVELS = (0.05, 0.01)


def _normal(seed: int, sets: int, days: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((sets, days))


def _dependent(seed: int, sets: int, days: int) -> np.ndarray:
    return autoregressive(seed, sets, days, 0.2)


WORLDS: Mapping[str, Callable[[int, int, int], np.ndarray]] = {
    "normal": _normal,
    "restless (GARCH-t)": heavy_tailed,
    "losses seldom and large": losing_seldom,
    "trades on 5 % of days": trading_seldom,
    "days follow days (0.2)": _dependent,
}


def world(kind: str, seed: int, sharpe: float = 0.0) -> np.ndarray:
    """Daily results of independent candidates, of which the first has a true annual ratio."""
    profits = WORLDS[kind](seed, CANDIDATES, DAYS)
    profits[0] += sharpe / math.sqrt(PER_YEAR) * profits.std()
    return profits


def finds(profits: np.ndarray, seed: int, paths: int, everything: bool = False) -> dict[str, bool]:
    """Whether each gate finds a candidate; in a world with a true one it has to be that one."""
    generator = np.random.default_rng(10_000 + seed)
    tested = max_statistic_test(profits, generator, paths=paths)
    moments = sharpe_moments(profits)
    best = int(np.argmax(moments.sharpe))
    deflated = deflated_sharpe(profits[best], CANDIDATES, float(np.var(moments.sharpe, ddof=1)))
    found = {f"maximum statistic {level:.0%}": tested.p_value <= level for level in LEVELS}
    found |= {f"deflated Sharpe p {level:.0%}": deflated.p_value <= level for level in LEVELS}
    found["deflated Sharpe > 0.95"] = deflated.probability > 0.95
    if everything:
        spa = superior_ability_test(profits, generator, paths=paths)
        found["superior ability 5 %"] = spa.p_value <= 0.05
        choice = overfitting_probability(profits, blocks=10)
        assert isinstance(choice, SelectionOverfitting)
        found["overfitting < 0.2"] = choice.probability < 0.2
    return found


def count_found(
    kind: str, worlds: int, *, sharpe: float = 0.0, paths: int = 499, everything: bool = False
) -> Counter[str]:
    """In how many worlds each gate finds the true candidate, or any where there is none."""
    counts: Counter[str] = Counter()
    for seed in range(worlds):
        profits = world(kind, seed, sharpe)
        right = not sharpe or int(np.argmax(sharpe_moments(profits).sharpe)) == 0
        for name, found in finds(profits, seed, paths, everything).items():
            counts[name] += found and right
    return counts


@dataclass(frozen=True, slots=True)
class PortfolioStudy:
    """How many random long-only portfolios pass which gate.

    `zero` and `matched` are alone, as if each had been the only one; `zero_family` and
    `matched_family` are corrected for all that were tried.
    """

    portfolios: int
    cost: float
    zero: int
    zero_family: int
    matched: int
    matched_family: int
    best_deflated_zero: float
    market_sharpe: float


def daily_stock_returns(folder: Path) -> np.ndarray:
    """Returns of every stock with a price on each day, (n_stocks, n_days)."""
    import polars as pl

    table = (
        pl.read_parquet(folder / "stocks_daily/sp500_daily_adj_2013_2022.parquet")
        .pivot("symbol", index="date", values="close")
        .sort("date")
        .drop("date")
    )
    prices = table.select(
        [name for name in table.columns if table[name].null_count() == 0]
    ).to_numpy()
    return (prices[1:] / prices[:-1] - 1.0).T


def random_portfolios(
    returns: np.ndarray, portfolios: int, *, size: int = 20, rest: int = 63, cost: float = 0.0015
) -> np.ndarray:
    """Daily profit of equal money in stocks drawn anew each quarter, after costs of trading."""
    stocks, days = returns.shape
    found = np.empty((portfolios, days))
    for number in range(portfolios):
        generator = np.random.default_rng(number)
        before = np.zeros(stocks)
        for begin in range(0, days, rest):
            weights = np.zeros(stocks)
            weights[generator.choice(stocks, size, replace=False)] = 1.0 / size
            stretch = slice(begin, min(begin + rest, days))
            found[number, stretch] = weights @ returns[:, stretch]
            found[number, begin] -= cost * np.abs(weights - before).sum()
            before = weights
    return found


def portfolio_study(
    folder: Path, portfolios: int = 200, *, cost: float = 0.0015, paths: int = 499
) -> PortfolioStudy:
    """Gate random portfolios against zero, and against equal money in all stocks."""
    returns = daily_stock_returns(folder)
    market = returns.mean(axis=0)
    profits = random_portfolios(returns, portfolios, cost=cost)
    excess = profits - market
    generator = np.random.default_rng(0)
    ratios = sharpe_moments(profits)
    best = int(np.argmax(ratios.sharpe))
    return PortfolioStudy(
        portfolios=portfolios,
        cost=cost,
        zero=int((probabilistic_sharpe(ratios) > 0.95).sum()),
        zero_family=_passed(max_statistic_test(profits, generator, paths=paths).adjusted),
        matched=_passed(estimate_mean(excess).p_value()),
        matched_family=_passed(max_statistic_test(excess, generator, paths=paths).adjusted),
        best_deflated_zero=deflated_sharpe(
            profits[best], portfolios, float(np.var(ratios.sharpe, ddof=1))
        ).probability,
        market_sharpe=float(sharpe_moments(market).sharpe) * math.sqrt(PER_YEAR),
    )


def _passed(p_values: np.ndarray) -> int:
    return int((p_values <= 0.05).sum())
