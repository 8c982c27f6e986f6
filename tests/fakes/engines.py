"""Engines for tests: scripted strategies, hand-made slices, and recorded runs to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fakes.homes import CountedFeed, plain_settings
from fakes.orders import START, instrument
from tidewright.app.backtest import engine_config
from tidewright.app.driver import Driver
from tidewright.app.feeds.simulated import TRADING_START, SimulatedFeed
from tidewright.app.strategies import LoadedStrategy
from tidewright.domain import events as ev
from tidewright.domain.facts import Outcome, SubmitOrder
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.orders import Fill, OrderIntent
from tidewright.domain.ports import OutcomeSink
from tidewright.engine.config import EngineConfig, StrategySetup
from tidewright.engine.core import Engine
from tidewright.engine.encoding import encode_outcome
from tidewright.engine.snapshot import take_snapshot
from tidewright.exchange.paper import PaperVenue
from tidewright.exchange.paper.log import MemoryVenueLog
from tidewright.execution.settings import ExecutionSettings
from tidewright.features.declarations import ColumnReference, resolve
from tidewright.market.arrays import BarArrays, bar_arrays
from tidewright.risk.settings import RiskSettings
from tidewright.storage.memory_journal import MemoryJournal
from tidewright.strategy.model import SizingMethod, SizingSpec
from tidewright.strategy.outputs import N_OUTPUTS, Output

CASH = 10_000 * 10**8
"""Ten thousand in money units."""

T = TypeVar("T")

BUY = {Output.ENTRY_LONG: 1.0}
SELL = {Output.EXIT_LONG: 1.0}


class Scripted:
    """A strategy whose answer is looked up by the newest close, in ticks of 0.01."""

    references: Sequence[ColumnReference] = (resolve("close", ()),)

    def __init__(self, name: str, answers: Mapping[int, Mapping[Output, float]]) -> None:
        self.name = name
        self.answers = answers
        self.asked: list[int] = []

    def evaluator(self, columns: Sequence[ColumnReference]) -> _Reader:
        return _Reader(self, list(columns).index(self.references[0]))


class _Reader:
    def __init__(self, strategy: Scripted, place: int) -> None:
        self._strategy = strategy
        self._place = place

    def evaluate(
        self, current: NDArray[np.float64], previous: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        close = round(current[self._place] * 100)
        self._strategy.asked.append(close)
        outputs = np.full(N_OUTPUTS, np.nan)
        outputs[:4] = 0.0
        outputs[Output.CONFIDENCE] = 0.8
        for output, value in self._strategy.answers.get(close, {}).items():
            outputs[output] = value
        return outputs


def setup(strategy: Scripted, **changes: Any) -> StrategySetup:
    """Trades ten percent of equity unless told otherwise."""
    fields: dict[str, Any] = {
        "strategy": strategy,
        "timeframe": "",
        "symbols": None,
        "sizing": SizingSpec(SizingMethod.PERCENT_OF_EQUITY, Decimal(10)),
        "time_stop_bars": 0,
        "expire_after_bars": 0,
        "reasons": {"entry.long": "script says buy", "exit.long": "script says sell"},
    }
    return StrategySetup(**{**fields, **changes})


class Bench:
    """An engine, told slices by hand; venue answers are made up by the test."""

    def __init__(
        self,
        *setups: StrategySetup,
        instruments: Sequence[Instrument] = (),
        window: ev.TradingWindow | None = None,
        **risk: Any,
    ) -> None:
        limits: dict[str, Any] = {
            "max_position_size_percent": Decimal(50),
            "max_total_exposure_percent": Decimal(100),
            "max_correlated_positions": "off",
        }
        self.engine = Engine(
            EngineConfig(
                home="bench",
                account="main",
                feed_timeframe="1m",
                strategies=setups,
                risk=RiskSettings(**{**limits, **risk}),
                execution=ExecutionSettings(),
                fingerprint="f",
            )
        )
        self.venue_sequence = 0
        self.ts = START
        defined = [ev.InstrumentDefined(one) for one in instruments or (instrument(),)]
        opening = ev.AccountReported(CASH, (), START, 0)
        self.tell(ev.Started(START, "f"), *defined, window or ev.TradingWindow(0), opening)

    def tell(self, *events: ev.Event, ts: int | None = None) -> Outcome:
        self.ts = self.ts if ts is None else ts
        return self.engine.step(self.engine.state.sequence + 1, ev.Slice(self.ts, events))

    def bars(self, *bars: Bar, before: Sequence[ev.Event] = ()) -> Outcome:
        return self.tell(*before, *bars, ts=max(bar.ts_known for bar in bars))

    def accepted(self, client_id: str) -> ev.OrderAccepted:
        self.venue_sequence += 1
        return ev.OrderAccepted(client_id, f"v-{client_id}", self.ts, self.venue_sequence)

    def filled(
        self, order: OrderIntent, ticks: int, lots: int = 0, fee: int = 0, client_id: str = ""
    ) -> ev.OrderFilled:
        self.venue_sequence += 1
        fill = Fill(
            f"t{self.venue_sequence}",
            client_id or order.client_id,
            order.instrument,
            order.side,
            lots or order.lots,
            ticks,
            fee,
            False,
            self.ts,
        )
        return ev.OrderFilled(fill, self.venue_sequence)

    def enter(self, *bars: Bar) -> OrderIntent:
        """Tell bars, accept and fill the one entry they led to at its reference."""
        order = only_order(self.bars(*bars))
        self.tell(self.accepted(order.client_id), self.filled(order, order.reference_ticks))
        return order


def facts_of(outcome: Outcome, kind: type[T]) -> list[T]:
    return [fact for fact in outcome.facts if isinstance(fact, kind)]


def orders_of(outcome: Outcome) -> list[OrderIntent]:
    return [item.order.intent for item in outcome.commands if isinstance(item, SubmitOrder)]


def only_order(outcome: Outcome) -> OrderIntent:
    (order,) = orders_of(outcome)
    return order


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """Everything that a run took in and gave out, and its state after every input."""

    config: EngineConfig
    slices: tuple[ev.Slice, ...]
    outcomes: tuple[Outcome, ...]
    snapshots: tuple[bytes, ...]
    written: tuple[bytes, ...]

    def history(self, inputs: int, name: str) -> BarArrays | None:
        """Return the bars of an instrument within the first inputs."""
        bars = [
            event
            for slice_ in self.slices[:inputs]
            for event in slice_.events
            if type(event) is Bar and event.instrument == name
        ]
        return bar_arrays(name, self.config.feed_timeframe, bars) if bars else None


class _Watcher(OutcomeSink):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.slices: list[ev.Slice] = []
        self.outcomes: list[Outcome] = []
        self.snapshots: list[bytes] = []

    def publish(self, slice_: ev.Slice, outcome: Outcome) -> None:
        self.slices.append(slice_)
        self.outcomes.append(outcome)
        self.snapshots.append(take_snapshot(self.engine.state))


def record(strategies: Sequence[LoadedStrategy], minutes: int, *overrides: str) -> RecordedRun:
    """Run strategies over the simulated market in memory and keep every step."""
    settings = plain_settings(*overrides)
    feed = CountedFeed(SimulatedFeed(7), minutes)
    config = engine_config(settings, strategies, "1m", home="bench", keep_history=False)
    engine = Engine(config)
    venue = PaperVenue(
        list(feed.instruments), settings.paper_settings(), MemoryVenueLog(), settings.seed
    )
    watcher = _Watcher(engine)
    driver = Driver(engine, MemoryJournal(), venue, [watcher])
    slices = list(feed.slices(0))
    defined = [ev.InstrumentDefined(one) for one in feed.instruments]
    window = ev.TradingWindow(TRADING_START)
    start = [ev.Started(0, config.fingerprint), window, venue.account(), *defined]
    driver.control(slices[0].ts_known - 1, start)
    for slice_ in slices:
        driver.market(slice_)
    return RecordedRun(
        config,
        tuple(watcher.slices),
        tuple(watcher.outcomes),
        tuple(watcher.snapshots),
        tuple(encode_outcome(outcome) for outcome in watcher.outcomes),
    )
