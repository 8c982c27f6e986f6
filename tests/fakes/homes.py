"""Homes for tests: short runs of the simulated market in a temporary folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tidewright.app.feeds.simulated import TRADING_START, SimulatedFeed
from tidewright.app.recorder import RunRecorder
from tidewright.app.session import Session, SessionRequest
from tidewright.app.settings import Settings, load_settings
from tidewright.app.strategies import load_strategies
from tidewright.app.trader import Pace
from tidewright.domain.events import Slice, TradingWindow
from tidewright.domain.facts import Outcome
from tidewright.domain.instrument import Instrument
from tidewright.domain.time import MINUTE

FAST = Pace(speed=0.0, snapshot_inputs=10**9, snapshot_seconds=10**9)


def plain_settings(*overrides: str) -> Settings:
    """Return default settings that no file or variable of this machine touches."""
    return load_settings(None, environment={}, env_file=None, overrides=overrides)


@dataclass(frozen=True, slots=True)
class CountedFeed:
    """The first slices of a feed, so that a run ends somewhere."""

    inner: SimulatedFeed
    minutes: int

    @property
    def instruments(self) -> Sequence[Instrument]:
        return self.inner.instruments

    @property
    def timeframe(self) -> str:
        return self.inner.timeframe

    @property
    def description(self) -> str:
        return self.inner.description

    def slices(self, after: int) -> Iterator[Slice]:
        end = TRADING_START + self.minutes * MINUTE
        for slice_ in self.inner.slices(after):
            if slice_.ts_known > end:
                return
            yield slice_


def request(
    home: Path,
    minutes: int,
    *overrides: str,
    seed: int = 7,
    strategies: Sequence[str] = ("sma_cross",),
    pace: Pace = FAST,
) -> SessionRequest:
    """Return a request for so many minutes of trading after the warm-up."""
    return SessionRequest(
        home=home,
        feed=CountedFeed(SimulatedFeed(seed), minutes),
        feed_identity=f"sim seed {seed}",
        strategies=load_strategies(strategies),
        settings=plain_settings(*overrides),
        window=TradingWindow(TRADING_START),
        pace=pace,
    )


class Kept:
    """An outcome sink that keeps everything."""

    def __init__(self) -> None:
        self.recorder = RunRecorder()
        self.outcomes: list[Outcome] = []

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        self.recorder.publish(slice_, outcome)
        self.outcomes.append(outcome)


def advance(session: Session, slices: int) -> int:
    """Handle so many further slices of a session's feed; return how many there were."""
    done = 0
    for slice_ in islice(session.feed.slices(session.handled_until()), slices):
        session.driver.market(slice_)
        done += 1
    return done


def copy_as_killed(home: Path, to: Path) -> Path:
    """Return a copy of a home as a SIGKILL at this moment would leave it."""
    shutil.copytree(home, to, ignore=shutil.ignore_patterns("*-shm"))
    return to
