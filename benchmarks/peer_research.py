"""The works of `bench_research` by other programs, run by an interpreter that has them.

    PYTHON benchmarks/peer_research.py FILE.npz WORK

WORK is ``year`` (one rule over one series) or ``shares`` (one rule over many, one account). Prints
one line of JSON for each program that is installed; the first, compiling run is not counted. What
each rule has to work out is counted: averages, strength, crossings, orders, money over time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

FEE = 0.001
CASH = {"year": 10_000_000.0, "shares": 1_000_000.0}
SLOT = 50_000.0

Arrays = dict[str, Any]


def timed(run: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Return the median processor time of a call that was made once before, and its result."""
    result, seconds = run(), []
    for _ in range(repeats):
        began = time.process_time()
        result = run()
        seconds.append(time.process_time() - began)
    return sorted(seconds)[len(seconds) // 2], result


def vectorbt_work(work: str, data: Arrays) -> dict[str, object]:
    """Run a work in vectorbt."""
    vectorbt = importlib.import_module("vectorbt")
    pandas = importlib.import_module("pandas")
    frequency = "min" if work == "year" else "D"
    index = pandas.date_range("2022-01-01", periods=len(data["close"]), freq=frequency)
    wrap = pandas.Series if work == "year" else pandas.DataFrame
    close = wrap(data["close"], index)
    following = wrap(np.concatenate((data["open"][1:], data["close"][-1:])), index)
    choice: Arrays = {"size": 1.0}
    if work == "shares":
        choice = {"size": SLOT, "size_type": "value", "group_by": True, "cash_sharing": True}

    def run() -> float:
        fast = vectorbt.MA.run(close, 10, short_name="fast")
        slow = vectorbt.MA.run(close, 50, short_name="slow")
        entries = fast.ma_crossed_above(slow)
        if work == "year":
            # Its own strength index is smoothed differently: worked out, then the common one used.
            vectorbt.RSI.run(close, 14)
            entries = entries.to_numpy() & (data["strength"] < 70.0)
        portfolio = vectorbt.Portfolio.from_signals(
            close,
            entries,
            fast.ma_crossed_below(slow),
            price=following,
            fees=FEE,
            init_cash=CASH[work],
            freq="1min" if work == "year" else "1D",
            **choice,
        )
        portfolio.trades.records  # noqa: B018 - worked out when asked for
        return float(portfolio.value().iloc[-1])

    seconds, final = timed(run, 5)
    return {"version": vectorbt.__version__, "cpu_seconds": round(seconds, 4), "final": final}


def backtesting_work(data: Arrays) -> dict[str, object]:
    """Run the year in backtesting.py; its indicators are ready before its clock starts."""
    backtesting = importlib.import_module("backtesting")
    pandas = importlib.import_module("pandas")
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close"}
    frame = pandas.DataFrame({name: data[source] for name, source in names.items()})
    frame["Volume"] = 1.0
    frame["fast"], frame["slow"] = data["fast"], data["slow"]
    frame["strength"] = data["strength"]
    frame.index = pandas.date_range("2022-01-01", periods=len(frame), freq="min")

    class Averages(backtesting.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            pass

        def next(self) -> None:
            fast, slow = self.data.fast, self.data.slow
            if self.position:
                if fast[-2] >= slow[-2] and fast[-1] < slow[-1]:
                    self.position.close()
            elif fast[-2] <= slow[-2] and fast[-1] > slow[-1] and self.data.strength[-1] < 70:
                self.buy(size=1)

    def run(rows: int) -> float:
        test = backtesting.Backtest(frame.iloc[:rows], Averages, cash=CASH["year"], commission=FEE)
        return float(test.run()["Equity Final [$]"])

    run(2_000)
    began = time.process_time()
    final = run(len(frame))
    seconds = time.process_time() - began
    return {"version": backtesting.__version__, "cpu_seconds": round(seconds, 2), "final": final}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("work", choices=sorted(CASH))
    arguments = parser.parse_args()
    with np.load(arguments.file) as file:
        data = {name: file[name] for name in file.files}
    programs: dict[str, Callable[[], dict[str, object]]] = {
        "vectorbt": lambda: vectorbt_work(arguments.work, data)
    }
    if arguments.work == "year":
        programs["backtesting"] = lambda: backtesting_work(data)
    for name, run in programs.items():
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        print(json.dumps({"program": name, **run()}), flush=True)


if __name__ == "__main__":
    main()
