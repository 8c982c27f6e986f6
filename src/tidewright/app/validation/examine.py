"""Validation of a rule or a search over stored bars: every step, and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tidewright import __version__
from tidewright.app.freeze import forward_of_strategy
from tidewright.app.lookahead import Sample, check_strategy
from tidewright.app.validation.chance import NOISE_MINUTES, Copies, chance_of
from tidewright.app.validation.figures import (
    ask_luck,
    baselines,
    fan_of,
    losses_of,
    measures,
)
from tidewright.app.validation.material import (
    SURROGATES,
    MarketOptions,
    Material,
    Watch,
    load_material,
    symbols_of,
    unwatched,
)
from tidewright.app.validation.registry import (
    NOWHERE_ELSE,
    Elsewhere,
    keep,
    look_at_closed_part,
    tries_of,
)
from tidewright.app.validation.ruling import (
    Proof,
    checks_of,
    evidence_of,
    interval_of,
    ruling_of,
)
from tidewright.app.validation.runs import Run, run_rule, scenarios, unlimited
from tidewright.app.validation.search import Searched, search
from tidewright.domain.errors import ConfigError
from tidewright.domain.money import to_decimal
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import iso, timeframe_nanoseconds
from tidewright.research.judging.evidence import ForwardEvidence, HistoryKind, Interval
from tidewright.research.judging.trials import identify
from tidewright.research.judging.verdict import judge
from tidewright.research.lookahead.check import LookaheadReport, joined_reports
from tidewright.research.report.doubts import Suspect, suspicious
from tidewright.research.report.parts import (
    curve_of,
    months_of,
    outcome_of,
    trades_of,
)
from tidewright.research.report.values import (
    DataStamp,
    Finding,
    Outcome,
    Report,
    Ruling,
    Subject,
)
from tidewright.research.results import Executor
from tidewright.research.statistics.tail import gap_check

_FEWEST_DAYS = 12
_LOOKAHEAD_ROWS = 6_000
_LOOKAHEAD_TIMES = 60


@dataclass(frozen=True, slots=True)
class ValidateOptions:
    """What a person asked of a validation.

    Parameters
    ----------
    market : MarketOptions
        Strategy, data, grid.
    surrogates : int
        Patternless copies of the market, at most.
    seed : int
        Of every draw.
    everything : bool
        Whether to ask more of Monte Carlo.
    elsewhere : Elsewhere
        Tries that were not made here.
    open_holdout : bool
        Whether to look at the closed part, on the record.
    minutes : float
        How long the copies may take where every bar is a step of the engine.
    processes : int
        Processes of the executor.
    """

    market: MarketOptions
    surrogates: int = SURROGATES
    seed: int = 0
    everything: bool = False
    elsewhere: Elsewhere = NOWHERE_ELSE
    open_holdout: bool = False
    minutes: float = NOISE_MINUTES
    processes: int = 1

    @property
    def copies(self) -> Copies:
        """What may be spent on patternless copies."""
        return Copies(self.surrogates, self.minutes, self.processes, self.seed)


def validate(
    options: ValidateOptions, *, executor: Executor | None = None, watch: Watch = unwatched
) -> Report:
    """Examine a strategy, or everything that a grid holds, over the open part of the data.

    Parameters
    ----------
    options : ValidateOptions
        What to examine.
    executor : Executor or None
        Where patternless copies are searched; None is this process.
    watch : callable
        Told how far it got.

    Raises
    ------
    ConfigError
        If something cannot be used, or there are too few days.
    """
    material = load_material(options.market, watch)
    found = search(material, watch)
    if len(found.real.profit) < _FEWEST_DAYS:
        raise ConfigError(
            f"{material.feed.description}: {len(found.real.profit)} days in the open part; "
            f"expected at least {_FEWEST_DAYS}"
        )
    leaks = look_ahead(material, options.seed, watch)
    tried = tries_of(material, own=found.independent, elsewhere=options.elsewhere)
    chance = chance_of(material, found, tried, options.copies, executor, watch)
    watch("Other costs, slower hands", 0, 1)
    said = material.whole.declaration
    overrides: tuple[str, ...] = ()
    if options.open_holdout:
        seen, why = look_at_closed_part(material, found)
        found = replace(found, measures=(seen, *found.measures))
        overrides = (why,) if why else ()
    proof = Proof(
        leaks,
        chance,
        tried.history,
        _since_freeze(material),
        overrides,
        said.survivors(material.feed.first_known),
        leaks.refusal(said),
    )
    return _report(material, options, found, proof)


def _since_freeze(material: Material) -> ForwardEvidence | None:
    """Return what a frozen strategy earned since; a search and a pair are not what was frozen."""
    if material.points or len(material.strategies) > 1:
        return None
    forward = forward_of_strategy(material.strategy, material.whole, material.settings)
    return forward.evidence if forward else None


def quick_report(options: ValidateOptions) -> Report:
    """Return the result of a rule without judging it, for a comparison; it counts as a try."""
    material = load_material(options.market)
    real = run_rule(material, material.request())
    history = tries_of(material, "compare").history
    tries = None if history.kind is HistoryKind.UNKNOWN else history.tries
    a_year = material.calendar.days_per_year
    return Report(
        subject=_subject(material, real, tries),
        ruling=Ruling("", (), None, ()),
        outcome=outcome_of(real.profit, real.universe, real.exposure, a_year, real.stopped_day),
        noise=None,
        deflation=None,
        losses=None,
        checks=(),
        curve=curve_of(real.daily.days, real.profit, real.universe, real.exposure),
        months=months_of(real.daily.days, real.profit),
        trades=None,
        baselines=(),
        scenarios=(),
        measures=(),
        data=stamp_of(material),
        findings=(),
    )


def look_ahead(material: Material, seed: int, watch: Watch) -> LookaheadReport:
    """Check over the newest open bars that no decision of any strategy knew its future."""
    stage = "Looking for looks at the future"
    sample = Sample(_LOOKAHEAD_ROWS, _LOOKAHEAD_TIMES, seed)
    return joined_reports(
        [
            check_strategy(
                one,
                material.feed,
                material.settings,
                sample,
                progress=lambda done, total: watch(stage, done, total),
            )
            for one in material.strategies
        ]
    )


def _report(
    material: Material,
    options: ValidateOptions,
    found: Searched,
    proof: Proof,
) -> Report:
    """Put the parts together."""
    real = found.real
    answer, entries = ask_luck(material, real, seed=options.seed, everything=options.everything)
    a_year = material.calendar.days_per_year
    free = None if real.stopped_day is None else run_rule(material, unlimited(real.request))
    others = scenarios(material, real, free)
    outcome = outcome_of(
        real.profit,
        real.universe,
        real.exposure,
        a_year,
        real.stopped_day,
        None if free is None else float(free.profit.sum()),
    )
    evidence = evidence_of(real, outcome, others, proof, _freely(free, a_year))
    verdict = judge(evidence)
    keep(material, found, evidence, verdict)
    gap = gap_check(np.array([real.largest_exposure()]), limit=1.0).loss
    closed_trades = real.trades()
    trades = trades_of(closed_trades, material.series, real.daily.initial)
    history = proof.history
    tries = None if history.kind is HistoryKind.UNKNOWN else history.tries
    suspect = Suspect(
        outcome=outcome,
        trades=trades,
        scenarios=others,
        sweep=found.sweep,
        data=(data := stamp_of(material)),
        fees=real.fees,
        traded_days=_traded_days(real, outcome),
        days=len(real.profit),
        tries=tries,
    )
    return Report(
        subject=_subject(material, real, tries),
        ruling=ruling_of(verdict, stopped=free is not None),
        outcome=outcome,
        noise=proof.chance.noise,
        deflation=proof.chance.deflation,
        losses=losses_of(answer, gap),
        checks=checks_of(evidence, proof.leaks, history.tries),
        curve=curve_of(real.daily.days, real.profit, real.universe, real.exposure),
        months=months_of(real.daily.days, real.profit),
        trades=trades if trades.profit else None,
        baselines=baselines(material, real, entries),
        scenarios=others,
        measures=(*measures(material, real, proof.chance, answer), *found.measures),
        data=data,
        findings=(*suspicious(suspect), *doubts(material, real, closed_trades)),
        sweep=found.sweep,
        folds=found.folds,
        fan=fan_of(answer),
    )


def _freely(free: Run | None, a_year: int) -> Interval | None:
    """Return the excess of the rule without the limit that stopped it; None where none did."""
    if free is None:
        return None
    return interval_of(outcome_of(free.profit, free.universe, free.exposure, a_year))


def doubts(material: Material, real: Run, trades: Sequence[Trade]) -> tuple[Finding, ...]:
    """Return what days and trades themselves show that a careful reader would ask about."""
    from tidewright.research.statistics.suspicion import suspicions

    found = suspicions(
        real.profit,
        trades,
        days_per_year=material.calendar.days_per_year,
        market=real.universe,
        bar_length=timeframe_nanoseconds(material.feed.timeframe),
    )
    return tuple(Finding(6, one.text) for one in found)


def _traded_days(real: Run, outcome: Outcome) -> int:
    if outcome.stopped_day is None:
        return len(real.profit)
    return int((real.daily.days <= outcome.stopped_day).sum())


def _subject(material: Material, real: Run, tries: int | None) -> Subject:
    names = symbols_of(material.universe)
    where = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    days = real.daily.days
    return Subject(
        name=material.label,
        kind="search" if material.points else "rule",
        description=f"{material.name} over {where}, {material.timeframe} bars.",
        instruments=names,
        timeframe=material.timeframe,
        first_day=int(days[0]),
        last_day=int(days[-1]),
        closed_from=material.closed_day,
        configurations=material.configurations,
        tries=tries,
        every_day=material.calendar.every_day,
        days_per_year=material.calendar.days_per_year,
        currency=material.settings.account.currency,
        initial=float(to_decimal(real.daily.initial)),
        made_by=f"Tidewright {__version__}, build {material.base.config.fingerprint[:16]}",
        bar_by_bar=real.refusal,
    )


def stamp_of(material: Material) -> DataStamp:
    """Return where the data came from, and what was declared about it."""
    said = material.whole.declaration
    universe = "each bar" if said.point_in_time else _day(said.universe_as_of)
    return DataStamp(
        source=str(material.options.data),
        fingerprint=identify(material.series).fingerprint,
        adjustment=said.adjustment.value.replace("_", " and "),
        adjusted_as_of=_day(said.adjusted_as_of),
        universe_as_of=universe,
        survivors=said.survivors(material.feed.first_known),
        notes=material.notes,
    )


def _day(ts: int) -> str:
    return iso(ts)[:10] if ts else ""
