"""Validation of what the compiled loop refuses: Python, several strategies, amounts too large."""

import pickle
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from fakes.hourly_market import CHEAP, hourly_file, rule_file
from fakes.python_rule import PYTHON_RULE, python_file
from tidewright.app.promotion import Candidate, examine
from tidewright.app.report_files import read_report, write_report
from tidewright.app.report_page.page import report_page
from tidewright.app.report_page.words import first_screen, path_taken
from tidewright.app.trials import open_trials
from tidewright.app.validation.chance import Copies
from tidewright.app.validation.examine import ValidateOptions, quick_report, validate
from tidewright.app.validation.material import MarketOptions, load_material
from tidewright.app.validation.registry import Elsewhere
from tidewright.app.validation.runs import run_rule
from tidewright.cli.main import main
from tidewright.domain.errors import ConfigError
from tidewright.research.judging.evidence import PSource
from tidewright.research.judging.verdict import VerdictLevel

FIGURES = ("days", "equity", "exposure", "trades", "trade_days", "turnover", "fees")
SECOND = """\
schema: 1
name: rise
entry:
  long: close > previous(close) * 1.01
confidence: 0.8
sizing:
  method: percent_of_equity
  value: 5
time_stop_bars: 2
"""


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "trials.sqlite3"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("market")


@pytest.fixture(scope="module")
def written(folder: Path) -> MarketOptions:
    """A written rule on a market of six hours, which takes back most of each move."""
    data = hourly_file(folder, reverts=0.7, hours=6)
    return MarketOptions(str(rule_file(folder)), data, overrides=CHEAP)


@pytest.fixture(scope="module")
def python(folder: Path, written: MarketOptions) -> MarketOptions:
    """The same rule in Python."""
    return replace(written, strategy=python_file(folder))


def asked(market: MarketOptions, **changes) -> ValidateOptions:
    return replace(ValidateOptions(market, surrogates=20), **changes)


def tried() -> list[int]:
    with open_trials(read_only=True) as store:
        return [one.body["configurations"] for one in store.records("trials")]


@pytest.mark.parametrize(
    "overrides",
    [(), CHEAP, ("risk.max_drawdown_percent=1",), ("paper.simulate_latency_ms=20000000",)],
    ids=["default", "cheap", "halted", "late"],
)
def test_event_path_tells_a_run_as_the_loop_does(
    written: MarketOptions, overrides: tuple[str, ...]
) -> None:
    material = load_material(replace(written, overrides=overrides))
    loop = run_rule(material, material.request())
    log = material.engine.run(material.request())
    event = replace(loop, result=log, daily=material.engine(material.request()))
    assert loop.refusal == ""
    for figure in FIGURES:
        assert getattr(event.daily, figure).tolist() == getattr(loop.daily, figure).tolist(), figure
    assert list(event.trades()) == list(loop.trades())
    assert event.stopped_day == loop.stopped_day
    assert (loop.stopped_day is not None) == ("risk.max_drawdown_percent=1" in overrides)
    assert event.largest_exposure() == loop.largest_exposure() > 0


def test_python_strategy_is_judged_as_the_same_rule_written(
    written: MarketOptions,
    python: MarketOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = validate(asked(python))
    assert examine(candidate(python)).verdict is VerdictLevel.PROMISING
    assert (one.subject.tries, tried()) == (1, [1])
    # Neither counts as a try of the other.
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "others.sqlite3"))
    other = validate(asked(written))
    assert one.ruling == other.ruling
    assert one.ruling.word == "PROMISING"
    assert (one.noise.copies, one.noise.as_good) == (20, 0)
    assert one.noise == other.noise
    assert one.curve == other.curve
    assert [(check.name, check.passed) for check in one.checks] == [
        (check.name, check.passed) for check in other.checks
    ]
    assert one.scenarios == other.scenarios
    taken = "Run bar by bar on the event path: strategy 'dip_in_python' is written in Python."
    assert taken in unescape(report_page(one))
    assert path_taken(one) == taken
    assert path_taken(other) == ""
    write_report(one, json=tmp_path / "r.json")
    assert read_report(tmp_path / "r.json") == one


def candidate(market: MarketOptions) -> Candidate:
    material = load_material(market)
    return Candidate(material.strategy, material.whole, material.settings, 10**12)


def test_python_strategy_on_a_walk_without_pattern_is_not_believed(tmp_path: Path) -> None:
    data = hourly_file(tmp_path, hours=6, seed=1)
    market = MarketOptions(python_file(tmp_path), data, overrides=CHEAP)
    report = validate(asked(market))
    assert report.ruling.word in {"CANNOT TELL YET", "LOSES"}
    assert report.noise.p_value > 0.05


def test_where_copies_take_too_long_every_try_is_counted(
    written: MarketOptions, python: MarketOptions
) -> None:
    quick = asked(python, minutes=0.0)
    alone = validate(quick)
    assert alone.noise is None
    assert (alone.deflation.tries, alone.deflation.effective) == (1, 1.0)
    assert alone.deflation.p_value < 0.05
    assert alone.ruling.word == "PROMISING"
    luck = " ".join(first_screen(alone)[0].evidence)
    assert "No patternless copies were searched: it runs bar by bar and took" in luck
    assert "0 s were allowed; --noise-minutes 1 allows them." in luck
    assert "No patternless copies were searched" in report_page(alone)
    names = {one.name for one in alone.measures}
    assert {"p, all tries counted", "Ratio that luck alone reaches"} <= names
    assert "p by search on noise" not in names
    validate(asked(replace(written, grid="drop=0.002:0.03:0.004 bars=1:3")))
    counted = validate(replace(quick, elsewhere=Elsewhere(tries=500)))
    assert counted.subject.tries == counted.deflation.tries == 525
    # The settings of one grid act like fewer than there are.
    assert 501.0 < counted.deflation.effective < 525.0
    assert counted.deflation.p_value > alone.deflation.p_value
    assert PSource.DEFLATED_SHARPE.value in counted.ruling.reasons[0]
    assert tried() == [1, 24]


def test_time_that_copies_take_is_held_against_what_was_allowed() -> None:
    copies = Copies(most=200, minutes=15.0, processes=2)
    assert copies.refusal(9.0) == ""
    refusal = copies.refusal(31.0)
    assert "took 31.0 s, so 200 patternless copies would take 52 minutes" in refusal
    assert refusal.endswith("--noise-minutes 52 allows them, --surrogates 58 fits")
    assert copies.refusal(600.0).endswith("--noise-minutes 1000 allows them")
    assert replace(copies, processes=1).refusal(9.0)


def test_several_strategies_share_an_account_and_are_one_try(
    written: MarketOptions, folder: Path
) -> None:
    second = folder / "rise.yaml"
    second.write_text(SECOND, encoding="utf-8")
    market = replace(written, beside=(str(second),))
    report = validate(asked(market))
    assert report.subject.name == "dip + rise"
    assert (report.subject.configurations, report.subject.tries) == (1, 1)
    assert report.subject.bar_by_bar == "2 strategies share one account"
    assert report.noise.copies == 20
    material = load_material(market)
    entered = {trade.strategy for trade in run_rule(material, material.request()).trades()}
    assert entered == {"dip", "rise"}
    assert tried() == [1]
    # Promotion is of one strategy: nothing was judged that it could read.
    assert examine(candidate(written)).verdict is None
    with pytest.raises(ConfigError, match="--grid was given with 2 strategies; expected one"):
        load_material(replace(market, grid="drop=0.01,0.02"))


def test_comparison_takes_a_python_strategy(written: MarketOptions, python: MarketOptions) -> None:
    one, other = quick_report(asked(python)), quick_report(asked(written))
    assert one.curve == other.curve


def test_python_strategy_travels_to_other_processes(python: MarketOptions, tmp_path: Path) -> None:
    changing = replace(python, strategy=python_file(tmp_path))
    material = load_material(changing)
    travelling = pickle.dumps(material.family)
    sys.modules.pop("tidewright_strategy_dip_in_python")
    found = pickle.loads(travelling).evaluate(material.series)
    assert found.equity.tolist() == material.family.evaluate(material.series).equity.tolist()
    python_file(tmp_path, PYTHON_RULE.replace("0.01", "0.02"))
    with pytest.raises(ConfigError, match="changed while it was being examined"):
        pickle.loads(travelling)


def test_amount_that_no_engine_holds_is_told(written: MarketOptions) -> None:
    rich = replace(written, overrides=(*CHEAP, "account.initial_balance=1000000000000"))
    with pytest.raises(
        ConfigError, match="initial_balance was 1000000000000; expected at most 92233720368"
    ):
        validate(asked(rich))


def test_commands_take_it(python: MarketOptions, written: MarketOptions, capsys) -> None:
    words = ["--data", str(python.data)]
    for text in CHEAP:
        words += ["--set", text]
    short = ["--processes", "1", "--surrogates", "20", "--noise-minutes", "0"]
    assert main(["validate", python.strategy, written.strategy, *words, *short]) == 0
    said = capsys.readouterr().out
    assert "dip_in_python + dip: AAAUSDT" in said
    assert "event path: 2 strategies share one account." in said
    assert "No patternless copies were searched" in said
