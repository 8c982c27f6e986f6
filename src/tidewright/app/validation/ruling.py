"""From what a validation found to evidence, hard checks and the verdict's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidewright.app.validation.chance import Chance
from tidewright.app.validation.runs import LATER, TWICE, Run
from tidewright.research.judging.evidence import (
    PASSED,
    Check,
    Evidence,
    ForwardEvidence,
    Interval,
    Outcome,
    TrialHistory,
)
from tidewright.research.judging.verdict import DEFAULT_RULE, Verdict, VerdictLevel
from tidewright.research.lookahead.check import LookaheadReport
from tidewright.research.report import values as shown
from tidewright.research.report.values import Ruling, Scenario


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found beside the result itself.

    Parameters
    ----------
    leaks : LookaheadReport
        Whether it knew its future.
    chance : Chance
        How often luck does as well.
    history : TrialHistory
        What was tried before.
    forward : ForwardEvidence or None
        What came after a freeze.
    overrides : tuple of str
        Rules that were set aside.
    survivors : bool
        Whether the universe was chosen knowing what became of it.
    refusal : str
        Why the rule must not be judged on this data; empty when it may be.
    """

    leaks: LookaheadReport
    chance: Chance
    history: TrialHistory
    forward: ForwardEvidence | None
    overrides: tuple[str, ...] = ()
    survivors: bool = False
    refusal: str = ""


def evidence_of(
    run: Run,
    outcome: shown.Outcome,
    scenarios: Sequence[Scenario],
    proof: Proof,
    freely: Interval | None,
) -> Evidence:
    """Return everything that the verdict is made from.

    Parameters
    ----------
    run, outcome, scenarios
        The result, and under other costs and delays.
    proof : Proof
        The checks.
    freely : Interval or None
        Excess without the limit that ended trading for good. A rule that has stopped itself stays
        flat, and flat days hide how fast it lost: the worse of both intervals counts.
    """
    own = interval_of(outcome)
    known = [one for one in (own, freely) if one is not None]
    return Evidence(
        p_value=proof.chance.p_value,
        p_source=proof.chance.source,
        excess=min(known, key=lambda one: one.high) if own is not None else None,
        days=len(run.profit),
        trade_days=int(run.daily.trade_days[0]),
        look_ahead=_look_ahead(proof.leaks),
        valid_data=Check(Outcome.FAILED, proof.refusal) if proof.refusal else PASSED,
        double_costs=_survives(scenarios, TWICE),
        one_bar_later=_survives(scenarios, LATER),
        forward=proof.forward,
        survivors=proof.survivors,
        history=proof.history,
        overrides=proof.overrides,
    )


def interval_of(outcome: shown.Outcome) -> Interval | None:
    """Return the interval of the annual excess; None where it is unknown."""
    if outcome.low is None or outcome.high is None or outcome.excess_year is None:
        return None
    return Interval(outcome.low, outcome.excess_year, outcome.high)


def _look_ahead(leaks: LookaheadReport) -> Check:
    if leaks.clean:
        return Check(Outcome.PASSED, f"{leaks.values:,} values compared at {leaks.times} times")
    return Check(Outcome.FAILED, str(leaks.leaks[0]))


def _survives(scenarios: Sequence[Scenario], name: str) -> Check:
    base = scenarios[0]
    one = next(scenario for scenario in scenarios if scenario.name == name)
    if base.excess_year is None or one.excess_year is None:
        return Check(Outcome.NOT_RUN)
    detail = (
        f"{100 * base.excess_year:+.1f} % beyond holding a year becomes "
        f"{100 * one.excess_year:+.1f} %"
    )
    return Check(Outcome.PASSED if one.excess_year > 0 else Outcome.FAILED, detail)


def checks_of(
    evidence: Evidence, leaks: LookaheadReport | None, tried: int
) -> tuple[shown.Check, ...]:
    """Return the hard checks as a report has them."""
    rule = DEFAULT_RULE
    enough = evidence.days >= rule.min_days and evidence.trade_days >= rule.min_trade_days
    found = [
        _shown("Decides on what was known, nothing later", evidence.look_ahead),
        _shown("Stays ahead of holding at twice the costs", evidence.double_costs),
        _shown("Stays ahead of holding one bar later", evidence.one_bar_later),
        shown.Check(
            "Enough days and trades to say anything",
            enough,
            f"{evidence.days:,} days, trades ended on {evidence.trade_days:,} of them; needed are "
            f"{rule.min_days} and {rule.min_trade_days}",
        ),
    ]
    if evidence.p_value is not None:
        words = f"p = {evidence.p_value:.3f}; at most {rule.supported_p} is needed"
        if tried > 1:
            words += f", all {tried:,} tries on this market counted"
        found.append(shown.Check("Better than luck", evidence.p_value <= rule.supported_p, words))
    if leaks is not None and leaks.scale_free is not None:
        found.append(
            shown.Check(
                "Decides the same in other units of price",
                leaks.scale_free,
                "prices x k, volume / k; else back-adjusted prices would change what it does",
            )
        )
    return tuple(found)


def _shown(name: str, check: Check) -> shown.Check:
    passed = {Outcome.PASSED: True, Outcome.FAILED: False, Outcome.NOT_RUN: None}
    return shown.Check(name, passed[check.outcome], check.detail)


def ruling_of(verdict: Verdict, *, stopped: bool = False) -> Ruling:
    """Return a verdict as a report has it; a rule that stopped itself learns nothing by waiting."""
    months = verdict.months_to_know
    if stopped and verdict.level is not VerdictLevel.LOSES:
        months = None
    return Ruling(verdict.level.label, verdict.reasons, months, verdict.may_do_now)
