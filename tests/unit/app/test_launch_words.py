"""From the words of a person to feed, window, pace and strategies."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.homes import plain_settings
from tidewright.app.feeds import agents, simulated
from tidewright.app.launch import (
    choose_feed,
    choose_pace,
    choose_settings,
    choose_strategies,
    choose_window,
    default_home,
)
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import DAY, parse_iso

ROWS = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2023-03-01T00:{minute:02}:00Z,100,101,99,100.5,3\n" for minute in range(5)
)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "BTCUSDT.csv"
    path.write_text(ROWS)
    return path


@pytest.mark.parametrize(
    ("kind", "identity", "instruments"),
    [("agents", "agents seed 5", 6), ("simulated", "sim seed 5", 8)],
)
def test_made_up_market_is_named_by_its_seed(kind: str, identity: str, instruments: int) -> None:
    choice = choose_feed(kind, None, (), 5)
    assert (choice.identity, choice.notes) == (identity, ())
    assert len(choice.feed.instruments) == instruments


def test_replay_is_named_by_its_data(csv: Path, tmp_path: Path) -> None:
    choice = choose_feed("replay", csv, (), 5)
    assert choice.identity.startswith("replay BTCUSDT.csv BTCUSDT 1m ")
    assert choice.notes
    folder = tmp_path / "other"
    folder.mkdir()
    copy = folder / "BTCUSDT.csv"
    copy.write_text(ROWS)
    assert choose_feed("replay", copy, (), 5).identity != choice.identity
    assert choose_feed("replay", csv, (), 9).identity == choice.identity


def test_words_that_do_not_fit_together_are_refused(csv: Path) -> None:
    with pytest.raises(ConfigError, match="--data needs --feed replay"):
        choose_feed("agents", csv, (), 1)
    with pytest.raises(ConfigError, match="--feed replay needs --data"):
        choose_feed("replay", None, (), 1)


@pytest.mark.parametrize(
    ("kind", "start"), [("agents", agents.TRADING_START), ("simulated", simulated.TRADING_START)]
)
def test_window_begins_where_the_warm_up_ends(kind: str, start: int) -> None:
    window = choose_window(choose_feed(kind, None, (), 5).feed, "", "")
    assert (window.start, window.end) == (start, 0)


def test_window_of_a_file_is_open_unless_it_is_stated(csv: Path) -> None:
    feed = choose_feed("replay", csv, (), 1).feed
    assert choose_window(feed, "", "") == choose_window(feed, "1970-01-01", "")
    start = parse_iso("2023-03-01")
    window = choose_window(feed, "2023-03-01", "2023-03-02")
    assert (window.start, window.end) == (start, start + DAY)


@pytest.mark.parametrize("end", ["2023-03-01", "2023-02-28"])
def test_window_that_ends_before_it_begins_is_refused(csv: Path, end: str) -> None:
    feed = choose_feed("replay", csv, (), 1).feed
    with pytest.raises(ConfigError, match="--to .* was not after the start"):
        choose_window(feed, "2023-03-01", end)


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast", "", "MAX"])
def test_speed_that_is_none_is_refused(speed: str) -> None:
    with pytest.raises(ConfigError, match="--speed was .* expected a number above 0, or max"):
        choose_pace(speed, plain_settings())


def test_silence_of_the_feed_is_measured_in_market_time() -> None:
    settings = plain_settings("risk.max_data_age_minutes=10")
    assert choose_pace("max", settings).speed == 0.0
    assert choose_pace("2", settings).stale_after_seconds == 300.0
    # Never so short that an ordinary pause of a fast run looks like silence.
    assert choose_pace("6000", settings).stale_after_seconds == 5.0


def test_symbol_and_seed_decide_like_any_other_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = choose_settings(None, ("seed=3",), ("BTCUSDT", "ETHUSDT"), 9)
    assert (found.seed, tuple(found.symbols)) == (9, ("BTCUSDT", "ETHUSDT"))
    assert choose_settings(None, ("seed=3",)).seed == 3
    with pytest.raises(ConfigError, match="seed"):
        choose_settings(None, (), (), -1)


def test_strategies_are_those_asked_for_or_those_of_the_settings() -> None:
    settings = plain_settings("strategies=momentum,sma_cross")
    names = [item.setup.strategy.name for item in choose_strategies((), settings)]
    assert names == ["momentum", "sma_cross"]
    (asked,) = choose_strategies(("donchian_breakout",), settings)
    assert asked.setup.strategy.name == "donchian_breakout"


def test_each_kind_of_feed_has_a_folder_of_its_own() -> None:
    assert default_home("agents") != default_home("replay")
