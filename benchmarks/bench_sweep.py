"""A sweep of a thousand sets over a year of minutes, beside the same sweep by vectorbt.

    python benchmarks/bench_sweep.py [--bars 525600] [--sampled 50] [--repeat 2]
        [--peer-sets 40] [--peer-python PYTHON]

Two moving averages, fast 5 to 54 and slow 60, 67, ... 193, entries while RSI(14) is below 70, one
unit, 0.1 % fee a side, 5 basis points of slippage; once without and once with a stop of 2 % and a
target of 4 %. Limits are on as they are shipped. Some sets, spread over the grid, are compared with
their own backtests: orders, money at the end of each day, trades, fees.

``--peer-python``, or the variable TIDEWRIGHT_PEERS, names the interpreter of an environment that
holds vectorbt; without one only the own figures are printed. One thread each; times are processor
time, so they hold on a busy machine, the least of the repeats. The peer runs every so many sets of
the same grid, ten at a time, which is its fastest.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
from measure import surroundings

from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.settings import load_settings
from tidewright.app.strategies import loaded_spec
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.daily import daily_results
from tidewright.research.bulk.grid import grid_points, grid_setups, parse_grid
from tidewright.research.bulk.request import BulkRequest
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.bulk.sweep import SweepRequest, run_sweep
from tidewright.research.results import DailyResults
from tidewright.strategy.spec import load_template

MINUTE = 60_000_000_000
FIRST = 18_993 * 24 * 60 * MINUTE
GRID = "fast=5:54 slow=60:193:7"
SPEC = """\
schema: 1
name: averages
parameters: {fast: 10, slow: 60}
entry:
  long: crosses_above(sma(fast), sma(slow)) and rsi(14) < 70
exit:
  long: crosses_below(sma(fast), sma(slow))
confidence: 0.65
sizing: {method: fixed_quantity, value: 1}
"""
STOPS = """\
stops:
  stop_loss: {percent: 2}
  take_profit: {percent: 4}
"""
SETTINGS = (
    "account.initial_balance=10000000",
    "paper.slippage_percent=0.05",
    "paper.spread_percent=0",
    "paper.partial_fill_probability=0",
    "paper.simulate_volume_limit=false",
    "paper.simulate_impact=false",
    "signals.default_stops=false",
)


def instrument() -> Instrument:
    return Instrument("X", "v", "X", "Y", AssetClass.CRYPTO, Decimal("0.01"), Decimal("0.001"))


def market(count: int) -> BarArrays:
    """Return a walk whose volatility clusters, 60 % a year, at prices of some 30,000."""
    rng = np.random.default_rng(7)
    level = np.zeros(count)
    shocks = rng.normal(0.0, 0.02, count)
    for row in range(1, count):
        level[row] = 0.9995 * level[row - 1] + shocks[row]
    minute = 0.6 / np.sqrt(525_600) * np.exp(level - level.std() ** 2)
    close = 3_000_000 * np.exp(np.cumsum(rng.normal(0.0, 1.0, count) * minute))
    close = np.rint(close).astype(np.int64)
    opened = np.concatenate((close[:1], close[:-1]))
    reach = np.rint(close * minute * rng.exponential(0.5, count)).astype(np.int64)
    high, low = np.maximum(opened, close) + reach, np.minimum(opened, close) - reach
    times = FIRST + np.arange(count, dtype=np.int64) * MINUTE
    volume = rng.integers(10**6, 10**8, count)
    return BarArrays("X", "1m", times, times + MINUTE, opened, high, low, close, volume)


def base_of(bars: BarArrays, text: str) -> BulkRequest:
    settings = load_settings(None, environment={}, env_file=None, overrides=SETTINGS)
    feed = BarFeed([bars], [instrument()], "a walk")
    base = loaded_spec(load_template(text).spec(), "benchmark")
    return bulk_request(feed, [base], settings, TradingWindow(0))


def sweep_of(base: BulkRequest, text: str) -> SweepRequest:
    points = grid_points(parse_grid(GRID))
    return SweepRequest(base, grid_setups(load_template(text), points))


def own(
    bars: BarArrays, text: str, repeat: int
) -> tuple[dict[str, object], SweepRequest, DailyResults]:
    """Run the sweep from the document on, with everything compiled; return figures and results."""
    request = sweep_of(base_of(bars.slice(0, 5_000), text), text)
    results = run_sweep(request)
    base, seconds = base_of(bars, text), float("inf")
    for _ in range(repeat):
        began = time.process_time()
        request = sweep_of(base, text)
        results = run_sweep(request)
        seconds = min(seconds, time.process_time() - began)
    figures: dict[str, object] = {
        "sets": len(results),
        "cpu_seconds": round(seconds, 2),
        "sets_a_second": round(len(results) / seconds, 1),
        "ns_a_bar_and_set": round(seconds / len(results) / len(bars) * 1e9, 2),
        "trades_a_set": round(float(results.trades.mean()), 1),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    return figures, request, results


def differing(request: SweepRequest, results: DailyResults, sampled: int) -> int:
    """Return how many of some sets differ from their own backtests."""
    found = 0
    for place in np.unique(np.linspace(0, len(results) - 1, sampled).astype(int)).tolist():
        single = request.single(place)
        result = run_bulk(single)
        assert isinstance(result, BulkResult)
        alone = daily_results(result, single)
        same = (
            np.array_equal(alone.days, results.days)
            and np.array_equal(alone.equity[0], results.equity[place])
            and alone.trades[0] == results.trades[place]
            and alone.trade_days[0] == results.trade_days[place]
            and alone.fees[0] == results.fees[place]
            and np.isclose(alone.exposure[0], results.exposure[place], rtol=1e-9)
            and np.isclose(alone.turnover[0], results.turnover[place], rtol=1e-9)
        )
        found += not same
    return found


def peer(python: str, bars: BarArrays, sets: int, stops: bool) -> dict[str, object]:
    """Return the figures of vectorbt over some sets of the same grid."""
    points = [tuple(map(int, point.values())) for point in grid_points(parse_grid(GRID))]
    step = max(len(points) // sets, 1)
    chosen = ";".join(f"{fast},{slow}" for fast, slow in points[::step][:sets])
    script = Path(__file__).with_name("peer_sweep_vectorbt.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        np.savez(path, open=bars.open / 100.0, close=bars.close / 100.0)
        words = [python, str(script), str(path), chosen, *(["--stops"] if stops else [])]
        environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr else "no answer"}
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    found.pop("final")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=525_600)
    parser.add_argument("--sampled", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--peer-sets", type=int, default=40)
    parser.add_argument("--peer-python", default=os.environ.get("TIDEWRIGHT_PEERS", ""))
    arguments = parser.parse_args()
    bars = market(arguments.bars)
    print(json.dumps(surroundings(Path.cwd())))
    for name, text in (("plain", SPEC), ("stops", SPEC + STOPS)):
        figures, request, results = own(bars, text, arguments.repeat)
        print(json.dumps({"own": name, **figures}))
        sys.stdout.flush()
        sampled = differing(request, results, arguments.sampled)
        print(json.dumps({"own": name, "sampled": arguments.sampled, "differing": sampled}))
        if arguments.peer_python:
            theirs = peer(arguments.peer_python, bars, arguments.peer_sets, name == "stops")
            own_ns, peer_ns = figures["ns_a_bar_and_set"], theirs.get("ns_a_bar_and_set")
            if isinstance(own_ns, float) and isinstance(peer_ns, float):
                theirs["ratio"] = round(peer_ns / own_ns, 1)
            print(json.dumps({"vectorbt": name, **theirs}))


if __name__ == "__main__":
    main()
