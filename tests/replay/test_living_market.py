"""A trader on the living market: stopped, killed and started again, its record stays true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fakes.homes import FAST, Kept, copy_as_killed, plain_settings
from tidewright.app.feeds.agents import TRADING_START, AgentFeed
from tidewright.app.replay_home import verify_home
from tidewright.app.session import Session, SessionRequest
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import TradingWindow
from tidewright.domain.time import MINUTE


def wanted(home: Path, minutes: int, kept: Kept) -> SessionRequest:
    """Return a request for so many minutes of trading, with a feed that knows nothing yet."""
    return SessionRequest(
        home=home,
        feed=AgentFeed(7, end=TRADING_START + minutes * MINUTE, cache=home / "market"),
        feed_identity="agents seed 7",
        strategies=load_strategies(["sma_cross"]),
        settings=plain_settings(),
        window=TradingWindow(TRADING_START),
        pace=FAST,
        sinks=lambda home, state, stack: [kept],
    )


def test_run_in_parts_decides_what_the_whole_run_decides(tmp_path: Path) -> None:
    whole = Kept()
    with Session(wanted(tmp_path / "whole", 260, whole)) as session:
        session.run()
    parts = Kept()
    with Session(wanted(tmp_path / "parts", 90, parts)) as session:
        session.run()
        killed = copy_as_killed(tmp_path / "parts", tmp_path / "killed")
    again = replace(wanted(tmp_path / "parts", 260, parts), home=killed)
    with Session(again) as session:
        session.run()
    assert parts.recorder.fills_digest() == whole.recorder.fills_digest()
    assert parts.recorder.last_equity == whole.recorder.last_equity
    assert any(outcome.commands for outcome in whole.outcomes)
    for home in (tmp_path / "whole", killed):
        report = verify_home(home)
        assert report.ok
        assert report.other_builds == 0
