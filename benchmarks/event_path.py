"""Speed of the event path: one engine step per bar, limits on, bars made inside the timing.

Runs the library's ``sma_cross`` over a file of bars, once with the journal in memory and once with
the durable journal and the durable venue log in a temporary folder, and prints bars a second.

    python benchmarks/event_path.py PATH [--symbol BTCUSDT] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tidewright.app.backtest import BacktestRun, run_backtest
from tidewright.app.feeds.files import FileFeed
from tidewright.app.settings import load_settings
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import TradingWindow
from tidewright.storage.journal import SqliteJournal
from tidewright.storage.venue_log import SqliteVenueLog

# Limits stay on but are wide enough not to end the run: a halted trader has less to do.
WIDE = (
    "risk.max_drawdown_percent=100",
    "risk.max_daily_loss_percent=100",
    "risk.max_consecutive_losses=1000",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--symbol", action="append", default=[])
    parser.add_argument("--strategy", default="sma_cross")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    arguments = parser.parse_args()
    settings = load_settings(env_file=None, environment={}, overrides=[*WIDE, *arguments.overrides])
    feed = FileFeed(arguments.data, arguments.symbol)
    strategies = load_strategies([arguments.strategy])

    def memory() -> BacktestRun:
        return run_backtest(feed, strategies, settings, TradingWindow(0))

    def durable() -> BacktestRun:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            log = SqliteVenueLog(Path(folder) / "venue.sqlite3")
            with SqliteJournal(Path(folder) / "journal.sqlite3") as journal:
                run = run_backtest(
                    feed, strategies, settings, TradingWindow(0), journal=journal, venue_log=log
                )
            log.close()
            return run

    for name, work in (("journal in memory", memory), ("durable journal", durable)):
        runs = [work() for _ in range(arguments.repeat)]
        best = min(runs, key=lambda run: run.seconds)
        print(
            json.dumps(
                {
                    "path": name,
                    "bars": best.bars,
                    "fills": len(best.recorder.fills),
                    "refusals": sum(best.recorder.refusals.values()),
                    "seconds": [round(run.seconds, 2) for run in runs],
                    "bars_per_second": round(best.bars / best.seconds),
                }
            )
        )


if __name__ == "__main__":
    main()
