from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fakes.homes import CountedFeed, advance, copy_as_killed, request
from fakes.market_rows import an_instrument
from fakes.trial_store import walk
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.feeds.simulated import TRADING_START
from tidewright.app.freeze import freeze
from tidewright.app.paper_gate import read_paper_run
from tidewright.app.promotion import (
    Candidate,
    begin_pilot,
    budget_spent,
    demote,
    every_standing,
    examine,
    keep_verdict,
    scale,
    told,
)
from tidewright.app.session import Session
from tidewright.app.settings import Settings
from tidewright.app.strategies import load_strategies
from tidewright.cli.main import main
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import OperatorCommand, Slice, TradingState
from tidewright.domain.time import MINUTE, parse_iso
from tidewright.market.arrays import bar_arrays
from tidewright.research.judging.evidence import (
    PASSED,
    Evidence,
    ForwardEvidence,
    Interval,
    Outcome,
    PSource,
)
from tidewright.research.judging.verdict import VerdictLevel, judge
from tidewright.research.promotion.ladder import Stage
from tidewright.research.promotion.paper_gate import examine_paper

NOW = parse_iso("2023-05-01T00:00:00Z")
EQUITY = 10_000 * 10**8


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "trials.sqlite3"))


def a_candidate(budget: Decimal | str = Decimal(100), **changes) -> Candidate:
    settings = replace(Settings(), risk=replace(Settings().risk, pilot_loss_budget=budget))
    feed = BarFeed([walk("AAA", days=60)], [an_instrument("AAA")], "a walk")
    (strategy,) = load_strategies(["sma_cross"])
    return replace(Candidate(strategy, feed, settings, EQUITY), **changes)


def judged(candidate: Candidate, p: float = 0.01, high: float = 0.3, forward: bool = True) -> None:
    evidence = Evidence(
        p,
        PSource.SEARCH_ON_NOISE,
        Interval(min(0.05, high), min(0.2, high), high),
        400,
        90,
        PASSED,
        PASSED,
        PASSED,
        PASSED,
        ForwardEvidence(60, 0.5) if forward else None,
    )
    keep_verdict(candidate.strategy, candidate.feed, candidate.settings, evidence, judge(evidence))


def frozen(candidate: Candidate) -> Candidate:
    freeze(candidate.strategy, candidate.feed, candidate.settings, now=NOW)
    return candidate


def test_pilot_needs_freeze_verdict_budget_and_the_typed_words():
    candidate = a_candidate()
    refused = examine(candidate)
    assert any("never judged" in text for text in refused.pilot.refusals)
    assert any("Frozen" in text for text in refused.pilot.refusals)
    judged(frozen(candidate), p=0.5)
    examined = examine(candidate)
    assert examined.verdict is VerdictLevel.CANNOT_TELL_YET
    assert examined.pilot.refusals == ()
    assert candidate.confirmation.startswith("pilot sma_cross may lose 100.00 ")
    with pytest.raises(ConfigError, match="Paper gate"):
        begin_pilot(examined, candidate.confirmation, "", "me")
    with pytest.raises(ConfigError, match="confirmation was 'yes'"):
        begin_pilot(examined, "yes", "small stake", "me")
    step = begin_pilot(examined, candidate.confirmation, "small stake", "me")
    assert step.budget == EQUITY // 100
    assert step.override.startswith("small stake (Paper gate")
    again = examine(candidate)
    assert again.standing.stage is Stage.PILOT
    assert not again.pilot.granted("more")
    assert "set aside: small stake" in "\n".join(told(again))


@pytest.mark.parametrize(
    ("budget", "fits"), [("off", False), (Decimal("100.01"), False), (Decimal(100), True)]
)
def test_budget_of_the_pilot_must_be_set_and_fit(budget, fits):
    candidate = frozen(a_candidate(budget))
    judged(candidate)
    lacking = [check for check in examine(candidate).checks if not check.passed]
    assert any(check.name == "Loss budget" for check in lacking) is not fits


@pytest.mark.parametrize("high", [-0.01])
def test_what_loses_gets_no_real_money_whatever_is_set_aside(high):
    candidate = frozen(a_candidate())
    judged(candidate, high=high)
    examined = examine(candidate)
    assert examined.verdict is VerdictLevel.LOSES
    with pytest.raises(ConfigError, match="no real money"):
        begin_pilot(examined, candidate.confirmation, "please", "me")


def a_pilot() -> Candidate:
    candidate = frozen(a_candidate())
    judged(candidate)
    begin_pilot(examine(candidate), candidate.confirmation, "test", "me")
    return candidate


def test_supported_pilot_is_scaled_on_its_lower_bound_and_falls_back_with_its_verdict():
    candidate = a_pilot()
    examined = examine(candidate)
    assert 0.0 < examined.share <= 1.0
    step = scale(examined, "", "me")
    assert step.after is Stage.SCALED
    assert step.share_ppm == int(examined.share * 1_000_000)
    judged(candidate, forward=False)
    assert examine(candidate).standing.stage is Stage.PILOT
    judged(candidate, high=-0.01)
    fallen = examine(candidate).standing
    assert fallen.stage is Stage.PAPER
    assert (fallen.last.actor, fallen.last.reason) == ("tidewright", "the verdict is LOSES")


def test_pilot_that_is_only_promising_is_not_scaled_unless_on_the_record():
    candidate = a_pilot()
    judged(candidate, forward=False)
    examined = examine(candidate)
    with pytest.raises(ConfigError, match="only what is SUPPORTED is scaled"):
        scale(examined, "", "me")
    assert scale(examined, "my money", "me").override.startswith("my money")


def test_edited_strategy_is_back_on_paper():
    candidate = a_pilot()
    edited = replace(candidate, settings=replace(candidate.settings, seed=9))
    standing = examine(edited).standing
    assert standing.stage is Stage.PAPER
    assert "edited" in standing.last.reason


def test_spent_pilot_never_begins_again_not_even_after_an_edit():
    candidate = a_pilot()
    demote("sma_cross", "budget gone", "me", spent=True)
    edited = frozen(replace(candidate, settings=replace(candidate.settings, seed=9)))
    judged(edited)
    for one in (candidate, edited):
        examined = examine(one)
        assert not examined.pilot.granted("again")
        assert any("stopped for good" in text for text in examined.pilot.refusals)
    with pytest.raises(ConfigError, match="stage stopped"):
        demote("sma_cross", "why", "me")


def test_home_that_spent_its_budget_stops_the_pilot(tmp_path: Path):
    home = tmp_path / "home"
    with Session(request(home, 600, "risk.pilot_loss_budget=1", seed=3)) as session:
        session.trader.run()
    assert budget_spent(home)
    candidate = a_pilot()
    assert examine(replace(candidate, pilot_home=home)).standing.stage is Stage.STOPPED
    with Session(request(tmp_path / "other", 60, seed=3)) as session:
        session.trader.run()
    assert not budget_spent(tmp_path / "other")


def test_upgrade_with_another_budget_does_not_wake_a_spent_pilot(tmp_path: Path):
    home = tmp_path / "home"
    with Session(request(home, 600, "risk.pilot_loss_budget=1", seed=3)) as session:
        while session.engine.state.gate.trading_state is not TradingState.HALTED:
            assert advance(session, 20)
        session.driver.flush(durable=True)
        killed = copy_as_killed(home, tmp_path / "killed")
    with Session(request(killed, 600, "risk.pilot_loss_budget=off", seed=3)) as session:
        assert session.recovery.adopted > 0
        gate = session.engine.state.gate
        assert gate.trading_state is TradingState.HALTED
        gate.operator(OperatorCommand(TradingState.ACTIVE, "cli", "go on"), 0)
        assert gate.trading_state is TradingState.HALTED


@pytest.fixture(scope="module")
def paper_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BarFeed]:
    """Half a day of the simulated market, and the bars that it was."""
    home = tmp_path_factory.mktemp("paper") / "home"
    wanted = request(home, 700)
    with Session(wanted) as session:
        session.trader.run()
    bars = [bar for slice_ in wanted.feed.slices(0) for bar in slice_.events]
    series = [
        bar_arrays(one.id, "1m", [bar for bar in bars if bar.instrument == one.id])
        for one in wanted.feed.instruments
    ]
    return home, BarFeed(series, wanted.feed.instruments, "the same bars")


def test_paper_home_is_read_for_operations(paper_home):
    home, feed = paper_home
    record = read_paper_run(home, feed)
    assert record.feed == "sim seed 7"
    assert not record.real_feed
    assert record.real_time is False
    assert record.days == 1
    assert record.chain_ok
    assert record.decided_again > 700
    assert record.differences == 0
    assert len(record.fills) > 5
    assert not any(one.impossible for one in record.fills)
    assert len(record.latency_ms) == record.orders
    assert record.expected_signals > 3
    assert record.missed_signals == 0
    assert len(record.daily_profit) == 1
    assert read_paper_run(home, replay=False).expected_signals is None


class Interrupted(CountedFeed):
    """A feed whose listener was away for some hours."""

    def slices(self, after: int) -> Iterator[Slice]:
        away = range(TRADING_START + 100 * MINUTE, TRADING_START + 500 * MINUTE)
        return (one for one in super().slices(after) if one.ts_known not in away)


def test_trader_that_was_away_missed_signals(paper_home, tmp_path: Path):
    _, feed = paper_home
    home = tmp_path / "home"
    wanted = request(home, 700)
    with Session(replace(wanted, feed=Interrupted(wanted.feed.inner, 700))) as session:
        session.trader.run()
    record = read_paper_run(home, feed, replay=False)
    assert record.missed_signals > 3
    assert record.missed_signals < record.expected_signals


def test_simulated_market_passes_what_can_be_passed_and_not_the_gate(paper_home, capsys):
    home, feed = paper_home
    report = examine_paper(read_paper_run(home, feed))
    found = {one.name: one.check.outcome for one in report.checks}
    assert found["A real market"] is Outcome.FAILED
    assert found["No fill better than every trade"] is Outcome.PASSED
    assert found["Decided again, the same comes out"] is Outcome.PASSED
    assert found["No signal missed"] is Outcome.PASSED
    assert "freeze the strategy first" in report.profit
    frozen(a_candidate())
    assert main(["paper-gate", str(home)]) == 1
    said = capsys.readouterr().out
    assert "% of the forecast over 1 days" in said
    assert "FAILED   A real market" in said
    assert "not passed" in said


def test_commands_promote_and_demote(tmp_path: Path, capsys):
    assert main(["promote", "status"]) == 0
    assert "always allowed" in capsys.readouterr().out
    assert every_standing() == []
    a_pilot()
    assert main(["promote", "status"]) == 0
    assert "pilot" in capsys.readouterr().out
    assert main(["promote", "demote", "sma_cross", "--reason", "holiday"]) == 0
    assert "pilot -> paper (holiday)" in capsys.readouterr().out
    assert main(["promote", "demote", "sma_cross", "--reason", "again"]) == 2
    assert main(["promote", "status", "--json"]) == 0
    assert "holiday" in capsys.readouterr().out
