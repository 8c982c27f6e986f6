"""Validation of results that cannot be run again: what is left is to count the tries honestly."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from tidewright import __version__
from tidewright.app.validation.figures import (
    deflation_measures,
    fan_of,
    losses_of,
    returns_on_equity,
)
from tidewright.app.validation.imports import Imported
from tidewright.app.validation.ruling import checks_of, interval_of, ruling_of
from tidewright.domain.errors import ConfigError
from tidewright.research.chance.montecarlo import TradeSample, monte_carlo
from tidewright.research.judging.evidence import (
    NOT_RUN,
    PASSED,
    Evidence,
    HistoryKind,
    PSource,
    TrialHistory,
)
from tidewright.research.judging.verdict import judge
from tidewright.research.metrics import CRYPTO_CALENDAR, STOCK_CALENDAR
from tidewright.research.report.doubts import Suspect, suspicious
from tidewright.research.report.parts import baseline_of, curve_of, months_of, outcome_of
from tidewright.research.report.values import (
    Baseline,
    Deflation,
    Finding,
    Measure,
    Outcome,
    Report,
    Subject,
)
from tidewright.research.results import Float64

FEWEST_DAYS = 20
"""Days of results under which nothing can be said."""


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """The chosen row, and what its being chosen costs."""

    place: int
    deflation: Deflation
    sharpe: float
    source: PSource


def validate_imported(
    imported: Imported, tries: int | None, *, seed: int = 0, everything: bool = False
) -> Report:
    """Examine results of another tool.

    Parameters
    ----------
    imported : Imported
        The results; with several rows the best one is examined, and all count as tries.
    tries : int or None
        Configurations that were tried, by the user's word; None when nobody knows.
    seed : int
        Of every draw.
    everything : bool
        Whether to ask more of Monte Carlo.

    Raises
    ------
    ConfigError
        If there are under 20 days, or fewer tries are declared than the file holds.
    """
    rows, days = imported.profit.shape
    if days < FEWEST_DAYS:
        raise ConfigError(
            f"{imported.name}: there were {days} days; expected at least {FEWEST_DAYS}"
        )
    if tries is not None and tries < rows:
        raise ConfigError(f"--tries was {tries}; expected at least {rows}, which the file holds")
    kind = HistoryKind.UNKNOWN if tries is None else HistoryKind.DECLARED
    history = TrialHistory(kind, max(tries or 1, rows))
    a_year = (CRYPTO_CALENDAR if imported.every_day else STOCK_CALENDAR).days_per_year
    counted = _count(imported.profit, history.tries, a_year, seed)
    profit = imported.profit[counted.place]
    outcome = outcome_of(profit, None, None, a_year)
    evidence = _evidence(imported, profit, outcome, counted, history)
    trades = imported.trades
    sample = None
    if trades is not None:
        earned = np.array(trades.profit)
        sample = TradeSample(earned, np.zeros(len(earned)))
    answer = monte_carlo(
        returns_on_equity(profit), a_year, sample, seed=seed, everything=everything
    )
    curve = curve_of(imported.days, profit)
    return Report(
        subject=_subject(imported, counted, tries, a_year),
        ruling=ruling_of(judge(evidence)),
        outcome=outcome,
        noise=None,
        deflation=counted.deflation,
        losses=losses_of(answer, None),
        checks=checks_of(evidence, None, history.tries),
        curve=curve,
        months=months_of(imported.days, profit),
        trades=trades,
        baselines=(
            baseline_of("This strategy", profit, a_year),
            Baseline("Cash", 0.0, None, 0.0, "no interest"),
        ),
        scenarios=(),
        measures=_measures(profit, counted, a_year),
        data=None,
        findings=_findings(imported, outcome, profit, a_year, tries),
        fan=fan_of(answer),
    )


def _count(rows: Float64, tries: int, a_year: int, seed: int) -> _Counted:
    """Return the best row and how good the best of as many tries is without skill."""
    from tidewright.research.chance.luck import luck_of_candidate
    from tidewright.research.statistics.sharpe_inference import annual, sharpe_moments

    place = int(np.argmax(sharpe_moments(rows).sharpe))
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 7])))
    others = np.delete(rows, place, axis=0)
    luck = luck_of_candidate(rows[place], tries, generator, tried=others)
    threshold = float(annual(luck.deflated.threshold, a_year))
    deflation = Deflation(luck.tries, luck.trials, threshold, luck.p_value)
    return _Counted(place, deflation, float(annual(luck.deflated.sharpe, a_year)), luck.source)


def _evidence(
    imported: Imported,
    profit: Float64,
    outcome: Outcome,
    counted: _Counted,
    history: TrialHistory,
) -> Evidence:
    """Return what is known; against no market only a plain loss can be told from the excess."""
    interval = interval_of(outcome)
    trades = imported.trades
    active = int((profit != 0).sum()) if trades is None else min(trades.days, len(profit))
    return Evidence(
        p_value=counted.deflation.p_value,
        p_source=counted.source,
        excess=interval if interval is not None and interval.high < 0 else None,
        days=len(profit),
        trade_days=active,
        look_ahead=NOT_RUN,
        valid_data=PASSED,
        double_costs=NOT_RUN,
        one_bar_later=NOT_RUN,
        history=history,
    )


def _subject(imported: Imported, counted: _Counted, tries: int | None, a_year: int) -> Subject:
    rows = len(imported.profit)
    chosen = f" The best of {rows} rows is {imported.names[counted.place]}." if rows > 1 else ""
    notes = "; ".join(imported.notes)
    digest = blake2b(imported.profit.tobytes(), digest_size=8).hexdigest()
    return Subject(
        name=imported.name,
        kind=imported.kind,
        description=f"Daily results read from a file ({notes or 'as they are'}).{chosen}",
        instruments=(),
        timeframe="",
        first_day=int(imported.days[0]),
        last_day=int(imported.days[-1]),
        closed_from=None,
        configurations=rows,
        tries=tries,
        every_day=imported.every_day,
        days_per_year=a_year,
        currency=imported.currency,
        initial=imported.initial,
        made_by=f"Tidewright {__version__}, results {digest}",
    )


def _measures(profit: Float64, counted: _Counted, a_year: int) -> tuple[Measure, ...]:
    from tidewright.research.report.measures import tail_measures
    from tidewright.research.statistics.inference import estimate_mean

    known = estimate_mean(profit)
    return (
        *deflation_measures(counted.deflation, counted.source),
        Measure(
            "Sharpe ratio, annual",
            counted.sharpe,
            "",
            "mean / standard deviation of daily returns x sqrt(days a year), flat days included",
        ),
        Measure(
            "t-statistic",
            float(known.t),
            "",
            "mean daily return / its Newey-West standard error",
        ),
        *tail_measures(returns_on_equity(profit)),
    )


def _findings(
    imported: Imported, outcome: Outcome, profit: Float64, a_year: int, tries: int | None
) -> tuple[Finding, ...]:
    from tidewright.research.statistics.suspicion import suspicions

    suspect = Suspect(
        outcome=outcome,
        trades=imported.trades,
        scenarios=(),
        sweep=None,
        data=None,
        fees=None,
        traded_days=len(profit),
        days=len(profit),
        tries=tries,
    )
    found = suspicions(profit, days_per_year=a_year)
    own = [
        Finding(
            5,
            "Neither costs, delays nor looks at the future can be examined here: the file holds "
            "results, not the rule.",
        )
    ]
    return (*suspicious(suspect), *(Finding(6, one.text) for one in found), *own)
