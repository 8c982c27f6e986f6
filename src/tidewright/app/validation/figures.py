"""Figures of inference and baselines of a validation, with their formulas in words."""

from __future__ import annotations

import math

import numpy as np

from tidewright.app.validation.chance import Chance
from tidewright.app.validation.material import Material
from tidewright.app.validation.runs import Run, run_rule
from tidewright.domain.errors import ConfigError
from tidewright.research.chance.montecarlo import MonteCarlo, TradeSample, monte_carlo
from tidewright.research.chance.random_entries import RandomEntries, held_trades, random_entries
from tidewright.research.judging.evidence import PSource
from tidewright.research.metrics import sharpe
from tidewright.research.report.parts import baseline_of
from tidewright.research.report.values import Baseline, Deflation, Fan, LossForecast, Measure
from tidewright.research.results import Float64

_FEWEST_DAYS = 20
_MANY_TRADES = 2_000
_SIMPLEST = "sma_cross_plain"


def ask_luck(
    material: Material, run: Run, *, seed: int, everything: bool
) -> tuple[MonteCarlo | None, RandomEntries | None]:
    """Resample days and trades, and place the same trades at random; None where too little."""
    trades = run.trades()
    initial = run.daily.initial
    entries = sample = None
    if trades:
        rules = run.request.paper.rules(0)
        taking = rules.cost_ppm / 1_000_000
        held = held_trades(trades, material.series, material.feed.instruments, initial, taking)
        sample = TradeSample(held.profit, held.cost)
        draws = 1_000 if len(trades) <= _MANY_TRADES else 200
        try:
            entries = random_entries(
                held, material.series, window=run.request.window, draws=draws, seed=seed
            )
        except ConfigError:
            # In the market all the time: there is nowhere else to put its trades.
            entries = None
    if len(run.profit) < _FEWEST_DAYS:
        return None, entries
    answer = monte_carlo(
        returns_on_equity(run.profit),
        material.calendar.days_per_year,
        sample,
        entries,
        seed=seed,
        everything=everything,
    )
    return answer, entries


def returns_on_equity(profit: Float64) -> Float64:
    """Return simple returns on the equity of the day before from profits on the first equity."""
    before = np.concatenate(([1.0], 1.0 + np.cumsum(profit)[:-1]))
    return np.divide(profit, before, out=np.zeros(len(profit)), where=before > 0)


def losses_of(answer: MonteCarlo | None, gap: float | None) -> LossForecast | None:
    """Return how bad a year can get, as a report has it."""
    if answer is None:
        return None
    drawn = answer.drawdown
    skipped = answer.skipped.median if answer.skipped else None
    return LossForecast(drawn.worst, drawn.typical, drawn.seen, drawn.paths, gap, skipped)


def fan_of(answer: MonteCarlo | None) -> Fan | None:
    """Return the fan of paths, begun at 1."""
    if answer is None:
        return None
    return Fan(*((1.0, *row) for row in answer.drawdown.fan.tolist()))


def baselines(material: Material, run: Run, entries: RandomEntries | None) -> tuple[Baseline, ...]:
    """Return the strategy among simpler things, over the same days."""
    a_year = material.calendar.days_per_year
    found = [
        baseline_of("This strategy", run.profit, a_year),
        baseline_of(
            "Holding as much as it did on average", run.exposure * run.universe, a_year, "no costs"
        ),
    ]
    several = len(material.universe) > 1
    found.append(
        baseline_of(
            "Equal money in everything, every day anew" if several else "Buy and hold",
            run.universe,
            a_year,
            "no costs",
            compounded=True,
        )
    )
    found.append(Baseline("Cash", 0.0, None, 0.0, "no interest"))
    if entries is not None:
        note = (
            f"median of {len(entries.profits):,}; it beats {100 * entries.percentile:.0f} % of them"
        )
        found.append(Baseline("The same trades at random times", entries.median, None, None, note))
    simplest = _simplest(material)
    if simplest is not None:
        note = "a cross of two averages"
        found.append(baseline_of(f"The simplest rule ({_SIMPLEST})", simplest, a_year, note))
    return tuple(found)


def _simplest(material: Material) -> Float64 | None:
    """Return the daily profit of the library's plainest rule over the same bars."""
    from dataclasses import replace

    from tidewright.app.strategies import load_strategies

    own = material.base.config.strategies[0]
    if own.strategy.name == _SIMPLEST:
        return None
    plain = load_strategies([_SIMPLEST])[0].setup
    setup = replace(plain, symbols=own.symbols, timeframe=own.timeframe)
    config = replace(material.base.config, strategies=(setup,))
    return run_rule(material, replace(material.base, config=config)).profit


def deflation_measures(found: Deflation, source: PSource) -> tuple[Measure, ...]:
    """Return the figures of a count of tries."""
    return (
        Measure("p, all tries counted", found.p_value, "", _COUNTED[source]),
        Measure(
            "Ratio that luck alone reaches",
            found.expected_best,
            "",
            "expected best of the tries without skill (Bailey and Lopez de Prado, 2014)",
        ),
        Measure(
            "Independent tries",
            found.effective,
            f"{found.effective:.1f} of {found.tries:,}",
            "as their correlation says where it is known, all others in full",
        ),
    )


_COUNTED = {
    PSource.DEFLATED_SHARPE: (
        "chance that the best of so many tries without skill looks as good (Sidak, 1967)"
    ),
    PSource.MAX_STATISTIC: (
        "histories without skill whose best row is at least as good / histories (Romano and Wolf, "
        "2005)"
    ),
}


def measures(
    material: Material, run: Run, chance: Chance, answer: MonteCarlo | None
) -> tuple[Measure, ...]:
    """Return figures of inference over the full calendar, flat days included."""
    from tidewright.research.report.measures import (
        certainty_measures,
        tail_measures,
        trade_measures,
    )
    from tidewright.research.statistics.inference import estimate_mean
    from tidewright.research.statistics.sharpe_inference import (
        probabilistic_sharpe,
        sharpe_moments,
        shortest_track_record,
    )

    a_year = material.calendar.days_per_year
    known = estimate_mean(run.excess)
    moments = sharpe_moments(run.profit)
    needed = float(shortest_track_record(moments)) if len(run.profit) > 3 else math.inf
    trades = run.trades()
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1, 1])))
    found = [
        Measure(
            "t-statistic of the excess",
            float(known.t),
            "",
            "mean daily excess over the matched holding / its Newey-West standard error",
        ),
        Measure(
            "Sharpe ratio, annual",
            sharpe(run.profit, a_year),
            "",
            "mean / standard deviation of daily profit x sqrt(days a year), flat days included",
        ),
        Measure(
            "Probability that the true ratio is above 0",
            float(probabilistic_sharpe(moments)),
            "",
            "Probabilistic Sharpe Ratio (Bailey and Lopez de Prado, 2012)",
        ),
        Measure(
            "Days needed to say so at 95 %",
            needed if math.isfinite(needed) else None,
            f"{needed:,.0f}" if math.isfinite(needed) else "never at this rate",
            "minimum track record length (Bailey and Lopez de Prado, 2012)",
        ),
        *certainty_measures(run.excess, a_year, generator),
        *_effective(material, run, len(trades)),
        *trade_measures(trades, run.profit),
        *tail_measures(returns_on_equity(run.profit)),
        *_costs(run),
    ]
    if chance.noise is not None:
        found.insert(0, Measure("p by search on noise", chance.noise.p_value, "", _NOISE))
    if chance.deflation is not None:
        found[:0] = deflation_measures(chance.deflation, chance.source)
    if answer is not None and answer.skipped is not None:
        found.append(
            Measure(
                "Profit without every tenth trade",
                answer.skipped.median,
                f"{100 * answer.skipped.median:+.1f} % (median)",
                "a tenth of the trades left out at random, 1,000 times",
            )
        )
    return tuple(found)


_NOISE = (
    "copies of the market without pattern in which the best of the same search is at least as good "
    "/ copies (Besag and Clifford, 1991)"
)


def _effective(material: Material, run: Run, trades: int) -> list[Measure]:
    from tidewright.research.statistics.effective import effective_markets

    days = int(run.daily.trade_days[0])
    found = [
        Measure(
            "Trades, and days on which one ended",
            float(trades),
            f"{trades:,} on {days:,} days",
            "trades of one day count once where evidence is counted",
        )
    ]
    if len(material.universe) > 1:
        from tidewright.research.benchmark import universe_returns

        rows = [
            universe_returns(material.series, [one], run.daily.days) for one in material.universe
        ]
        found.append(
            Measure(
                "Independent markets",
                float(effective_markets(np.stack(rows))),
                "",
                "participation ratio of the eigenvalues of the correlation of daily returns",
            )
        )
    return found


def _costs(run: Run) -> list[Measure]:
    turnover = float(run.daily.turnover[0])
    return [
        Measure(
            "Turnover",
            turnover,
            f"{turnover:,.1f} x the money",
            "value bought and sold / initial equity",
        ),
        Measure("Fees", run.fees, f"{100 * run.fees:.1f} %", "fees paid / initial equity"),
    ]
