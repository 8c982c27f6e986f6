"""What the registry adds to a validation: earlier tries, a look at closed data, a kept verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from tidewright.app.bulk import bulk_request
from tidewright.app.freeze import frozen_parts
from tidewright.app.holdout import open_closed_part
from tidewright.app.promotion import keep_verdict
from tidewright.app.trials import open_trials, record_trials
from tidewright.app.validation.material import Material, symbols_of
from tidewright.app.validation.runs import run_rule
from tidewright.app.validation.search import Searched
from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.events import TradingWindow
from tidewright.research.judging.evidence import Evidence, HistoryKind, TrialHistory
from tidewright.research.judging.freeze import (
    SHORTEST_HISTORY,
    digest_of,
    forecast,
    percentile_of,
)
from tidewright.research.judging.verdict import Verdict
from tidewright.research.promotion.records import record_walk_forward
from tidewright.research.report.values import Measure


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a person says of tries that the registry did not see.

    Parameters
    ----------
    tries : int
        How many there were.
    unknown : bool
        Whether nobody knows how many.
    """

    tries: int = 0
    unknown: bool = False


NOWHERE_ELSE = Elsewhere()
"""Everything was tried here."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Everything that was tried on this market.

    Parameters
    ----------
    history : TrialHistory
        How many configurations, and who says so.
    independent : float
        Independent tries that they act like.
    """

    history: TrialHistory
    independent: float


def tries_of(
    material: Material,
    command: str = "validate",
    own: float = 0.0,
    elsewhere: Elsewhere = NOWHERE_ELSE,
) -> Tried:
    """Write what is examined down among the tries, and return how many there were.

    Parameters
    ----------
    material : Material
        What is examined.
    command : str
        What examines it.
    own : float
        Independent tries that its settings act like; 0 where that is not known.
    elsewhere : Elsewhere
        Tries that the registry did not see.
    """
    window = material.base.window
    scored = replace(material.scored(command), effective=own)
    count = record_trials(scored, material.series, span=(window.start, window.end))
    least = material.configurations
    if count is None:
        return Tried(TrialHistory(HistoryKind.UNKNOWN, least), own or least)
    tries = max(count.on_data, least) + elsewhere.tries
    kind = HistoryKind.DECLARED if elsewhere.tries else HistoryKind.RECORDED
    if elsewhere.unknown:
        kind = HistoryKind.UNKNOWN
    return Tried(TrialHistory(kind, tries), count.independent + elsewhere.tries)


def look_at_closed_part(material: Material, found: Searched) -> tuple[Measure, str]:
    """Open the closed part on the record, and hold the choice against what the open part promised.

    Returns
    -------
    Measure and str
        The result, and why this was no first look; empty for one.

    Raises
    ------
    ConfigError
        If the data has no closed part, or the registry cannot be written.
    """
    if material.closed_day is None:
        raise ConfigError("the data is too short to have a closed part; there is nothing to open")
    strategies = material.strategies
    opening = open_closed_part(material.whole.series, strategies)
    window = TradingWindow(opening.begins + 1, 0)
    base = bulk_request(material.whole, strategies, material.settings, window)
    whole = replace(material, feed=material.whole, base=base)
    run = run_rule(whole, whole.request(found.place))
    days, profit = len(run.profit), float(run.profit.sum())
    words = f"{100 * profit:+.1f} % in {days} days"
    seen = found.real.profit
    if len(seen) >= SHORTEST_HISTORY and days:
        place = percentile_of(forecast(seen, days), profit)
        words += f", better than {100 * place:.0f} % of what the open part led to expect"
    name = "Closed part, first look" if not opening.override else "Closed part, not the first look"
    formula = "net profit over the last fifth of the data; forecast: blocks of the open days"
    return Measure(name, profit, words, formula), opening.override


def keep(material: Material, found: Searched, evidence: Evidence, verdict: Verdict) -> None:
    """Write the verdict on a rule down, and how its walk-forward went, for promotion to read.

    What is promoted is one strategy: a verdict on several is nobody's.
    """
    if len(material.strategies) > 1:
        return
    try:
        if not material.points:
            keep_verdict(material.strategy, material.whole, material.settings, evidence, verdict)
        elif found.folds:
            _keep_walk_forward(material, found)
    except (ConfigError, Transient, DataIntegrityError):
        # That the registry cannot be written was told when the tries were counted.
        return


def _keep_walk_forward(material: Material, found: Searched) -> None:
    symbols = symbols_of(material.whole.instruments)
    timeframe = material.whole.timeframe
    digest = digest_of(frozen_parts(material.strategy, material.settings, symbols, timeframe))
    won = 100.0 * sum(fold.after > 0 for fold in found.folds) / len(found.folds)
    name = material.strategy.setup.strategy.name
    with open_trials() as store:
        record_walk_forward(store, name, digest, won, len(found.folds), time.time_ns())
