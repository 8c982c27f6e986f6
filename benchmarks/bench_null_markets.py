"""Search on noise where there is nothing to find, and where one of a hundred candidates is true.

    python benchmarks/bench_null_markets.py [--seeds N] [--toy] [--workers N] [--out FILE]

Five kinds of markets without a pattern, each at no costs and at the costs as shipped, seeds 0 to
N - 1: 24 rules of the library in the bulk engine (with ``--toy`` 32 rules in array operations)
search each and its patternless copies. Then worlds of 100 independent candidates over 1,000 days.
Changed real prices need the data folder that TW_REALDATA names.

Prints one JSON line a case. A search is supported at 1 % where at most one of 200 copies is as
good. Two mean Sharpe ratios stand beside it: that of the excess as a verdict sees it, and that of
the excess over a benchmark whose exposure is the rule's mean in the other seeds. The first is
below zero without any fault: in a world that rises, a rule that follows trends also holds more, and
its own average exposure then asks more of it than it knew. The second has no such pull, but on
returns in another order: those sum to the same in every world, so a rise is followed by less, and
the check of fairness is that of the same returns drawn with replacement.

Exit code 1 when more than 6 of 200 null markets are supported, when rules earn more or less than
nothing before costs by the second measure (3 standard errors), or when the true candidate is found
at 5 % in fewer than 75 % of worlds at an annual Sharpe ratio of 2.4, or in fewer than 95 % at 3.2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
from measure import surroundings
from numpy.typing import NDArray
from rich.progress import track

from fakes.market_rows import an_instrument
from fakes.null_studies import BARS, NAMES, hunches, library_family, two_stocks
from fakes.toy_family import ToyFamily
from tidewright.market.arrays import BarArrays
from tidewright.research.benchmark import universe_returns
from tidewright.research.chance.noise import search_on_noise
from tidewright.research.chance.null_markets import NullMarket, null_market
from tidewright.research.results import Family

Floats = NDArray[np.float64]
INSTRUMENTS = tuple(an_instrument(name) for name in NAMES)
TOY_COST = 0.002
POWER = {2.4: 0.75, 3.2: 0.95}
MOST_SUPPORTED = 6 / 200
CHANGED = (NullMarket.SIGN_FLIPPED, NullMarket.PERMUTED, NullMarket.RESAMPLED)


@dataclass(frozen=True)
class Searched:
    """What one market gave."""

    p_value: float
    copies: int
    profit: Floats
    exposure: Floats
    universe: Floats


@dataclass(frozen=True)
class Case:
    """One kind of market at one level of costs: searched for each seed, in any process."""

    kind: NullMarket
    costs: bool
    toy: bool
    enough: int
    real: tuple[BarArrays, ...]

    def family(self) -> Family:
        if self.toy:
            return ToyFamily(TOY_COST if self.costs else 0.0)
        return library_family(costs=self.costs)

    def __call__(self, seed: int) -> Searched:
        family = self.family()
        series = null_market(self.kind, seed, NAMES, BARS, self.real)
        found = search_on_noise(family, series, INSTRUMENTS, enough=self.enough)
        results = family.evaluate(series)
        universe = universe_returns(series, INSTRUMENTS, results.days)
        daily = results.daily_profit()
        return Searched(found.p_value, found.surrogates, daily, results.exposure, universe)


def true_one_found(sharpe: float, seed: int) -> bool:
    """Search 100 candidates, the last of which is true, and say whether it is found at 5 %."""
    series = null_market(NullMarket.RANDOM_WALK, seed, NAMES[:1], BARS)
    family = hunches(seed, series, sharpe)
    # Eleven copies as good decide against it.
    found = search_on_noise(family, series, INSTRUMENTS[:1], enough=11)
    return found.p_value <= 0.05 and found.best == len(family.held) - 1


def all_of(
    pool: ProcessPoolExecutor, work: Callable[[int], object], seeds: int, words: str
) -> Iterator[object]:
    """Yield the result of every seed, with a bar that shows how far it is."""
    return iter(track(pool.map(work, range(seeds)), words, seeds, disable=not sys.stderr.isatty()))


def mean_in_errors(values: np.ndarray) -> float:
    """Return a mean in its standard errors."""
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


def mean_sharpes(found: Sequence[Searched], exposures: Floats) -> Floats:
    """Return the mean annual Sharpe ratio of the rules' excess in each world.

    ``exposures`` has the shape (n_worlds, n_rules): that of the benchmark of each.
    """
    sharpes = []
    for one, exposure in zip(found, exposures, strict=True):
        beyond = one.profit - exposure[:, None] * one.universe
        spread = beyond.std(axis=1, ddof=1)
        mean = beyond.mean(axis=1)
        sharpe = np.divide(mean, spread, out=np.zeros(len(mean)), where=spread > 0)
        sharpes.append(float(sharpe.mean() * np.sqrt(365)))
    return np.array(sharpes)


def null_case(pool: ProcessPoolExecutor, case: Case, seeds: int) -> tuple[dict[str, object], bool]:
    """Search every seed of a case; return its line and whether it is as it should be."""
    words = f"{case.kind.value}, {'with' if case.costs else 'without'} costs"
    found = [one for one in all_of(pool, case, seeds, words) if isinstance(one, Searched)]
    p = np.array([one.p_value for one in found])
    supported = int((p <= 0.01).sum())
    own = np.array([one.exposure for one in found])
    elsewhere = (own.sum(axis=0) - own) / max(len(own) - 1, 1)
    seen, fair_seen = mean_sharpes(found, own), mean_sharpes(found, elsewhere)
    in_errors = mean_in_errors(fair_seen)
    line = {
        "market": case.kind.value,
        "costs": case.costs,
        "seeds": seeds,
        "supported_1_percent": supported,
        "p_at_most_5_percent": int((p <= 0.05).sum()),
        "p_at_most_20_percent": int((p <= 0.20).sum()),
        "copies_per_search": round(float(np.mean([one.copies for one in found])), 1),
        "mean_excess_sharpe": round(float(seen.mean()), 4),
        "in_standard_errors": round(mean_in_errors(seen), 2),
        "at_other_seeds_exposure": round(float(fair_seen.mean()), 4),
        "that_in_standard_errors": round(in_errors, 2),
    }
    # Returns in another order sum to what they summed to: after a rise less is left to come.
    fair = case.costs or case.kind is NullMarket.PERMUTED or abs(in_errors) < 3
    return line, supported <= round(MOST_SUPPORTED * seeds) and fair


def main() -> int:
    """Run every case and say whether all are as they should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--toy", action="store_true")
    parser.add_argument("--kinds", nargs="*", default=[one.value for one in NullMarket])
    parser.add_argument("--enough", type=int, default=3, help="20 gives the whole law of p")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    lines: list[dict[str, object]] = [surroundings(Path.cwd())]
    wrong = []
    folder = os.environ.get("TW_REALDATA", "")
    real = two_stocks(Path(folder)) if folder else ()
    print(json.dumps(lines[0]), flush=True)
    with ProcessPoolExecutor(words.workers, mp_context=get_context("spawn")) as pool:
        for kind in map(NullMarket, words.kinds):
            if kind in CHANGED and not real:
                continue
            for costs in (False, True):
                began = time.monotonic()
                given = real if kind in CHANGED else ()
                case = Case(kind, costs, words.toy, words.enough, given)
                line, as_it_should = null_case(pool, case, words.seeds)
                line["seconds"] = round(time.monotonic() - began, 1)
                lines.append(line)
                print(json.dumps(line), flush=True)
                if not as_it_should:
                    wrong.append(f"{kind.value}, costs {costs}")
        for sharpe, least in POWER.items():
            work = partial(true_one_found, sharpe)
            found = sum(map(bool, all_of(pool, work, words.seeds, f"Sharpe {sharpe}")))
            lines.append({"true_sharpe": sharpe, "worlds": words.seeds, "found": found})
            print(json.dumps(lines[-1]), flush=True)
            if found < least * words.seeds:
                wrong.append(f"Sharpe {sharpe}")
    lines.append({"wrong": wrong})
    print(json.dumps(lines[-1]))
    if words.out:
        words.out.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
