"""What the gates of research find and what they do not: full studies over simulated worlds.

    python benchmarks/bench_power.py [--worlds N]

100 independent candidates over 1,000 days, of which none or one is good; 200 random portfolios of
stocks, when TW_REALDATA names the data folder. Prints one JSON line a study. Seeds are 0 to N - 1.
Exit code 1 when a target is missed: the true one found at an annual Sharpe ratio of 2.4 in 75 % and
at 3.2 in 95 % of worlds by the maximum statistic, at most 6 of 200 worlds without one found at 1 %,
at most 2 of 200 portfolios found against the matched benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from measure import surroundings

from fakes.studies import WORLDS, count_found, portfolio_study

POWER = {2.4: 0.75, 3.2: 0.95}
GATE, STRICT = "maximum statistic 5%", "maximum statistic 1%"
MOST_PORTFOLIOS = 2


def show(**line: object) -> None:
    """Print one line."""
    print(json.dumps(line), flush=True)


def studied(kind: str, sharpe: float, worlds: int) -> Counter[str]:
    """Run one study and print it."""
    began = time.process_time()
    everything = kind == "normal"
    found = count_found(kind, worlds, sharpe=sharpe, everything=everything)
    seconds = round(time.process_time() - began, 1)
    show(study=kind, true_sharpe=sharpe, worlds=worlds, found=found, cpu_seconds=seconds)
    return found


def main() -> int:
    """Run every study and say whether the targets were met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=200)
    worlds = parser.parse_args().worlds
    show(**surroundings(Path.cwd()))
    missed = []
    for kind in WORLDS:
        found = studied(kind, 0.0, worlds)[STRICT]
        if found > round(6 * worlds / 200):
            missed.append(f"{kind}: {found} of {worlds} worlds without skill found at 1 %")
    for sharpe in (1.6, *POWER):
        found = studied("normal", sharpe, worlds)[GATE]
        if found < POWER.get(sharpe, 0.0) * worlds:
            missed.append(f"Sharpe {sharpe}: found in {found} of {worlds} worlds")
    for sharpe in POWER:
        studied("restless (GARCH-t)", sharpe, worlds)
    folder = os.environ.get("TW_REALDATA", "")
    if folder:
        for cost in (0.0015, 0.0):
            portfolios = portfolio_study(Path(folder), cost=cost)
            show(study="random portfolios", **asdict(portfolios))
            if portfolios.matched_family > MOST_PORTFOLIOS:
                missed.append(f"{portfolios.matched_family} random portfolios found")
    show(missed=missed)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
