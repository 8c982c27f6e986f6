"""How often luck does as well: the same search on patternless copies, or the count of the tries.

The search on noise asks least of assumptions, and is made wherever it can be. In the compiled loop
it always can. A strategy that runs bar by bar may take minutes for one run, and two hundred copies
hours: so the measured time of its own run decides. Where the copies would take longer than was
allowed, the deflated Sharpe ratio answers, with every try that the registry knows, and the report
says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tidewright.app.validation.material import SURROGATES, Material, Watch
from tidewright.app.validation.registry import Tried
from tidewright.app.validation.search import Searched
from tidewright.research.chance.luck import luck_of_candidate
from tidewright.research.chance.noise import search_on_noise
from tidewright.research.judging.evidence import PSource
from tidewright.research.judging.trials import corrected_for_tries
from tidewright.research.report.parts import noise_of
from tidewright.research.report.values import Deflation, NoiseSearch
from tidewright.research.results import Executor
from tidewright.research.statistics.sharpe_inference import annual

NOISE_MINUTES = 15.0
"""How long a search on noise may take on the event path, unless told otherwise."""
FEWEST_COPIES = 20
"""Fewer copies cannot give a p-value of 0.05."""


@dataclass(frozen=True, slots=True)
class Copies:
    """What may be spent on patternless copies.

    Parameters
    ----------
    most : int
        Copies, at most.
    minutes : float
        How long they may take where every bar is a step of the engine, at least 0.
    processes : int
        Processes that share them, at least 1.
    seed : int
        Which copies.
    """

    most: int = SURROGATES
    minutes: float = NOISE_MINUTES
    processes: int = 1
    seed: int = 0

    def refusal(self, seconds: float) -> str:
        """Return why copies are not searched, for the time one takes; empty where they are."""
        needed, allowed = seconds * self.most / self.processes, 60.0 * self.minutes
        if needed <= allowed:
            return ""
        fit = int(allowed * self.processes / seconds)
        ways = f"--noise-minutes {math.ceil(needed / 60.0)} allows them"
        if fit >= FEWEST_COPIES:
            ways += f", --surrogates {fit} fits"
        return (
            f"it runs bar by bar and took {seconds:.1f} s, so {self.most} patternless copies would "
            f"take {_duration(needed)}, and {_duration(allowed)} were allowed; {ways}"
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120.0 else f"{math.ceil(seconds / 60.0):,} minutes"


@dataclass(frozen=True, slots=True)
class Chance:
    """How often luck does as well, and how that was found.

    Parameters
    ----------
    p_value : float
        With everything counted that was tried besides.
    source : PSource
        How it was found.
    noise : NoiseSearch or None
        The search on patternless copies, where it was made.
    deflation : Deflation or None
        The count of the tries, where it was not.
    """

    p_value: float
    source: PSource
    noise: NoiseSearch | None
    deflation: Deflation | None


def chance_of(
    material: Material,
    found: Searched,
    tried: Tried,
    copies: Copies,
    executor: Executor | None,
    watch: Watch,
) -> Chance:
    """Return how often luck does as well as what a search found.

    Parameters
    ----------
    material, found
        What was searched, and what was found.
    tried : Tried
        Everything that was tried on this market.
    copies : Copies
        What may be spent.
    executor : Executor or None
        Where copies are searched; None is this process.
    watch : callable
        Told how far it got.
    """
    refusal = copies.refusal(found.seconds) if found.real.refusal else ""
    if refusal:
        return _counted(material, found, tried, copies.seed, refusal)
    noise = on_noise(material, copies, executor, watch)
    p_value = corrected_for_tries(noise.p_value, found.independent, tried.independent)
    alone = p_value == noise.p_value
    source = PSource.SEARCH_ON_NOISE if alone else PSource.EARLIER_TRIES
    return Chance(p_value, source, noise, None)


def on_noise(
    material: Material, copies: Copies, executor: Executor | None, watch: Watch
) -> NoiseSearch:
    """Search patternless copies of the market in the same way."""

    def told(done: int, as_good: int) -> None:
        watch(f"Searching patternless copies ({as_good} as good so far)", done, copies.most)

    result = search_on_noise(
        material.family,
        material.series,
        material.universe,
        surrogates=copies.most,
        seed=copies.seed,
        executor=executor,
        progress=told,
    )
    return noise_of(result.null, result.observed, result.p_value, copies.most)


def _counted(material: Material, found: Searched, tried: Tried, seed: int, refusal: str) -> Chance:
    """Hold the excess of the choice against the best that as many tries reach without skill."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 7])))
    luck = luck_of_candidate(
        found.beyond[found.place],
        tried.history.tries,
        generator,
        tried=np.delete(found.beyond, found.place, axis=0),
        independent=tried.independent,
    )
    threshold = float(annual(luck.deflated.threshold, material.calendar.days_per_year))
    deflation = Deflation(luck.tries, luck.trials, threshold, luck.p_value, refusal)
    return Chance(luck.p_value, luck.source, None, deflation)
