"""Read a home for the paper gate: what it sent, what came back, and what it missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tidewright.app.backtest import BacktestRun, run_backtest
from tidewright.app.bulk import run_bulk_backtest
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.freeze import held_freeze
from tidewright.app.recorded import RecordedRun, recorded_run
from tidewright.app.replay_home import verify_home
from tidewright.app.session import FEED_NOTE
from tidewright.domain import events as ev
from tidewright.domain.errors import ConfigError
from tidewright.domain.facts import Outcome, RecordedSubmission, SubmitOrder
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.domain.orders import Fill, Leg
from tidewright.domain.time import DAY, MINUTE, timeframe_nanoseconds
from tidewright.engine.encoding import decode_outcome, decode_slice
from tidewright.market.arrays import BarArrays, bar_arrays
from tidewright.research.judging.freeze import ForwardResult, placed_in_forecast
from tidewright.research.metrics import daily_equity
from tidewright.research.promotion.paper_gate import (
    PaperFill,
    PaperRecord,
    PaperReport,
    examine_paper,
)
from tidewright.research.results import Float64
from tidewright.storage.home import Home
from tidewright.storage.journal import SqliteJournal

START_TOLERANCE = 15 * MINUTE
"""How far market time may be from the clock on the wall when the first bar after a start comes."""
_MADE_UP = ("sim ", "replay ")
_ANSWERS = (ev.OrderAccepted, ev.OrderRejected, ev.OrderFilled)

Entry = tuple[str, int, int]
"""Instrument, sign, and the bar in which an entry was filled."""


@dataclass(slots=True)
class _Reading:
    """What is gathered while the journal is read."""

    instruments: dict[str, Instrument] = field(default_factory=dict)
    bars: dict[str, list[Bar]] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    latency: list[float] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    equity: list[int] = field(default_factory=list)
    window: ev.TradingWindow = field(default_factory=lambda: ev.TradingWindow(0))
    fingerprint: str = ""
    started: int | None = None
    orders: int = 0
    rejects: int = 0
    lost: int = 0

    def take(self, slice_: ev.Slice, outcome: Outcome | None) -> None:
        for event in slice_.events:
            self._event(event, slice_.ts_known)
        if outcome is None:
            return
        for command in outcome.commands:
            if isinstance(command, SubmitOrder | RecordedSubmission):
                self._submission(command, outcome.ts_known)
        if isinstance(slice_.events[-1], Bar) and outcome.ts_known >= self.window.start:
            self.times.append(outcome.ts_known)
            self.equity.append(outcome.equity)

    def _submission(self, command: SubmitOrder | RecordedSubmission, ts: int) -> None:
        intent = command.intent if isinstance(command, RecordedSubmission) else command.order.intent
        self.orders += 1
        self.sent[intent.client_id] = ts

    def _event(self, event: ev.Event, ts: int) -> None:
        if isinstance(event, Bar):
            self.bars.setdefault(event.instrument, []).append(event)
            if self.started is not None and ts >= self.window.start:
                self.gaps.append(ts - self.started)
                self.started = None
        elif isinstance(event, ev.Started):
            self.started, self.fingerprint = event.now, event.fingerprint
        elif isinstance(event, ev.TradingWindow):
            self.window = event
        elif isinstance(event, ev.InstrumentDefined):
            self.instruments[event.instrument.id] = event.instrument
        else:
            self._answer(event, ts)

    def _answer(self, event: ev.Event, ts: int) -> None:
        if isinstance(event, ev.OrderFilled):
            self.fills.append(event.fill)
            self.known.append(ts)
        self.rejects += isinstance(event, ev.OrderRejected)
        self.lost += isinstance(event, ev.AnswerLost)
        if isinstance(event, _ANSWERS):
            client = event.fill.client_id if isinstance(event, ev.OrderFilled) else event.client_id
            sent = self.sent.pop(client, None)
            if sent is not None:
                self.latency.append((ts - sent) / 1e6)


def read_paper_run(home: Path, data: BarFeed | None = None, *, replay: bool = True) -> PaperRecord:
    """Return what a home's paper run left behind.

    Parameters
    ----------
    home : Path
        Folder of a trader, running or not.
    data : BarFeed or None
        Complete data of the same time; without it missed signals stay unknown.
    replay : bool
        Whether to decide the record again.

    Raises
    ------
    ConfigError
        If the folder is no home, or has no journal.
    """
    folder = Home.existing(home)
    if not folder.journal.is_file():
        raise ConfigError(f"{home} holds no journal; expected the home of a trader")
    reading = _Reading()
    with SqliteJournal(folder.journal, read_only=True) as journal:
        feed = journal.meta(FEED_NOTE) or ""
        for entry in journal.entries(0):
            outcome = (
                None if entry.outcome is None else decode_outcome(entry.sequence, entry.outcome)
            )
            reading.take(decode_slice(entry.payload), outcome)
    report = verify_home(home, decisions=replay)
    again = report.decisions
    run = recorded_run(home, reading.fingerprint)
    expected, missed = _signals(run, reading, data)
    return PaperRecord(
        feed=feed,
        real_feed=bool(feed) and not feed.startswith(_MADE_UP),
        real_time=all(abs(gap) <= START_TOLERANCE for gap in reading.gaps)
        if reading.gaps
        else None,
        days=len({(ts - 1) // DAY for ts in reading.times}),
        fills=_beside_bars(reading),
        orders=reading.orders,
        rejects=reading.rejects,
        lost=reading.lost,
        latency_ms=np.array(reading.latency, np.float64),
        chain_ok=report.journal.ok,
        decided_again=again.inputs if again is not None else 0,
        differences=len(again.differences) if again is not None else 0,
        expected_signals=expected,
        missed_signals=missed,
        daily_profit=_daily_profit(reading),
        strategies=tuple(one.setup.strategy.name for one in run.strategies) if run else (),
        last=reading.times[-1] if reading.times else 0,
    )


def examine_home(home: Path, data: BarFeed | None = None) -> PaperReport:
    """Return what the paper gate says of a home.

    The profit is held against the forecast of the freeze of its strategy, where it runs one that
    is frozen.

    Parameters
    ----------
    home, data
        As `read_paper_run` takes them.
    """
    record = read_paper_run(home, data)
    return examine_paper(record, _placed(record))


def _placed(record: PaperRecord) -> ForwardResult | None:
    frozen = held_freeze(record.strategies[0]) if len(record.strategies) == 1 else None
    if frozen is None or not len(record.daily_profit):
        return None
    return placed_in_forecast(frozen, record.daily_profit, record.last)


def _beside_bars(reading: _Reading) -> list[PaperFill]:
    """Put each fill beside the trades of the bar in which it happened."""
    recorded = {
        name: bar_arrays(name, bars[0].timeframe, bars) for name, bars in reading.bars.items()
    }
    return [
        _beside_bar(fill, ts, recorded.get(fill.instrument))
        for fill, ts in zip(reading.fills, reading.known, strict=True)
    ]


def _beside_bar(fill: Fill, known: int, bars: BarArrays | None) -> PaperFill:
    """Return a fill with the bar that was not over before the fill was known."""
    plain = PaperFill(fill.side.sign, float(fill.ticks))
    if bars is None:
        return plain
    row = int(np.searchsorted(bars.ts_known, known, side="left"))
    if row >= len(bars) or bars.ts_event[row] > known:
        return plain
    return replace(plain, low=float(bars.low[row]), high=float(bars.high[row]))


def _daily_profit(reading: _Reading) -> Float64:
    if not reading.equity or reading.equity[0] <= 0:
        return np.empty(0)
    always = all(one.asset_class is AssetClass.CRYPTO for one in reading.instruments.values())
    values = np.array(reading.equity, np.float64)
    daily = daily_equity(np.array(reading.times, np.int64), values, every_day=always)
    profit: Float64 = np.diff(daily, prepend=values[0]) / values[0]
    return profit


def _signals(
    run: RecordedRun | None, reading: _Reading, data: BarFeed | None
) -> tuple[int | None, int | None]:
    """Return how many entries a backtest takes in the same time, and how many were not taken."""
    if data is None or run is None or not reading.times:
        return None, None
    window = ev.TradingWindow(reading.times[0], reading.times[-1])
    length = timeframe_nanoseconds(run.timeframe)
    wanted = _entries_of(_backtest(data, run, window).recorder.fills, length)
    return len(wanted), len(wanted - _entries_of(reading.fills, length))


def _backtest(data: BarFeed, run: RecordedRun, window: ev.TradingWindow) -> BacktestRun:
    found = run_bulk_backtest(data, run.strategies, run.settings, window)
    if isinstance(found, BacktestRun):
        return found
    return run_backtest(data, run.strategies, run.settings, window)


def _entries_of(fills: Iterable[Fill], length: int) -> set[Entry]:
    return {
        (fill.instrument, fill.side.sign, fill.ts_event // length)
        for fill in fills
        if fill.client_id.endswith(f"-{Leg.ENTRY.value}")
    }
