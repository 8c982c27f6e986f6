"""Searches over markets without a pattern, and over worlds with one: what studies are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from fakes.homes import plain_settings
from fakes.toy_family import results_of
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.grid import grid_points, grid_setups, parse_grid
from tidewright.research.bulk.sweep import SweepFamily, SweepRequest
from tidewright.research.chance.null_markets import NullMarket, null_market
from tidewright.research.results import DailyResults
from tidewright.strategy.library import template_named

NAMES = ("A", "B")
STOCKS = ("AAPL", "JPM")
BARS = 1_000
GRIDS = {
    "sma_cross": "fast=3,6,12 slow=20,40",
    "bollinger_reversion": "window=10,20,40 width=1,2",
    "donchian_breakout": "entry_bars=10,20,40 exit_bars=5,10",
    "momentum": "window=5,10,20 excess=1,2",
}
"""24 configurations of the library, short enough for a thousand days."""


def two_stocks(folder: Path) -> tuple[BarArrays, ...]:
    """Return a thousand days of two stocks from the data folder, one bar after the other."""
    import polars as pl

    file = folder / "stocks_daily" / "sp500_daily_adj_2013_2022.parquet"
    rows = pl.scan_parquet(file).filter(pl.col("symbol").is_in(STOCKS)).collect()
    found = []
    for name, symbol in zip(NAMES, STOCKS, strict=True):
        bars = rows.filter(pl.col("symbol") == symbol).sort("date").head(BARS)
        ts = (18_262 + np.arange(BARS)) * DAY
        prices = [
            np.rint(bars[column].to_numpy() * 1e4).astype(np.int64)
            for column in ("open", "high", "low", "close")
        ]
        found.append(BarArrays(name, "1d", ts, ts + DAY, *prices, bars["volume"].to_numpy()))
    return tuple(found)


def library_family(*, costs: bool) -> SweepFamily:
    """Return the search over `GRIDS` in the bulk engine, at the costs as shipped or at none."""
    fee = Decimal("0.001") if costs else Decimal(0)
    instruments = [
        Instrument(
            name, "test", name, "USDT", AssetClass.CRYPTO, Decimal("0.01"), Decimal("0.0001"),
            maker_fee_rate=fee, taker_fee_rate=fee,
        )
        for name in NAMES
    ]  # fmt: skip
    series = null_market(NullMarket.RANDOM_WALK, 0, NAMES, 1)
    base = bulk_request(
        BarFeed(series, instruments, "null market"),
        load_strategies(["sma_cross"]),
        plain_settings("risk.max_drawdown_percent=100"),
        TradingWindow(0),
    )
    if not costs:
        paper = replace(base.paper, simulate_slippage=False, simulate_spread=False)
        base = replace(base, paper=paper)
    setups = [
        setup
        for name, grid in GRIDS.items()
        for setup in grid_setups(template_named(name), grid_points(parse_grid(grid)))
    ]
    return SweepFamily("24 rules of the library", SweepRequest(base, tuple(setups)))


@dataclass(frozen=True)
class Hunches:
    """Independent guesses of the sign of the next day's move, one of which may know something.

    Guesses are made beforehand, as signals from outside the prices are: on copies of the market
    they are the same guesses.
    """

    held: np.ndarray
    name: str = "hunches"

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        close = series[0].close.astype(np.float64)
        returns = np.concatenate(([0.0], np.diff(close) / close[:-1]))
        traded = np.abs(np.diff(self.held, axis=1, prepend=0.0))
        return results_of(
            (series[0].ts_known - 1) // DAY, self.held * returns, self.held, traded, 0.0
        )


def hunches(seed: int, series: tuple[BarArrays, ...], sharpe: float, count: int = 100) -> Hunches:
    """Return guesses of which the last one has a true annual Sharpe ratio (252 days)."""
    draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 2])))
    days = len(series[0])
    held = draw.choice((-1.0, 1.0), (count, days))
    move = np.sign(np.diff(series[0].close, prepend=series[0].close[0]))
    # Right with probability (1 + edge) / 2: the mean of |move| is 0.8 of its deviation.
    edge = sharpe / np.sqrt(252) / np.sqrt(2 / np.pi)
    right = draw.random(days) < (1 + edge) / 2
    held[-1] = np.where(right, move, -move)
    return Hunches(held)
