from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from fakes.market_rows import an_instrument
from fakes.trial_store import walk
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.freeze import (
    forward_of_strategy,
    freeze,
    frozen_parts,
    held_freeze,
    list_freezes,
)
from tidewright.app.holdout import open_closed_part, without_closed_part
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy, load_strategies, loaded_spec
from tidewright.app.trials import Scored, open_trials, record_trials
from tidewright.cli.main import main
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import DAY, iso
from tidewright.market.declaration import DataDeclaration
from tidewright.research.judging.trials import TRIALS, run_of
from tidewright.strategy.spec import load_spec

BARS = walk("AAA", days=160)
MIDDLE = int(BARS.ts_known[100 * 24 - 1])
SPEC = """\
schema: 1
name: steps
universe: all
entry:
  long: sma(3) > sma(12)
exit:
  long: sma(3) < sma(12)
confidence: 0.9
sizing: {method: percent_of_equity, value: 10}
stops:
  stop_loss: {percent: 5}
"""


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "trials.sqlite3"))


def a_feed(rows: int = len(BARS)) -> BarFeed:
    return BarFeed([BARS.slice(0, rows)], [an_instrument("AAA")], "a walk")


def a_strategy(text: str = SPEC) -> LoadedStrategy:
    return loaded_spec(load_spec(text, "test"), "test")


def test_freeze_runs_over_open_data_and_starts_the_clock():
    feed = a_feed(100 * 24)
    answer = freeze(a_strategy(), feed, Settings(), now=MIDDLE)
    assert answer.fresh
    assert answer.forward is None
    assert answer.frozen.ts == MIDDLE
    assert len(answer.frozen.daily) == 81
    assert any(answer.frozen.daily)
    with open_trials(read_only=True) as store:
        (run,) = [run_of(record) for record in store.records(TRIALS)]
    assert run.seen_until == without_closed_part(feed)[0].last_known < feed.last_known


def test_unchanged_strategy_keeps_its_clock_and_is_held_against_its_forecast():
    freeze(a_strategy(), a_feed(100 * 24), Settings(), now=MIDDLE)
    answer = freeze(a_strategy(), a_feed(), Settings(), now=MIDDLE + 60 * DAY)
    assert not answer.fresh
    assert answer.frozen.ts == MIDDLE
    assert answer.forward is not None
    assert answer.forward.days == 60
    assert answer.forward.last == BARS.ts_known[-1]
    assert forward_of_strategy(a_strategy(), a_feed(), Settings()) == answer.forward
    assert len(list_freezes()) == 1


def test_forward_days_do_not_depend_on_how_much_history_there_is():
    freeze(a_strategy(), a_feed(100 * 24), Settings(), now=MIDDLE)
    whole = freeze(a_strategy(), a_feed(), Settings(), now=MIDDLE + 60 * DAY).forward
    short = BarFeed([BARS.slice(50 * 24, len(BARS))], [an_instrument("AAA")], "a part")
    assert forward_of_strategy(a_strategy(), short, Settings()).profit == whole.profit


@pytest.mark.parametrize(
    ("text", "settings", "edited"),
    [
        (SPEC.replace("sma(12)", "sma(13)"), Settings(), "specification"),
        (SPEC, Settings(seed=7), "settings"),
        (
            SPEC,
            replace(Settings(), paper=replace(Settings().paper, spread_percent=Decimal("0.1"))),
            "costs",
        ),
    ],
)
def test_any_edit_starts_the_clock_again(text, settings, edited):
    freeze(a_strategy(), a_feed(100 * 24), Settings(), now=MIDDLE)
    answer = freeze(a_strategy(text), a_feed(), settings, now=MIDDLE + DAY)
    assert answer.fresh
    assert edited in answer.edited
    assert held_freeze("steps").ts == MIDDLE + DAY
    assert forward_of_strategy(a_strategy(), a_feed(), Settings()) is None


def test_default_strategies_and_a_pilots_budget_are_no_edit():
    one = frozen_parts(a_strategy(), Settings(), ["AAA"], "1h")
    two = frozen_parts(a_strategy(), Settings(strategies=("momentum",)), ["AAA"], "1h")
    assert one == two
    pilot = replace(Settings(), risk=replace(Settings().risk, pilot_loss_budget=Decimal(100)))
    assert frozen_parts(a_strategy(), pilot, ["AAA"], "1h") == one
    assert frozen_parts(a_strategy(), Settings(), ["AAA", "BBB"], "1h") != one


def test_closed_part_is_left_out_and_said_and_declarations_stay():
    feed, said = without_closed_part(a_feed())
    assert said.endswith(f"from {iso(feed.last_known)[:10]} on (20 %).")
    assert len(feed) == 129 * 24
    declared = DataDeclaration(universe_as_of=5)
    series, instruments = a_feed().series, a_feed().instruments
    whole = BarFeed(series, instruments, "a walk", declaration=declared)
    assert without_closed_part(whole)[0].declaration == declared
    tiny, said = without_closed_part(a_feed(20))
    assert len(tiny) == 20
    assert "too short" in said


def test_closed_part_opens_once_for_a_family():
    strategies = load_strategies(["sma_cross"])
    assert open_closed_part([BARS], strategies).override == ""
    assert "opened before" in open_closed_part([BARS], strategies).override
    assert open_closed_part([BARS], load_strategies(["momentum"])).override == ""


def test_backtest_over_everything_spends_the_look_and_one_that_stops_does_not():
    border = without_closed_part(a_feed())[0].last_known
    for name, end, clean in (("sma_cross", 0, False), ("momentum", border, True)):
        strategies = load_strategies([name])
        record_trials(Scored("backtest", strategies, Settings()), [BARS], span=(0, end))
        assert (open_closed_part([BARS], strategies).override == "") is clean


def test_closed_part_stays_closed_where_nothing_can_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "file" / "t.sqlite3"))
    with pytest.raises(ConfigError):
        open_closed_part([BARS], load_strategies(["sma_cross"]))


def test_commands_freeze_and_list(tmp_path: Path, capsys):
    rows = ["timestamp,open,high,low,close,volume"]
    columns = zip(BARS.ts_event, BARS.open, BARS.high, BARS.low, BARS.close, strict=True)
    rows += [
        f"{iso(int(ts))},{o / 100},{h / 100},{low / 100},{c / 100},5"
        for ts, o, h, low, c in columns
    ]
    data, spec = tmp_path / "AAA.csv", tmp_path / "steps.yaml"
    data.write_text("\n".join(rows))
    spec.write_text(SPEC)
    assert main(["freeze", "--list"]) == 0
    assert "nothing is frozen" in capsys.readouterr().out
    assert main(["freeze", str(spec)]) == 2
    assert main(["freeze", str(spec), "--data", str(data)]) == 0
    assert "forward clock runs from" in capsys.readouterr().out
    assert main(["freeze", str(spec), "--data", str(data)]) == 0
    assert "unchanged" in capsys.readouterr().out
    spec.write_text(SPEC.replace("sma(3)", "sma(4)"))
    assert main(["freeze", str(spec), "--data", str(data)]) == 0
    assert "Edited since the last freeze: specification" in capsys.readouterr().out
    assert main(["freeze", "--list"]) == 0
    said = capsys.readouterr().out
    assert "ended by an edit" in said
    assert "runs" in said
    assert np.char.count(said, "steps") == 2
