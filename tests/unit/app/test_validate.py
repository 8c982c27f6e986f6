from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes.hourly_market import CHEAP, hourly_file, rule_file
from tidewright.app.report_files import read_report, write_report
from tidewright.app.report_page.page import report_page
from tidewright.app.trials import open_trials
from tidewright.app.validation.compare import compare
from tidewright.app.validation.examine import ValidateOptions, quick_report, validate
from tidewright.app.validation.material import MarketOptions, load_material
from tidewright.app.validation.runs import dearer, later, run_rule, unlimited
from tidewright.app.validation.search import walk_forward
from tidewright.domain.errors import ConfigError


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "trials.sqlite3"))


def options(folder: Path, *, reverts: float = 0.0, **changes) -> MarketOptions:
    found = MarketOptions(
        str(rule_file(folder)), hourly_file(folder, reverts=reverts), overrides=CHEAP
    )
    return replace(found, **changes)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A report on a rule that has something to find, and how far it said it got."""
    folder = tmp_path_factory.mktemp("planted")
    stages: dict[str, tuple[int, int]] = {}
    patch = pytest.MonkeyPatch()
    patch.setenv("TIDEWRIGHT_TRIALS", str(folder / "trials.sqlite3"))
    with patch.context():
        report = validate(
            ValidateOptions(options(folder, reverts=0.5), surrogates=40),
            watch=lambda stage, done, total: stages.update(
                {stage.partition(" (")[0]: (done, total)}
            ),
        )
    patch.undo()
    return report, stages


def test_planted_pattern_is_found_and_everything_is_in_the_report(planted):
    report, _ = planted
    assert report.ruling.word == "PROMISING"
    assert report.noise.as_good == 0
    assert report.noise.copies == 40
    assert report.outcome.net > 0.02 > report.outcome.matched
    assert {one.name: one.passed for one in report.checks}["Better than luck"]
    assert [one.name for one in report.scenarios] == [
        "as it is",
        "costs x2",
        "no costs at all",
        "one bar later",
        "two bars later",
    ]
    as_is, twice, free, *_ = (one.net for one in report.scenarios)
    assert twice < as_is < free
    assert {"Cash", "Buy and hold", "The same trades at random times"} <= {
        one.name for one in report.baselines
    }
    assert report.losses.worst > 0
    assert len(report.fan.middle) == 366
    assert report.subject.tries == 1


def test_a_rule_that_lives_on_one_bar_does_not_survive_a_later_one(planted):
    report, _ = planted
    scenarios = {one.name: one for one in report.scenarios}
    assert scenarios["one bar later"].excess_year < 0.2 * scenarios["as it is"].excess_year


def test_last_fifth_stays_closed(planted):
    report, _ = planted
    subject = report.subject
    assert subject.last_day < subject.closed_from
    assert subject.last_day - subject.first_day + 1 == 121
    assert report.curve.days[-1] == subject.last_day


def test_progress_names_every_stage(planted):
    _, stages = planted
    assert stages["Searching patternless copies"] == (40, 40)
    assert {"Reading the data", "Running the rule", "Other costs, slower hands"} <= set(stages)


def test_report_goes_through_a_file_and_onto_a_page(planted, tmp_path):
    report, _ = planted
    write_report(report, json=tmp_path / "r.json")
    assert read_report(tmp_path / "r.json") == report
    assert "nan" not in report_page(report).replace("unan", "")


def test_walk_without_pattern_is_not_believed(tmp_path):
    report = validate(ValidateOptions(options(tmp_path), surrogates=40))
    assert report.ruling.word in {"CANNOT TELL YET", "LOSES"}
    assert report.noise.p_value > 0.05


def test_search_counts_its_settings_and_shows_them(tmp_path):
    asked = options(tmp_path, reverts=0.5, grid="drop=0.005,0.01,0.02 bars=1:2")
    report = validate(ValidateOptions(asked, surrogates=20))
    assert report.subject.configurations == 6
    assert report.subject.tries == 6
    assert (report.sweep.x_name, len(report.sweep.x), len(report.sweep.y)) == ("drop", 3, 2)
    assert len(report.folds) == 5
    assert "Probability of overfitting" in {one.name for one in report.measures}
    with open_trials(read_only=True) as store:
        (run,) = store.records("trials")
    assert run.body["configurations"] == 6


def test_loss_limit_that_ends_trading_does_not_hide_the_loss(tmp_path):
    asked = options(tmp_path, overrides=("risk.max_drawdown_percent=1",))
    report = validate(ValidateOptions(asked, surrogates=20))
    assert report.outcome.stopped_day is not None
    assert report.outcome.unstopped < report.outcome.net < 0
    assert report.ruling.word == "LOSES"
    assert "A loss limit ended trading" in report.findings[0].text


def test_costs_and_delay_of_a_request(tmp_path):
    material = load_material(options(tmp_path, overrides=()))
    request = unlimited(material.request())
    assert request.config.risk.max_drawdown_percent == 100
    real, dear, late = (
        run_rule(material, one)
        for one in (request, dearer(request, 2), later(request, 3_600 * 10**9, 1))
    )
    assert real.daily.turnover[0] > 0
    assert dear.fees / float(dear.daily.turnover[0]) == pytest.approx(
        2 * real.fees / float(real.daily.turnover[0]), rel=0.001
    )
    entered = real.result.fill_rows[0, 8]
    assert late.result.fill_rows[0, 8] == entered + 3_600 * 10**9
    assert real.largest_exposure() == pytest.approx(0.1, rel=0.1)


def test_comparison_is_over_common_days_and_paired(tmp_path):
    market = options(tmp_path, reverts=0.5)
    good = quick_report(ValidateOptions(market))
    late = quick_report(ValidateOptions(replace(market, overrides=())))
    found = compare([good, late])
    assert found.days == 121
    (difference,) = found.differences
    assert difference.low < difference.a_year < difference.high < 0
    assert difference.differs
    assert [one.name for one in found.rows] == ["dip", "dip (2)"]
    with pytest.raises(ConfigError, match=r"at least two"):
        compare([good])
    shifted = replace(good, curve=replace(good.curve, days=tuple(range(121))))
    with pytest.raises(ConfigError, match=r"share 0 days"):
        compare([good, shifted])


def test_walk_forward_of_a_grid(tmp_path):
    asked = options(tmp_path, reverts=0.5, grid="drop=0.005,0.02")
    material = load_material(asked)
    found = walk_forward(material, lambda stage, done, total: None)
    assert len(found.folds) == 5
    assert float(np.sum(found.results.daily_profit())) > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grid": "dorp=1:2"}, "did you mean 'drop'"),
        ({"where": "drop < 1"}, "--where needs --grid"),
        ({"strategy": "no_such"}, "expected a file or one of"),
    ],
)
def test_mistakes_are_told(tmp_path, changes, words):
    with pytest.raises(ConfigError, match=words):
        load_material(options(tmp_path, **changes))
