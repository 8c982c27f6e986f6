import re
from dataclasses import replace
from pathlib import Path

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.research.judging.evidence import (
    NOT_RUN,
    PASSED,
    Check,
    Evidence,
    ForwardEvidence,
    HistoryKind,
    Interval,
    Outcome,
    PSource,
    TrialHistory,
)
from tidewright.research.judging.verdict import VerdictLevel, VerdictRule, judge, months_to_know

FAILED = Check(Outcome.FAILED, "at bar 17.")
GOOD = Evidence(
    p_value=0.01,
    p_source=PSource.SEARCH_ON_NOISE,
    excess=Interval(0.02, 0.16, 0.30),
    days=900,
    trade_days=200,
    look_ahead=PASSED,
    valid_data=PASSED,
    double_costs=PASSED,
    one_bar_later=PASSED,
    forward=ForwardEvidence(60, 0.5),
)
PAGE = Path(__file__).parents[4] / "docs/concepts/verdicts.md"
CHECKS = {
    "": {},
    "costs x2": {"double_costs": FAILED},
    "+1 bar not run": {"one_bar_later": NOT_RUN},
    "history unknown": {"history": TrialHistory(HistoryKind.UNKNOWN)},
    "look-ahead": {"look_ahead": FAILED},
    "data": {"valid_data": FAILED},
}


def examples() -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8").partition("## Examples")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [row for row in rows if len(row) == 8 and re.match(r"none|\d", row[0])]


def evidence_of(row: list[str]) -> Evidence:
    low, high = (float(part) / 100 for part in row[1].split(" to "))
    forward = re.match(r"(\d+) days, ([\d.]+)", row[5])
    return replace(
        GOOD,
        p_value=None if row[0] == "none" else float(row[0]),
        excess=Interval(low, (low + high) / 2, high),
        days=int(row[2]),
        trade_days=int(row[3]),
        forward=ForwardEvidence(int(forward[1]), float(forward[2])) if forward else None,
        **CHECKS[row[4]],
    )


@pytest.mark.parametrize("row", examples(), ids=lambda row: " ".join(row))
def test_example_of_the_page_is_what_comes_out(row):
    verdict = judge(evidence_of(row))
    assert verdict.level.label == row[6]
    if row[7] == "never":
        assert verdict.months_to_know is None
    else:
        assert verdict.months_to_know is not None
        assert -(-verdict.months_to_know // 1) == int(row[7])


def test_page_has_examples_of_every_verdict():
    assert {row[6] for row in examples()} == {level.label for level in VerdictLevel}


def test_months_follow_the_square_root_of_time():
    # z = 1 (p 0.1587) has to become 1.645: 1.645 ** 2 = 2.7055 times the days.
    one_sigma = replace(GOOD, p_value=0.158655254, days=1000, forward=None)
    months = months_to_know(one_sigma, VerdictLevel.PROMISING)
    assert months == pytest.approx(1705.5 / 30.4375, rel=1e-4)


def test_each_reason_that_holds_a_verdict_back_is_told():
    poor = replace(GOOD, p_value=0.3, days=80, trade_days=10, forward=None)
    verdict = judge(poor)
    assert verdict.level is VerdictLevel.CANNOT_TELL_YET
    assert "80 days" in verdict.reasons[0]
    assert "10 different" in verdict.reasons[1]
    assert "30.0 % of patternless copies" in verdict.reasons[2]


def test_overrides_survivors_and_declared_tries_are_shown_but_decide_nothing():
    loud = replace(
        GOOD,
        survivors=True,
        overrides=("closed data was opened twice",),
        history=TrialHistory(HistoryKind.DECLARED, 40),
    )
    assert judge(loud).level is judge(GOOD).level is VerdictLevel.SUPPORTED
    told = " ".join(judge(loud).reasons)
    assert "opened twice" in told
    assert "still exists today" in told
    assert "(40)" in told


def test_stricter_borders_hold_back():
    assert judge(GOOD, VerdictRule(supported_p=0.009)).level is VerdictLevel.PROMISING
    assert judge(GOOD, VerdictRule(supported_p=0.01)).level is VerdictLevel.SUPPORTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"p_value": 1.1},
        {"p_value": float("nan")},
        {"days": -1, "trade_days": -1},
        {"days": 3, "trade_days": 4},
    ],
)
def test_evidence_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError):
        replace(GOOD, **wrong)


def test_values_out_of_range_are_refused():
    for make in (
        lambda: Interval(0.1, 0.0, 0.2),
        lambda: Interval(float("nan"), 0.0, 0.2),
        lambda: ForwardEvidence(3, 1.5),
        lambda: TrialHistory(HistoryKind.RECORDED, 0),
        lambda: VerdictRule(supported_p=0.3),
        lambda: VerdictRule(forecast_tail=0.5),
    ):
        with pytest.raises(ConfigError):
            make()


def test_verdict_as_json_uses_the_words_that_people_read():
    told = judge(replace(GOOD, p_value=0.5)).to_dict()
    assert told["verdict"] == "CANNOT TELL YET"
    assert set(told) == {"verdict", "reasons", "months_to_know", "time_to_know", "may_do_now"}
