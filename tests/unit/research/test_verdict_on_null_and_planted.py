"""Evidence, forecast and verdict together on worlds whose truth is known."""

from collections import Counter
from dataclasses import replace
from functools import cache
from statistics import NormalDist

import numpy as np

from tidewright.research.judging.evidence import (
    PASSED,
    Evidence,
    ForwardEvidence,
    Interval,
    PSource,
)
from tidewright.research.judging.freeze import forecast, percentile_of
from tidewright.research.judging.trials import corrected_for_tries
from tidewright.research.judging.verdict import VerdictLevel, VerdictRule, judge
from tidewright.research.statistics.inference import confidence_interval, t_statistic

DAYS, AFTER, RULES = 500, 100, 20
STRICT = VerdictRule(supported_p=0.01)


@cache
def evidence_of(seed: int, sharpe: float) -> Evidence:
    """Return the evidence on the best of 20 rules, one of which has a true annual Sharpe ratio."""
    noise = np.random.default_rng(seed).standard_t(5, (RULES, DAYS + AFTER)) * 0.01
    noise[0] += sharpe / np.sqrt(365) * noise.std()
    past, later = noise[:, :DAYS], noise[:, DAYS:]
    scores = t_statistic(past)
    best = int(np.argmax(scores))
    low, high = (365 * float(np.ravel(one)[0]) for one in confidence_interval(past[best]))
    luck = 1.0 - NormalDist().cdf(float(scores[best]))
    return Evidence(
        p_value=corrected_for_tries(luck, 1, RULES),
        p_source=PSource.MAX_STATISTIC,
        excess=Interval(low, 365 * float(past[best].mean()), high),
        days=DAYS,
        trade_days=DAYS // 2,
        look_ahead=PASSED,
        valid_data=PASSED,
        double_costs=PASSED,
        one_bar_later=PASSED,
        forward=ForwardEvidence(
            AFTER, percentile_of(forecast(past[best], AFTER), float(later[best].sum()))
        ),
    )


def levels(seeds: int, sharpe: float, rule: VerdictRule) -> Counter[VerdictLevel]:
    return Counter(judge(evidence_of(seed, sharpe), rule).level for seed in range(seeds))


def test_random_rules_are_not_supported():
    found = levels(40, 0.0, STRICT)
    assert found[VerdictLevel.SUPPORTED] <= 3
    assert found[VerdictLevel.CANNOT_TELL_YET] >= 26


def test_random_rules_reach_supported_no_oftener_than_the_border_says():
    # Binomial(40, 0.05): 99.5 % of the mass lies at or below 6.
    assert levels(40, 0.0, VerdictRule())[VerdictLevel.SUPPORTED] <= 6


def test_without_counting_tries_luck_would_pass_for_skill():
    naive = [
        corrected_for_tries(evidence_of(seed, 0.0).p_value, RULES, RULES) for seed in range(40)
    ]
    single = [1.0 - (1.0 - p) ** (1.0 / RULES) for p in naive]
    assert np.mean(np.array(single) <= 0.05) > 0.5


def test_true_edge_is_supported():
    assert levels(40, 4.0, VerdictRule())[VerdictLevel.SUPPORTED] >= 24


def test_losing_rule_is_said_to_lose():
    noise = np.random.default_rng(0).normal(-0.002, 0.01, DAYS)
    low, high = (365 * float(np.ravel(one)[0]) for one in confidence_interval(noise))
    interval = Interval(low, 365 * float(noise.mean()), high)
    assert judge(replace(evidence_of(0, 0.0), excess=interval)).level is VerdictLevel.LOSES
