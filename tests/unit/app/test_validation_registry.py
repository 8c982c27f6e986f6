"""What the registry does to a validation: tries count, a look at closed data is recorded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.hourly_market import CHEAP, hourly_file, rule_file
from tidewright.app.promotion import Candidate, examine
from tidewright.app.trials import open_trials
from tidewright.app.validation.examine import ValidateOptions, validate
from tidewright.app.validation.material import MarketOptions, load_material
from tidewright.app.validation.registry import Elsewhere
from tidewright.cli.main import main
from tidewright.domain.errors import ConfigError
from tidewright.research.judging.verdict import VerdictLevel
from tidewright.research.promotion.records import latest_walk_forward


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "trials.sqlite3"))


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> MarketOptions:
    folder = tmp_path_factory.mktemp("planted")
    data = hourly_file(folder, reverts=0.5)
    return MarketOptions(str(rule_file(folder)), data, overrides=CHEAP)


def asked(market: MarketOptions, **changes) -> ValidateOptions:
    return replace(ValidateOptions(market, surrogates=20), **changes)


def reasons(report) -> str:
    return " ".join(report.ruling.reasons)


def closed(report):
    (found,) = (one for one in report.measures if one.name.startswith("Closed part"))
    return found


def candidate(market: MarketOptions) -> Candidate:
    material = load_material(market)
    return Candidate(material.strategy, material.whole, material.settings, 10**12)


def test_tries_made_elsewhere_make_luck_likelier_and_are_told(market):
    alone = validate(asked(market))
    assert alone.ruling.word == "PROMISING"
    counted = validate(asked(market, elsewhere=Elsewhere(tries=500)))
    assert counted.ruling.word == "CANNOT TELL YET"
    assert counted.subject.tries == alone.subject.tries + 500
    assert "what was tried before" in reasons(counted)
    assert "(501) is the user's own word" in reasons(counted)


def test_search_on_the_same_market_counts_against_a_rule_picked_from_it(market):
    wide = replace(market, grid="drop=0.002:0.03:0.004 bars=1:3")
    assert "what was tried before" not in reasons(validate(asked(wide)))
    picked = validate(asked(market))
    assert picked.subject.tries > 20
    assert picked.noise.as_good == 0
    assert "what was tried before" in reasons(picked)


def test_unknown_history_stops_at_promising_and_is_told(market):
    report = validate(asked(market, elsewhere=Elsewhere(unknown=True)))
    assert report.subject.tries is None
    assert "tried before is unknown" in reasons(report)


def test_closed_part_opens_once_and_a_second_look_stands_in_the_report(market):
    first = validate(asked(market, open_holdout=True))
    measure = closed(first)
    assert measure.name == "Closed part, first look"
    assert "in 29 days, better than" in measure.text
    assert measure.value > 0
    assert "Set aside" not in reasons(first)
    second = validate(asked(market, open_holdout=True))
    assert closed(second).name == "Closed part, not the first look"
    assert closed(second).value == measure.value
    assert "Set aside on purpose: the closed data was opened before" in reasons(second)
    assert second.subject.last_day == first.subject.last_day


def test_verdict_is_kept_for_exactly_what_was_judged(market):
    assert examine(candidate(market)).verdict is None
    validate(asked(market))
    assert examine(candidate(market)).verdict is VerdictLevel.PROMISING
    other = replace(market, overrides=(*CHEAP, "seed=9"))
    assert examine(candidate(other)).verdict is None


def test_walk_forward_of_a_search_is_kept_for_handbook_gates(market):
    validate(asked(replace(market, grid="drop=0.005,0.01")))
    with open_trials(read_only=True) as store:
        won = latest_walk_forward(store, candidate(market).digest)
    assert won is not None
    assert 0.0 <= won <= 100.0


def test_validation_goes_on_where_nothing_can_be_written(market, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "file" / "t.sqlite3"))
    assert "tried before is unknown" in reasons(validate(asked(market)))
    with pytest.raises(ConfigError, match="cannot be created"):
        validate(asked(market, open_holdout=True))


def test_from_validation_to_a_pilot_by_commands(market, capsys):
    words = [market.strategy, "--data", str(market.data)]
    for text in (*CHEAP, "risk.pilot_loss_budget=100"):
        words += ["--set", text]
    pilot = ["promote", "pilot", *words, "--confirm", "pilot dip may lose 100.00 USDT"]
    assert main(["freeze", *words]) == 0
    assert main(pilot) == 2
    assert "never judged" in capsys.readouterr().err
    assert main(["validate", *words, "--surrogates", "20", "--processes", "1"]) == 0
    assert main(pilot) == 2
    said = capsys.readouterr()
    assert "only with --override REASON" in said.out
    assert main([*pilot[:-1], "yes", "--override", "small stake"]) == 2
    assert "confirmation was 'yes'" in capsys.readouterr().err
    assert main([*pilot, "--override", "small stake"]) == 0
    assert "Loss budget: 100.00; it stops for good" in capsys.readouterr().out
    assert main(["promote", "scale", *words]) == 2
    assert "only what is SUPPORTED is scaled" in capsys.readouterr().err
    assert main(["promote", "status", *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["stage"], found["verdict"]) == ("pilot", "PROMISING")
    assert found["overrides"][0].startswith("small stake (Paper gate")


def test_history_is_one_of_two_words(market, capsys):
    words = ["validate", market.strategy, "--data", str(market.data), "--history", "unknwon"]
    assert main(words) == 2
    assert "did you mean 'unknown'" in capsys.readouterr().err
