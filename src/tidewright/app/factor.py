"""A column of stored bars as a factor: what it tells of the order of later returns."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from tidewright.app.feeds.bars import BarFeed
from tidewright.app.settings import Settings
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import DAY, timeframe_nanoseconds
from tidewright.features.declarations import ColumnReference
from tidewright.research.bulk.columns import instrument_rows
from tidewright.research.factor import FactorPanel
from tidewright.strategy.expressions import Column, parse_number


def factor_column(text: str) -> ColumnReference:
    """Return the column that a text names, such as ``"change(20)"`` or ``"sma_ratio@1d"``.

    Raises
    ------
    ConfigError
        If it is not one column.
    """
    tree = parse_number(text)
    if not isinstance(tree, Column):
        raise ConfigError(f"column was {text!r}; expected one column, such as change(20)")
    return tree.reference


def factor_panel(feed: BarFeed, reference: ColumnReference, timeframe: str = "") -> FactorPanel:
    """Return a column and closes of a feed's instruments over the same moments.

    Parameters
    ----------
    feed : BarFeed
        The bars.
    reference : ColumnReference
        The column.
    timeframe : str
        Timeframe of the rows; empty means days, or the feed's own where it is longer.
    """
    if not timeframe:
        shorter = timeframe_nanoseconds(feed.timeframe) < DAY
        timeframe = "1d" if shorter else feed.timeframe
    found = instrument_rows(feed.series, feed.instruments, [reference], timeframe)
    known = [rows.bars.ts_known for rows in found]
    moments = np.unique(np.concatenate(known))
    values = np.full((len(found), len(moments)), np.nan)
    closes = np.full((len(found), len(moments)), np.nan)
    for place, (rows, instrument) in enumerate(zip(found, feed.instruments, strict=True)):
        at = np.searchsorted(moments, known[place])
        numerator, denominator = instrument.price_ratio
        closes[place, at] = rows.bars.close * (numerator / denominator)
        values[place, at] = rows.columns[0]
    return FactorPanel(tuple(one.id for one in feed.instruments), moments, values, closes)


def cost_of(feed: BarFeed, settings: Settings) -> float:
    """Return what a trade costs as a share of its value: fee, half the spread, slippage."""
    paper = settings.paper_settings()
    percent = Decimal(0)
    percent += paper.spread_percent / 2 if paper.simulate_spread else 0
    percent += paper.slippage_percent if paper.simulate_slippage else 0
    fees: Sequence[Decimal] = [one.taker_fee_rate for one in feed.instruments]
    return float(max(fees) + percent / 100)
