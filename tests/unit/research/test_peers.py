"""A rule earns to the cent what another program says that it earns."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from fakes.homes import plain_settings
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.strategies import loaded_spec
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.time import MINUTE
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.strategy.spec import load_spec

BARS = 4_000
RULE = """\
schema: 1
name: averages
entry:
  long: crosses_above(sma(10), sma(50)) and rsi(14) < 70
exit:
  long: crosses_below(sma(10), sma(50))
sizing: {method: fixed_quantity, value: 1}
"""
PLAIN = (
    "account.initial_balance=10000000",
    "risk.max_consecutive_losses=off",
    "signals.default_stops=false",
    "paper.slippage_percent=0",
    "paper.spread_percent=0",
    "paper.simulate_volume_limit=false",
    "paper.simulate_impact=false",
)


def walk() -> BarArrays:
    """Return minutes whose prices are whole steps of 1e-8, each opening at the close before."""
    rng = np.random.default_rng(7)
    close = np.rint(1e12 * np.exp(np.cumsum(rng.normal(0.0, 0.001, BARS)))).astype(np.int64)
    opened = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opened, close) + 10**6, np.minimum(opened, close) - 10**6
    times = 18_993 * 1_440 * MINUTE + np.arange(BARS, dtype=np.int64) * MINUTE
    volume = np.full(BARS, 10**6)
    return BarArrays("X", "1m", times, times + MINUTE, opened, high, low, close, volume)


def test_money_is_that_of_backtesting_py() -> None:
    """One unit, the next open, 0.1 % a side; recorded with benchmarks/peer_research.py."""
    item = Instrument("X", "v", "X", "Y", AssetClass.CRYPTO, Decimal("0.00000001"), Decimal(1))
    feed = BarFeed([walk()], [item], "a walk")
    rule = loaded_spec(load_spec(RULE), "test")
    request = bulk_request(feed, [rule], plain_settings(*PLAIN), TradingWindow(0))
    result = run_bulk(request)
    assert isinstance(result, BulkResult)
    assert len(result.trade_rows) == 54
    assert int(result.equity[-1]) / 1e8 == pytest.approx(RECORDED, abs=0.005)


RECORDED = 9_998_718.627336
"""What backtesting.py 0.6.6 said; with a position open at the end, valued at the last close."""
