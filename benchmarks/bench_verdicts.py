"""Verdicts of every library strategy on real data, as they come out.

Run with TW_REALDATA naming the data folder: ``python benchmarks/bench_verdicts.py --out reports``.
Nothing is chosen: every strategy on every data set, with the settings as shipped.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from tidewright.app.processes import ProcessExecutor
from tidewright.app.report_files import write_report
from tidewright.app.validation.examine import ValidateOptions, validate
from tidewright.app.validation.material import MarketOptions
from tidewright.research.report.values import Report
from tidewright.strategy.library import library

DATA = {
    "BTC 1m": "crypto/binance_spot_BTCUSDT_1m_2022-01_2023-06.parquet",
    "ETH 1m": "crypto/binance_spot_ETHUSDT_1m_2022-01_2023-06.parquet",
    "SOL 1m": "crypto/binance_spot_SOLUSDT_1m_2022-01_2023-06.parquet",
    "3 coins 1h": "crypto/binance_spot_3sym_1h_2022-01_2023-06.parquet",
    "9 stocks 5m": "stocks_intraday/us_9sym_5m_2022-02_2023-06.parquet",
}
HEAD = "| data | strategy | verdict | result | matched | worst year | as good | p | CPU s |"


def row(name: str, report: Report, seconds: float) -> str:
    outcome, losses, noise = report.outcome, report.losses, report.noise
    return (
        f"| {name} | {report.subject.name} | {report.ruling.word} | {100 * outcome.net:+.1f} % | "
        f"{100 * (outcome.matched or 0.0):+.1f} % | "
        f"{'-' if losses is None else f'{-100 * losses.worst:.1f} %'} | "
        f"{'-' if noise is None else f'{noise.as_good} of {noise.copies}'} | "
        f"{'-' if noise is None else f'{noise.p_value:.3f}'} | {seconds:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for reports")
    parser.add_argument("--data", nargs="*", default=list(DATA), choices=list(DATA))
    parser.add_argument("--strategy", nargs="*", default=list(library()))
    parser.add_argument("--surrogates", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    folder = Path(os.environ["TW_REALDATA"])
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
    print(f"{HEAD}\n|---|---|---|---|---|---|---|---|---|", flush=True)
    with ProcessExecutor(asked.processes) as executor:
        for name in asked.data:
            for strategy in asked.strategy:
                began = time.process_time()
                options = ValidateOptions(
                    MarketOptions(strategy, folder / DATA[name]), surrogates=asked.surrogates
                )
                report = validate(options, executor=executor if asked.processes > 1 else None)
                print(row(name, report, time.process_time() - began), flush=True)
                if asked.out is not None:
                    stem = asked.out / f"{name}-{strategy}".replace(" ", "-")
                    write_report(
                        report, html=stem.with_suffix(".html"), json=stem.with_suffix(".json")
                    )


if __name__ == "__main__":
    main()
