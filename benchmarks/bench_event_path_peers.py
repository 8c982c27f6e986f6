"""The same file and rule in backtesting.py, and how the event path compares.

The peer keeps no journal, holds no order against limits and knows one instrument; it is the
smallest loop that calls a strategy once per bar, so the ratio says what the rest costs. It is no
dependency: install ``backtesting`` (0.6) and ``pandas`` beside tidewright in an environment of its
own; without them this script says so and ends.

    python benchmarks/bench_event_path_peers.py [PATH] [--symbol BTCUSDT] [--bars 200000]

The rule is that of the library's ``sma_cross``: long when the mean of 10 closes crosses above that
of 50 while RSI(14) is below 70, out when it crosses below, stop at 2 and target at 3 ATR(14). Both
sides get the indicators from TA-Lib or better; the peer's are computed before its timing begins.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from pathlib import Path
from typing import Any

import talib
from bench_event_path import WIDE
from measure import minutes_of_bitcoin, surroundings

from tidewright.app.backtest import run_backtest
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.feeds.files import FileFeed
from tidewright.app.settings import load_settings
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import TradingWindow
from tidewright.market.arrays import BarArrays


def frame(pandas: Any, bars: BarArrays, tick: float) -> Any:  # noqa: ANN401 - untyped peer
    """Return bars with their indicators as the peer wants them: a data frame of floats."""
    columns = {
        "Open": bars.open * tick,
        "High": bars.high * tick,
        "Low": bars.low * tick,
        "Close": bars.close * tick,
        "Volume": bars.volume.astype(float),
    }
    close = columns["Close"]
    columns["fast"] = talib.SMA(close, 10)
    columns["slow"] = talib.SMA(close, 50)
    columns["strength"] = talib.RSI(close, 14)
    columns["range"] = talib.ATR(columns["High"], columns["Low"], close, 14)
    return pandas.DataFrame(columns, index=pandas.to_datetime(bars.ts_event))


def peer_strategy(backtesting: Any) -> Any:  # noqa: ANN401 - untyped peer
    """Return the rule as a class of the peer."""

    class SmaCross(backtesting.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            pass

        def next(self) -> None:
            fast, slow = self.data.fast, self.data.slow
            if self.position:
                if fast[-2] >= slow[-2] and fast[-1] < slow[-1]:
                    self.position.close()
            elif fast[-2] <= slow[-2] and fast[-1] > slow[-1] and self.data.strength[-1] < 70:
                close, away = self.data.Close[-1], self.data.range[-1]
                self.buy(size=0.1, sl=close - 2 * away, tp=close + 3 * away)

    return SmaCross


def peer_speed(bars: BarArrays, tick: float) -> dict[str, object] | None:
    """Run the peer; None when it is not installed."""
    try:
        backtesting = importlib.import_module("backtesting")
        pandas = importlib.import_module("pandas")
    except ImportError:
        return None
    data = frame(pandas, bars, tick)
    # A tenth of the account in fractions of a coin: the peer counts whole units.
    prices = ["Open", "High", "Low", "Close", "range", "fast", "slow"]
    data[prices] *= 1e-6
    test = backtesting.Backtest(data, peer_strategy(backtesting), cash=10_000, commission=0.001)
    began, processor = time.perf_counter(), time.process_time()
    result = test.run()
    processor = time.process_time() - processor
    return {
        "engine": f"backtesting.py {backtesting.__version__}",
        "trades": int(result["# Trades"]),
        "seconds": round(time.perf_counter() - began, 2),
        "bars_per_cpu_second": round(len(bars) / processor),
    }


def own_speed(feed: BarFeed) -> dict[str, object]:
    """Run the event path with its journal in memory."""
    settings = load_settings(env_file=None, environment={}, overrides=list(WIDE))
    strategies = load_strategies(["sma_cross"])
    processor = time.process_time()
    run = run_backtest(feed, strategies, settings, TradingWindow(0))
    processor = time.process_time() - processor
    return {
        "engine": "tidewright, journal in memory",
        "trades": len(run.recorder.trades),
        "seconds": round(run.seconds, 2),
        "bars_per_cpu_second": round(run.bars / processor),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--symbol", action="append", default=[])
    parser.add_argument("--bars", type=int, default=0, help="use the first so many; 0 = all")
    arguments = parser.parse_args()
    whole = FileFeed(arguments.data or minutes_of_bitcoin(), arguments.symbol)
    instrument = whole.instruments[0]
    series = next(iter(whole.series))
    bars = series.slice(0, arguments.bars or len(series))
    feed = BarFeed([bars], [instrument], whole.description)
    print(json.dumps(surroundings(Path())))
    peer = peer_speed(bars, float(instrument.tick_size))
    if peer is None:
        print("backtesting and pandas are not installed here: nothing to compare with")
        return
    print(json.dumps(peer))
    own_speed(BarFeed([bars.slice(0, 2_000)], [instrument], "compile first"))
    own = own_speed(feed)
    print(json.dumps(own))
    ratio = float(str(own["bars_per_cpu_second"])) / float(str(peer["bars_per_cpu_second"]))
    print(json.dumps({"ratio": round(ratio, 2)}))


if __name__ == "__main__":
    main()
