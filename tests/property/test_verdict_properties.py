"""The verdict over a whole grid of evidence: total, monotone, and right at every border."""

import itertools
from dataclasses import replace
from functools import cache

import pytest

from tidewright.research.judging.evidence import (
    Check,
    Evidence,
    ForwardEvidence,
    HistoryKind,
    Interval,
    Outcome,
    PSource,
    TrialHistory,
)
from tidewright.research.judging.verdict import VerdictLevel, judge

P_VALUES = (0.0, 0.05, 0.0500001, 0.2, 0.2000001, 0.5, 1.0, None)
EXCESSES = (None, (-0.3, -0.2, -1e-9), (-0.3, -0.2, 0.0), (0.1, 0.2, 0.3))
SAMPLES = ((0, 0), (89, 30), (90, 29), (90, 30), (900, 300))
FORWARD = (None, (29, 0.0), (29, 0.5), (30, 0.0499), (30, 0.05), (30, 0.95), (30, 0.9501))
OUTCOMES = (Outcome.PASSED, Outcome.NOT_RUN, Outcome.FAILED)
CHECK_NAMES = ("look_ahead", "valid_data", "double_costs", "one_bar_later")
BASE = Evidence(
    p_value=0.01,
    p_source=PSource.DEFLATED_SHARPE,
    excess=None,
    days=900,
    trade_days=300,
    look_ahead=Check(Outcome.PASSED),
    valid_data=Check(Outcome.PASSED),
    double_costs=Check(Outcome.PASSED),
    one_bar_later=Check(Outcome.PASSED),
)


@cache
def level(p, excess, sample, forward, outcomes, history) -> VerdictLevel:
    checks = {name: Check(outcome) for name, outcome in zip(CHECK_NAMES, outcomes, strict=True)}
    verdict = judge(
        replace(
            BASE,
            p_value=p,
            excess=None if excess is None else Interval(*excess),
            days=sample[0],
            trade_days=sample[1],
            forward=None if forward is None else ForwardEvidence(*forward),
            history=TrialHistory(history),
            **checks,
        )
    )
    assert verdict.reasons
    assert all(verdict.reasons)
    assert verdict.time_to_know
    assert verdict.may_do_now
    assert verdict.months_to_know is None or verdict.months_to_know >= 0.0
    return verdict.level


def some_outcomes():
    """Return all outcomes of one check with the others passed, and some mixtures."""
    passed = (Outcome.PASSED,) * 4
    yield passed
    for place, outcome in itertools.product(range(4), OUTCOMES[1:]):
        yield (*passed[:place], outcome, *passed[place + 1 :])
    yield (Outcome.NOT_RUN,) * 4
    yield (Outcome.FAILED,) * 4


CASES = list(
    itertools.product(
        P_VALUES,
        EXCESSES,
        SAMPLES,
        FORWARD,
        some_outcomes(),
        (HistoryKind.RECORDED, HistoryKind.DECLARED, HistoryKind.UNKNOWN),
    )
)


def by_definition(p, excess, sample, forward, outcomes, history) -> VerdictLevel:
    """Return the verdict, written as five conditions apart from each other."""
    days, trade_days = sample
    counted = forward if forward is not None and forward[0] >= 30 else None
    small = days < 90 or trade_days < 30
    below = counted is not None and counted[1] < 0.05
    inside = counted is not None and 0.05 <= counted[1] <= 0.95
    if Outcome.FAILED in outcomes[:2]:
        return VerdictLevel.BROKEN
    if excess is not None and excess[2] < 0.0:
        return VerdictLevel.LOSES
    if small or p is None or p > 0.2 or below:
        return VerdictLevel.CANNOT_TELL_YET
    sound = set(outcomes) == {Outcome.PASSED} and excess is not None
    if p <= 0.05 and inside and sound and history is not HistoryKind.UNKNOWN:
        return VerdictLevel.SUPPORTED
    return VerdictLevel.PROMISING


def test_every_evidence_of_the_grid_has_the_verdict_of_the_definition():
    seen = set()
    for case in CASES:
        assert level(*case) is by_definition(*case), case
        seen.add(level(*case))
    assert seen == set(VerdictLevel)


def test_smaller_p_never_worsens():
    ordered = [p for p in P_VALUES if p is not None]
    for _, *rest in CASES[: len(CASES) // len(P_VALUES)]:
        levels = [level(p, *rest) for p in ordered]
        assert levels == sorted(levels, reverse=True), rest


@pytest.mark.parametrize("place", range(4), ids=CHECK_NAMES)
def test_worse_outcome_of_a_check_never_improves(place):
    for p, excess, sample, forward, outcomes, history in CASES:
        levels = [
            level(
                p,
                excess,
                sample,
                forward,
                (*outcomes[:place], outcome, *outcomes[place + 1 :]),
                history,
            )
            for outcome in OUTCOMES
        ]
        assert levels == sorted(levels, reverse=True)


def test_smaller_sample_never_improves():
    for p, excess, _, forward, outcomes, history in CASES:
        full = level(p, excess, (90, 30), forward, outcomes, history)
        for short in ((89, 30), (90, 29), (0, 0)):
            assert level(p, excess, short, forward, outcomes, history) <= full


def test_unknown_history_and_missing_forward_days_never_improve():
    for p, excess, sample, forward, outcomes, history in CASES:
        unknown = level(p, excess, sample, forward, outcomes, HistoryKind.UNKNOWN)
        assert unknown <= level(p, excess, sample, forward, outcomes, history)
        inside = level(p, excess, sample, (30, 0.5), outcomes, history)
        assert level(p, excess, sample, forward, outcomes, history) <= inside
