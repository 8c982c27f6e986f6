"""Parity of the compiled loop and the event path over whole files, and the time of both.

    python benchmarks/bench_parity.py [DATA] [--symbols A,B] [--strategy NAME] [--bars N]

Without DATA it takes the minutes and the nine stocks of the folder that TW_REALDATA names.

Each library strategy runs through both engines over each series, with wide limits, the default ones
and tight ones; with ``--together`` all series share one account. Prints one JSON line a case; the
last line counts. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from tidewright.app.backtest import BacktestRun, run_backtest
from tidewright.app.bulk import run_bulk_backtest
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.launch import open_data
from tidewright.app.settings import Settings, load_settings
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import TradingWindow
from tidewright.strategy.library import library

LIMITS = {
    "wide": ("risk.max_drawdown_percent=100", "risk.max_daily_loss_percent=100"),
    "default": (),
    "tight": (
        "risk.max_drawdown_percent=100",
        "risk.max_daily_loss_percent=0.3",
        "risk.max_total_exposure_percent=15",
        "risk.max_consecutive_losses=2",
        "risk.max_correlated_positions=1",
        "risk.correlation_threshold=0.3",
        "signals.min_confidence=0.65",
    ),
}


def differences(bulk: BacktestRun, event: BacktestRun) -> list[str]:
    """Return what differs between two runs, by name."""
    one, other = bulk.recorder, event.recorder
    found = [
        name
        for name in ("fills", "trades", "orders", "refusals", "alerts", "state_changes")
        if getattr(one, name) != getattr(other, name)
    ]
    found += [
        name
        for name, left, right in zip(
            ("times", "equity"), one.equity_series(), other.equity_series(), strict=True
        )
        if not np.array_equal(left, right)
    ]
    return found


def compare(feed: BarFeed, strategy: str, settings: Settings) -> dict[str, object]:
    """Run a strategy through both engines and say how they compare."""
    loaded = load_strategies([strategy])
    bulk = run_bulk_backtest(feed, loaded, settings, TradingWindow(0), repeat=3)
    if not isinstance(bulk, BacktestRun):
        return {"differences": [], "unsupported": bulk.reason}
    began = time.perf_counter()
    event = run_backtest(feed, loaded, settings, TradingWindow(0))
    seconds = time.perf_counter() - began
    return {
        "bars": bulk.bars,
        "orders": bulk.recorder.orders,
        "fills": len(bulk.recorder.fills),
        "refusals": sum(bulk.recorder.refusals.values()),
        "differences": differences(bulk, event),
        "bulk_ns_per_bar": round(bulk.seconds * 1e9 / bulk.bars, 1),
        "event_ns_per_bar": round(seconds * 1e9 / bulk.bars, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--symbols", default="")
    parser.add_argument("--strategy", default="")
    parser.add_argument("--bars", type=int, default=10**9)
    parser.add_argument("--together", action="store_true")
    words = parser.parse_args()
    cases = bad = 0
    for path in [words.data] if words.data else data_files():
        done, differing = run_file(path, words)
        cases, bad = cases + done, bad + differing
    print(json.dumps({"cases": cases, "different": bad}))
    return 1 if bad else 0


def data_files() -> list[Path]:
    """Return the files of the whole set."""
    folder = Path(os.environ.get("TW_REALDATA", ""))
    files = [*folder.glob("crypto/*USDT_1m*.parquet"), *folder.glob("stocks_intraday/*9sym*")]
    if not files:
        print("no data: name a file, or the data folder with TW_REALDATA")
    return sorted(files)


def run_file(path: Path, words: argparse.Namespace) -> tuple[int, int]:
    """Compare every case of a file; return how many there were and how many differ."""
    found, _ = open_data(path, tuple(filter(None, words.symbols.split(","))))
    by_id = {one.id: one for one in found.instruments}
    series = [one.slice(0, words.bars) for one in found.series]
    groups = [series] if words.together else [[one] for one in series]
    cases = bad = 0
    for group in groups:
        feed = BarFeed(group, [by_id[one.instrument] for one in group], "parity")
        for strategy in [words.strategy] if words.strategy else sorted(library()):
            for limits, overrides in LIMITS.items():
                settings = load_settings(None, environment={}, env_file=None, overrides=overrides)
                result = compare(feed, strategy, settings)
                case = {"symbols": [one.instrument for one in group], "strategy": strategy}
                print(json.dumps({**case, "limits": limits, **result}), flush=True)
                cases, bad = cases + 1, bad + bool(result["differences"])
    return cases, bad


if __name__ == "__main__":
    sys.exit(main())
