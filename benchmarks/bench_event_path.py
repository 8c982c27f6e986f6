"""Speed of the event path: one engine step per bar, limits on, bars made inside the timing.

Runs a strategy of the library over a file of bars, once with the journal in memory and once with
the durable journal and the durable venue log in a temporary folder beside the current one. Every
bar goes through validation of its place, the venue, columns, strategy, limits, the order manager
and the journal with its hash chain, exactly as in ``tidewright backtest`` and ``tidewright up``.
Limits are on: as they are shipped, when the drawdown limit halts the run after a few hundred
trades, and so wide that it trades to its end. Without a path the minutes of the folder TW_REALDATA
are used.

    python benchmarks/bench_event_path.py [PATH] [--symbol BTCUSDT] [--repeat 3]
        [--strategy sma_cross]

The first line tells the machine and two yardsticks of the same moment (`measure`). Then each path
prints one line, of the best of its runs:

``bars_per_second``
    By the clock; what counts on an idle machine.
``bars_per_cpu_second``
    By processor time, which other work on the machine disturbs less. Waiting for the disk is no
    processor time: the durable path waits for a flush at every order, answer and fill.
``loops_per_bar``
    Processor time of a bar as a multiple of the loop yardstick; compares machines.
``fills_digest``
    Equal digests mean equal fills: a change that only makes the path faster keeps it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

from measure import minutes_of_bitcoin, surroundings

from tidewright.app.backtest import BacktestRun, run_backtest
from tidewright.app.feeds.files import FileFeed
from tidewright.app.settings import Settings, load_settings
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


def measured(name: str, work: Callable[[], BacktestRun], repeat: int, loop_ns: float) -> None:
    """Run a path several times and print the best run."""
    best: tuple[float, float, BacktestRun] | None = None
    for _ in range(repeat):
        began = time.process_time()
        run = work()
        processor = time.process_time() - began
        if best is None or (run.seconds, processor) < best[:2]:
            best = run.seconds, processor, run
    if best is None:
        return
    seconds, processor, run = best
    print(
        json.dumps(
            {
                "path": name,
                "bars": run.bars,
                "fills": len(run.recorder.fills),
                "trades": len(run.recorder.trades),
                "refusals": sum(run.recorder.refusals.values()),
                "seconds": round(seconds, 2),
                "cpu_seconds": round(processor, 2),
                "bars_per_second": round(run.bars / seconds),
                "bars_per_cpu_second": round(run.bars / processor),
                "loops_per_bar": round(processor / run.bars * 1e9 / loop_ns),
                "fills_digest": sha256(repr(run.recorder.fills).encode()).hexdigest()[:16],
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--symbol", action="append", default=[])
    parser.add_argument("--strategy", default="sma_cross")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    arguments = parser.parse_args()
    feed = FileFeed(arguments.data or minutes_of_bitcoin(), arguments.symbol)
    strategies = load_strategies([arguments.strategy])

    def memory(settings: Settings) -> BacktestRun:
        return run_backtest(feed, strategies, settings, TradingWindow(0))

    def durable(settings: Settings) -> BacktestRun:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            log = SqliteVenueLog(Path(folder) / "venue.sqlite3")
            with SqliteJournal(Path(folder) / "journal.sqlite3") as journal:
                run = run_backtest(
                    feed, strategies, settings, TradingWindow(0), journal=journal, venue_log=log
                )
            log.close()
            return run

    around = surroundings(Path())
    print(json.dumps(around))
    loop_ns = float(str(around["loop_ns"]))
    for limits, overrides in (("limits as shipped", ()), ("wide limits", WIDE)):
        settings = load_settings(
            env_file=None, environment={}, overrides=[*overrides, *arguments.overrides]
        )
        for name, work in (("journal in memory", memory), ("durable journal and venue", durable)):
            measured(f"{name}, {limits}", partial(work, settings), arguments.repeat, loop_ns)


if __name__ == "__main__":
    main()
