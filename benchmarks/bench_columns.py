"""Speed of columns: own ones by value, TA-Lib's against direct calls, one bar for many symbols.

    python benchmarks/bench_columns.py [--bars 525600] [--symbols 500] [--repeat 3]

Prints JSON. Times are processor time of the one thread, the least of the repeats; the grid and the
direct calls take turns, so that both see the same machine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.features.bulk import bulk_series, channel_values
from tidewright.features.declarations import Channel, ColumnReference, declarations, resolve
from tidewright.features.plan import plan_columns
from tidewright.features.sets import FEATURES_ALL, is_talib
from tidewright.features.streaming import StreamingColumns
from tidewright.features.talib_functions import batch
from tidewright.market.arrays import BarArrays, bar_arrays

MINUTE = 60_000_000_000
WINDOWS = (7, 14, 28, 56)
PERIODIC = (
    *("ema", "wma", "dema", "tema", "kama", "rsi", "rate_of_change", "momentum"),
    *("chande_momentum", "atr", "atr_percent", "adx", "plus_di", "minus_di", "cci", "mfi"),
    *("williams_r", "linear_slope", "aroon_up", "aroon_down"),
)
SINGLE = (
    *("macd", "macd_signal", "macd_histogram", "stochastic_k", "stochastic_d", "obv"),
    *("accumulation", "parabolic_sar", "true_range"),
)
OWN = ("sma", "deviation", "highest", "lowest")
BANDS = ("bollinger_upper", "bollinger_middle", "bollinger_lower")


def item() -> Instrument:
    return Instrument("X", "v", "X", "Y", AssetClass.CRYPTO, Decimal("0.01"), Decimal("0.00001"))


def market(count: int, seed: int = 0) -> BarArrays:
    rng = np.random.default_rng(seed)
    close = 6_000_000 + np.cumsum(rng.integers(-900, 901, count))
    opened = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opened, close) + rng.integers(0, 500, count)
    low = np.minimum(opened, close) - rng.integers(0, 500, count)
    volume = rng.integers(1, 10**8, count)
    times = np.arange(count, dtype=np.int64) * MINUTE
    return BarArrays("X", "1m", times, times + MINUTE, opened, high, low, close, volume)


def least(repeat: int, *works: Callable[[], object]) -> list[float]:
    times = [[] for _ in works]
    for _ in range(repeat):
        for kept, work in zip(times, works, strict=True):
            start = time.thread_time()
            work()
            kept.append(time.thread_time() - start)
    return [min(kept) for kept in times]


def direct(references: list[ColumnReference], bars: BarArrays) -> Callable[[], object]:
    """Return the calls that a person who knows TA-Lib would write; conversion is not counted."""
    plan = plan_columns(references, item())
    inputs = {channel: channel_values(bars, channel, plan.ratios) for channel in list(Channel)[:5]}

    def work() -> list[object]:
        return [
            getattr(batch, group.function)(
                *(inputs[channel] for channel in group.channels), **dict(group.options)
            )
            for group in plan.groups
        ]

    return work


def grid_report(bars: BarArrays, repeat: int) -> dict[str, object]:
    talib = [resolve(name, (window,)) for window in WINDOWS for name in PERIODIC]
    talib += [resolve(name, ()) for name in SINGLE]
    own = [resolve(name, (window,)) for window in WINDOWS for name in (*OWN, *BANDS)]
    ours, theirs, grid = least(
        repeat,
        lambda: bulk_series(talib, bars, item()),
        direct(talib, bars),
        lambda: bulk_series([*talib, *own], bars, item()),
    )
    return {
        "talib_columns": len(talib),
        "seconds": round(ours, 3),
        "direct_seconds": round(theirs, 3),
        "ratio": round(ours / theirs, 3),
        "grid_columns": len(talib) + len(own),
        "grid_seconds": round(grid, 3),
    }


def all_report(bars: BarArrays, repeat: int) -> dict[str, object]:
    references = list(FEATURES_ALL.references)
    talib = [reference for reference in references if is_talib(reference)]
    ours, theirs, everything = least(
        repeat,
        lambda: bulk_series(talib, bars, item()),
        direct(talib, bars),
        lambda: bulk_series(references, bars, item()),
    )
    return {
        "columns": len(references),
        "seconds": round(everything, 3),
        "talib_columns": len(talib),
        "talib_seconds": round(ours, 3),
        "direct_seconds": round(theirs, 3),
        "ratio": round(ours / theirs, 3),
    }


def own_report(bars: BarArrays, repeat: int) -> dict[str, float]:
    """Return nanoseconds a value of every column that TA-Lib does not compute."""
    found = {}
    for declaration in declarations().values():
        reference = declaration.default()
        if not is_talib(reference):
            (seconds,) = least(repeat, lambda one=reference: bulk_series([one], bars, item()))
            found[reference.label] = round(seconds / len(bars) * 1e9, 1)
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def update_report(symbols: int, columns: int, repeat: int) -> dict[str, object]:
    """Return the time of one bar for many symbols."""
    references = FEATURES_ALL.references[:columns]
    history = list(market(300 + repeat).bars())
    opened = bar_arrays("X", "1m", history[:300])
    running = [StreamingColumns(references, item()) for _ in range(symbols)]
    for one in running:
        one.restore(opened)
    times = []
    for bar in history[300:]:
        times.append(one_bar(running, bar))
    return {
        "symbols": symbols,
        "columns": len(references),
        "milliseconds": [round(value * 1e3, 2) for value in sorted(times)],
    }


def one_bar(running: list[StreamingColumns], bar: Bar) -> float:
    start = time.thread_time()
    for one in running:
        one.update(bar)
    return time.thread_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=525_600)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    bars = market(arguments.bars)
    small = market(min(arguments.bars, 100_000))
    report = {
        "grid": grid_report(bars, arguments.repeat),
        "all": all_report(bars, arguments.repeat),
        "own_nanoseconds_a_value": own_report(small, arguments.repeat),
        "one_bar": update_report(arguments.symbols, arguments.columns, 2 * arguments.repeat),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
