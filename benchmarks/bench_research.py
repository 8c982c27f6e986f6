"""One backtest, and one over many shares, beside the same by other programs, in one run.

    python benchmarks/bench_research.py [--bars 525600] [--shares 500] [--repeat 7]
        [--peer-python PYTHON]

The year is 525,600 minutes of a walk whose volatility clusters (seed 7, 60 % a year), at steps of
1e-8: long one unit when the mean of 10 closes crosses above that of 50 while RSI(14) is below 70,
out when it crosses below, at the next open, 0.1 % a side. The shares are 500 walks of 1,260 days
that share 1,000,000: the same averages, 50,000 for each entry while there is cash; where more is
wanted than there is, the surer entry goes first and then the earlier name (the peer: the earlier
column).

``--peer-python``, or the variable TIDEWRIGHT_PEERS, names the interpreter of an environment that
holds the peers (``pip install vectorbt==1.2.0 backtesting==0.6.6``); without one only the own
figures are printed. One thread each; times are processor time, medians of warm runs from the bars
to columns, orders, fills, the list of round trips and equity. Ends with 1 where money at the end of
the year is not that of backtesting.py to the cent.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import talib
from measure import surroundings
from numpy.typing import NDArray

from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.settings import load_settings
from tidewright.app.strategies import loaded_spec
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.request import BulkRequest
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.strategy.spec import load_spec

MINUTE = 60_000_000_000
FIRST = 18_993 * 1_440 * MINUTE
YEAR = """\
schema: 1
name: averages
entry:
  long: crosses_above(sma(10), sma(50)) and rsi(14) < 70
exit:
  long: crosses_below(sma(10), sma(50))
sizing: {method: fixed_quantity, value: 1}
"""
SHARES = """\
schema: 1
name: averages
entry:
  long: crosses_above(sma(10), sma(50))
exit:
  long: crosses_below(sma(10), sma(50))
sizing: {method: fixed_notional, value: 50000}
"""
WIDE = (
    "risk.max_drawdown_percent=100",
    "risk.max_daily_loss_percent=100",
    "risk.max_consecutive_losses=off",
    "risk.max_position_size_percent=100",
    "risk.max_total_exposure_percent=100",
    "risk.min_free_cash_percent=0.0001",
    "risk.max_correlated_positions=off",
    "risk.max_slippage_percent=off",
    "risk.max_orders_per_minute=100000",
    "risk.max_open_orders=100000",
    "signals.default_stops=false",
    "paper.slippage_percent=0",
    "paper.spread_percent=0",
    "paper.simulate_volume_limit=false",
    "paper.simulate_impact=false",
)

Floats = NDArray[np.float64]


def item(name: str, tick: str, lot: str) -> Instrument:
    return Instrument(name, "v", name, "USDT", AssetClass.CRYPTO, Decimal(tick), Decimal(lot))


def walk(name: str, timeframe: str, count: int, seed: int, span: int, start: int) -> BarArrays:
    """Return bars of a walk of 60 % a year whose volatility clusters, from a price in ticks."""
    rng = np.random.default_rng(seed)
    level, shocks = np.zeros(count), rng.normal(0.0, 0.05, count)
    for row in range(1, count):
        level[row] = 0.995 * level[row - 1] + shocks[row]
    deviation = 0.6 * np.sqrt(span / (365 * 1_440 * MINUTE)) * np.exp(level - level.var())
    close = start * np.exp(np.cumsum(rng.normal(0.0, 1.0, count) * deviation))
    opened = np.concatenate(([float(start)], close[:-1]))
    high = np.maximum(opened, close) * (1 + deviation * rng.exponential(0.5, count))
    low = np.minimum(opened, close) / (1 + deviation * rng.exponential(0.5, count))
    times = FIRST + np.arange(count, dtype=np.int64) * span
    volume = rng.integers(10**5, 10**7, count)
    prices = (np.rint(one).astype(np.int64) for one in (opened, high, low, close))
    return BarArrays(name, timeframe, times, times + span, *prices, volume)


def request_of(
    text: str, series: Sequence[BarArrays], items: Sequence[Instrument], cash: int
) -> BulkRequest:
    overrides = (*WIDE, f"account.initial_balance={cash}")
    settings = load_settings(None, environment={}, env_file=None, overrides=overrides)
    strategy = loaded_spec(load_spec(text), "benchmark")
    feed = BarFeed(series, items, "walks")
    return bulk_request(feed, [strategy], settings, TradingWindow(0))


def own(request: BulkRequest, repeat: int) -> dict[str, object]:
    """Run a backtest several times after one that is not counted."""
    seconds = []
    for _ in range(repeat + 1):
        began = time.process_time()
        result = run_bulk(request)
        seconds.append(time.process_time() - began)
    if not isinstance(result, BulkResult):
        raise SystemExit(result.reason)
    bars = sum(len(one) for one in request.series)
    middle = sorted(seconds[1:])[repeat // 2]
    return {
        "program": "tidewright",
        "bars": bars,
        "orders": len(result.order_rows),
        "round_trips": len(result.trade_rows),
        "refusals": dict(result.refusals),
        "cpu_seconds": round(middle, 4),
        "ns_per_bar": round(middle / bars * 1e9, 1),
        "final": int(result.equity[-1]) / 1e8,
    }


def peers(python: str, work: str, arrays: dict[str, Floats]) -> list[dict[str, object]]:
    """Run a work in the peers' own interpreter."""
    script = Path(__file__).with_name("peer_research.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        np.savez(path, **arrays)
        command = [python, str(script), str(path), work]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{python} could not run {script.name}: {done.stderr.strip()[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def prices(bars: Sequence[BarArrays], tick: float) -> dict[str, Floats]:
    """Return prices as the peers take them: a column for each series, or one series."""
    names = ("open", "high", "low", "close")
    tables = {n: np.stack([getattr(one, n) for one in bars], axis=1) * tick for n in names}
    return tables if len(bars) > 1 else {name: table[:, 0] for name, table in tables.items()}


def compare(mine: dict[str, object], found: Sequence[dict[str, object]]) -> None:
    """Print each figure, and how many times longer each peer took."""
    print(json.dumps(mine))
    for other in found:
        ratio = float(str(other["cpu_seconds"])) / float(str(mine["cpu_seconds"]))
        print(json.dumps({**other, "times_as_long": round(ratio, 1)}))


def year(count: int, repeat: int, python: str) -> bool:
    """Compare the year; return whether money agrees to the cent with backtesting.py."""
    bars = walk("X", "1m", count, 7, MINUTE, 10**12)
    thing = item("X", "0.00000001", "1")
    print(json.dumps({"work": "one rule over a year of minutes", "thread": 1}))
    mine = own(request_of(YEAR, [bars], [thing], 10_000_000), repeat)
    found = []
    if python:
        arrays = prices([bars], 1e-8)
        close = arrays["close"]
        arrays["fast"], arrays["slow"] = talib.SMA(close, 10), talib.SMA(close, 50)
        arrays["strength"] = talib.RSI(close, 14)
        found = peers(python, "year", arrays)
    compare(mine, found)
    final = {str(one["program"]): float(str(one["final"])) for one in (mine, *found)}
    apart = abs(final["tidewright"] - final.get("backtesting", final["tidewright"]))
    if "backtesting" in final:
        print(json.dumps({"money_apart_from_backtesting": round(apart, 6)}))
    longer = walk("X", "1m", 10 * count, 7, MINUTE, 10**12)
    tenfold = own(request_of(YEAR, [longer], [thing], 10_000_000), 3)
    print(json.dumps({"ten_times_the_bars": tenfold}))
    return apart < 0.01


def shares(count: int, days: int, repeat: int, python: str) -> None:
    """Compare many shares with one account."""
    day = 1_440 * MINUTE
    names = [f"S{number:03d}" for number in range(count)]
    bars = [walk(n, "1d", days, seed, day, 10_000) for seed, n in enumerate(names)]
    print(json.dumps({"work": f"one rule over {count} shares and {days} days", "thread": 1}))
    things = [item(name, "0.01", "0.000001") for name in names]
    mine = own(request_of(SHARES, bars, things, 1_000_000), repeat)
    compare(mine, peers(python, "shares", prices(bars, 0.01)) if python else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, default=525_600)
    parser.add_argument("--shares", type=int, default=500)
    parser.add_argument("--days", type=int, default=1_260)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--peer-python", default=os.environ.get("TIDEWRIGHT_PEERS", ""))
    words = parser.parse_args()
    print(json.dumps(surroundings(Path())))
    if not words.peer_python:
        print("no peers: pip install vectorbt==1.2.0 backtesting==0.6.6 into an environment of")
        print("their own and name its interpreter with --peer-python or TIDEWRIGHT_PEERS")
    agrees = year(words.bars, words.repeat, words.peer_python)
    shares(words.shares, words.days, words.repeat, words.peer_python)
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
