"""The search itself: every setting of a grid, the best one, and whether choosing it was sound."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from tidewright.app.validation.material import Material, Watch
from tidewright.app.validation.runs import Run, run_rule
from tidewright.domain.errors import ConfigError
from tidewright.research.benchmark import excess, universe_returns
from tidewright.research.bulk.sweep import run_sweep
from tidewright.research.chance.noise import statistic
from tidewright.research.report.parts import sweep_map
from tidewright.research.report.values import Fold, Measure, SweepMap
from tidewright.research.results import Float64
from tidewright.research.walkforward import (
    WalkForwardPlan,
    WalkForwardResult,
    plateau,
    run_walk_forward,
)

_PBO = (
    "share of half-and-half splits in which the best of one half is under the middle in the other"
)
_PARTS = 4
_MOST_SETS_PBO = 2_000


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found; a single rule is a search among one.

    Parameters
    ----------
    place : int
        The chosen setup.
    real : Run
        Its backtest.
    beyond : float64 array of shape (n_setups, n_days)
        Daily profit of every setup beyond its matched benchmark.
    seconds : float
        How long running every setup once took.
    sweep : SweepMap or None
        Scores over the numbers; None for a single rule.
    folds : tuple of Fold
        Of the walk-forward; empty for a single rule.
    measures : tuple of Measure
        Diagnostics of the choice; none of them decides.
    independent : float
        Independent tries that the setups act like.
    """

    place: int
    real: Run
    beyond: Float64
    seconds: float
    sweep: SweepMap | None
    folds: tuple[Fold, ...]
    measures: tuple[Measure, ...]
    independent: float = 1.0


def search(material: Material, watch: Watch) -> Searched:
    """Run every setup over the open part, and look at the choice of the best."""
    watch("Running the rule", 0, material.configurations)
    if not material.points:
        real = run_rule(material, material.request())
        measures = _of_one_rule(real.excess)
        return Searched(0, real, real.excess[None, :], real.seconds, None, (), measures)
    from tidewright.research.statistics.inference import t_statistic

    began = time.perf_counter()
    results = run_sweep(
        material.sweep.request,
        progress=lambda done, total: watch("Running the rule", done, total),
        otherwise=material.engine,
    )
    seconds = time.perf_counter() - began
    universe = universe_returns(material.series, material.universe, results.days)
    best = max(statistic(results, universe).place, 0)
    beyond = excess(results, universe)
    scores = np.where(results.turnover > 0, t_statistic(beyond), -np.inf)
    values = np.array([list(point.values()) for point in material.points])
    kept = plateau(values, np.where(np.isfinite(scores), scores, 0.0), best).kept
    sweep = sweep_map(material.points, scores, kept)
    folds = _folds(material, watch)
    measures, independent = _of_a_choice(beyond, kept, folds)
    real = run_rule(material, material.request(best))
    return Searched(best, real, beyond, seconds, sweep, folds, measures, independent)


def _of_one_rule(beyond: Float64) -> tuple[Measure, ...]:
    """Say that nothing was chosen, and how the rule did in each part of the time."""
    from tidewright.research.statistics.overfitting import ONE_RULE, sub_periods

    found = [Measure("Probability of overfitting", None, "not applicable", ONE_RULE.reason)]
    if len(beyond) >= 3 * _PARTS:
        parts = sub_periods(beyond, _PARTS)
        words = ", ".join(f"{100 * value:+.1f} %" for value in parts.profit.tolist())
        found.append(
            Measure(
                f"Beyond holding, in each fourth of the time ({parts.positive} of {_PARTS} gain)",
                None,
                words,
                "sum of the daily excess over the matched holding",
            )
        )
    return tuple(found)


def _of_a_choice(
    beyond: Float64, kept: float | None, folds: tuple[Fold, ...]
) -> tuple[tuple[Measure, ...], float]:
    """Return what to know of choosing the best, and how many independent settings there were."""
    from tidewright.research.statistics.effective import effective_trials
    from tidewright.research.statistics.overfitting import overfitting_probability
    from tidewright.research.statistics.selection import NotApplicable, superior_ability_test

    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1, 0])))
    some = beyond[:_MOST_SETS_PBO]
    found = []
    if beyond.shape[1] >= 32:
        chance = overfitting_probability(some)
        if isinstance(chance, NotApplicable):
            found.append(Measure("Probability of overfitting", None, "not applicable", _PBO))
        else:
            found.append(Measure("Probability of overfitting", chance.probability, "", _PBO))
        test = superior_ability_test(some, generator)
        found.append(
            Measure(
                "p of superior ability",
                test.p_value,
                "",
                "stationary bootstrap of the daily excess of all settings (Hansen, 2005)",
            )
        )
    effective = effective_trials(some, generator)
    found.append(
        Measure(
            "Independent settings",
            effective,
            f"{effective:.0f} of {len(beyond):,}",
            "independent draws whose highest value has the same 95 % point",
        )
    )
    if kept is not None:
        found.append(
            Measure(
                "Score kept by the neighbours",
                kept,
                f"{100 * kept:.0f} %",
                "median score of the settings one step away / score of the best",
            )
        )
    if folds:
        better = sum(fold.after > 0 for fold in folds)
        found.append(
            Measure(
                "Walk-forward steps with a profit",
                float(better),
                f"{better} of {len(folds)}",
                "chosen on the days before, measured on the days after",
            )
        )
    return tuple(found), effective


def walk_forward(
    material: Material, watch: Watch, plan: WalkForwardPlan | None = None
) -> WalkForwardResult:
    """Choose on the past and trade what comes next, over the open part of the data."""
    return run_walk_forward(
        material.sweep,
        material.series,
        material.universe,
        plan,
        window=material.base.window,
        progress=lambda done, total: watch("Choosing on the past", done, total),
    )


def _folds(material: Material, watch: Watch) -> tuple[Fold, ...]:
    try:
        result = walk_forward(material, watch)
    except ConfigError:
        # Too few days for folds; the report goes without.
        return ()
    a_year = material.calendar.days_per_year
    return tuple(
        Fold(
            fold.traded.first,
            fold.traded.last,
            written(material, fold.place),
            fold.learned_profit * a_year,
            fold.traded_profit * a_year,
        )
        for fold in result.folds
    )


def written(material: Material, place: int) -> str:
    """Return the numbers of a setup in words; nothing where it stayed out."""
    if place < 0:
        return "nothing"
    return ", ".join(f"{name} {value:g}" for name, value in material.points[place].items())
