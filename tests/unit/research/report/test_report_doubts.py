from dataclasses import replace

import pytest

from fakes.reports import full_report
from tidewright.research.report.doubts import Suspect, suspicious
from tidewright.research.report.values import Scenario

FULL = full_report()
PLAIN = Suspect(
    outcome=FULL.outcome,
    trades=FULL.trades,
    scenarios=(Scenario("as it is", 0.17, 0.1, 9), Scenario("costs x2", 0.16, 0.1, 9)),
    sweep=FULL.sweep,
    data=replace(FULL.data, survivors=False),
    fees=0.01,
    traded_days=436,
    days=436,
    tries=3,
)


def test_ordinary_result_raises_no_question():
    assert suspicious(PLAIN) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": replace(FULL.outcome, stopped_day=19_000), "traded_days": 8}, "8 of 436 days"),
        (
            {"scenarios": (PLAIN.scenarios[0], Scenario("costs x2", -0.1, -0.1, 9))},
            "With costs x2 the profit is gone (-10.0 %)",
        ),
        (
            {"scenarios": (PLAIN.scenarios[0], Scenario("one bar later", 0.05, 0.1, 9))},
            "less than half of the profit",
        ),
        ({"trades": replace(FULL.trades, days=29)}, "29 different days"),
        ({"outcome": replace(FULL.outcome, net=-0.2), "fees": 0.1}, "pays 10.0 % in fees"),
        ({"sweep": replace(FULL.sweep, neighbours=0.2)}, "a needle"),
        ({"data": FULL.data}, "still exist"),
        ({"tries": None}, "is unknown"),
        ({"tries": 1_234}, "1,234 configurations"),
    ],
)
def test_each_question_finds_what_it_asks_for(change, words):
    found = suspicious(replace(PLAIN, **change))
    assert len(found) == 1
    assert words in found[0].text


def test_weightiest_comes_first():
    found = suspicious(replace(PLAIN, tries=None, data=FULL.data))
    assert [one.weight for one in found] == sorted((one.weight for one in found), reverse=True)
    assert len(found) == 2
