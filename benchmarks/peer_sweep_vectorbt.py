"""The sweep of `bench_sweep` by vectorbt, run by the interpreter of an environment that has it.

    PYTHON benchmarks/peer_sweep_vectorbt.py BARS.npz SETS [--stops]

Prints one line of JSON. Indicators are counted as the sweep counts them; compiling is not.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import time
from typing import Any

import numpy as np

CHUNK = 10


def wilder_rsi(close: np.ndarray[Any, np.dtype[np.float64]], period: int) -> Any:  # noqa: ANN401
    """Return Wilder's relative strength index, NaN before its first value."""
    change = np.diff(close)
    gains, losses = np.maximum(change, 0.0), np.maximum(-change, 0.0)
    gain, loss = gains[:period].mean(), losses[:period].mean()
    result = np.full(len(close), np.nan)
    result[period] = 100.0 * gain / (gain + loss)
    for row in range(period, len(change)):
        gain = (gain * (period - 1) + gains[row]) / period
        loss = (loss * (period - 1) + losses[row]) / period
        result[row + 1] = 100.0 * gain / (gain + loss) if gain + loss else 0.0
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bars")
    parser.add_argument("sets", help="fast,slow;fast,slow;...")
    parser.add_argument("--stops", action="store_true")
    arguments = parser.parse_args()
    vectorbt = importlib.import_module("vectorbt")
    pandas = importlib.import_module("pandas")
    with np.load(arguments.bars) as file:
        opened, close = file["open"], file["close"]
    index = pandas.date_range("2022-01-01", periods=len(close), freq="min")
    close = pandas.Series(close, index)
    following = pandas.Series(np.append(opened[1:], close.iloc[-1]), index)
    sets = [tuple(map(int, one.split(","))) for one in arguments.sets.split(";")]
    weak = (wilder_rsi(close.to_numpy(), 14) < 70.0)[:, None]
    stops = {"sl_stop": 0.02, "tp_stop": 0.04} if arguments.stops else {}

    def run(part: list[tuple[int, ...]], rows: int) -> list[float]:
        fast = vectorbt.MA.run(close[:rows], [one[0] for one in part], short_name="fast")
        slow = vectorbt.MA.run(close[:rows], [one[1] for one in part], short_name="slow")
        portfolio = vectorbt.Portfolio.from_signals(
            close[:rows],
            fast.ma_crossed_above(slow).to_numpy() & weak[:rows],
            fast.ma_crossed_below(slow).to_numpy(),
            price=following[:rows],
            size=1.0,
            fees=0.001,
            slippage=0.0005,
            init_cash=10_000_000.0,
            freq="1min",
            **stops,
        )
        # What the sweep gives too: equity at the ends of days, trades, fees.
        daily = portfolio.value().resample("1D").last()
        portfolio.trades.count(), portfolio.orders.fees.sum()
        final: list[float] = daily.iloc[-1].tolist()
        return final

    run(sets[:CHUNK], 5_000)
    began = time.process_time()
    values = [
        value
        for place in range(0, len(sets), CHUNK)
        for value in run(sets[place : place + CHUNK], len(close))
    ]
    seconds = time.process_time() - began
    print(
        json.dumps(
            {
                "version": vectorbt.__version__,
                "sets": len(sets),
                "cpu_seconds": round(seconds, 2),
                "ns_a_bar_and_set": round(seconds / len(sets) / len(close) * 1e9, 1),
                "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "final": values,
            }
        )
    )


if __name__ == "__main__":
    main()
