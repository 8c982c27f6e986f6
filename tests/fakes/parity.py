"""One backtest through both engines, compared order by order, fill by fill, bar by bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tidewright.app.backtest import run_backtest
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.domain.events import Slice, TradingWindow
from tidewright.domain.facts import OrderExecuted, Outcome, SubmitOrder
from tidewright.domain.orders import OrderIntent
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk


@dataclass
class Orders:
    """An outcome sink that keeps the orders that left, and cash after each fill."""

    placed: list[OrderIntent] = field(default_factory=list)
    cash: list[int] = field(default_factory=list)

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        self.placed += [
            command.order.intent for command in outcome.commands if isinstance(command, SubmitOrder)
        ]
        self.cash += [fact.cash for fact in outcome.facts if isinstance(fact, OrderExecuted)]


def bulk_run(
    feed: BarFeed, strategy: LoadedStrategy, settings: Settings, window: TradingWindow
) -> BulkResult:
    """Return the bulk result; a refusal to run fails the test."""
    result = run_bulk(bulk_request(feed, [strategy], settings, window, home="h"))
    assert isinstance(result, BulkResult), result
    return result


def assert_equal_runs(
    series: Sequence[BarArrays],
    instruments: Sequence[object],
    strategy: LoadedStrategy,
    settings: Settings,
    window: TradingWindow | None = None,
) -> Counter[str]:
    """Run both engines; fail on the first difference, else return what happened."""
    window = window or TradingWindow(0)
    feed = BarFeed(series, instruments, "test")  # type: ignore[arg-type]
    bulk = bulk_run(feed, strategy, settings, window)
    kept = Orders()
    event = run_backtest(feed, [strategy], settings, window, sinks=[kept], home="h").recorder
    times, equity = event.equity_series()
    different = np.flatnonzero(bulk.equity != equity) if len(equity) == len(bulk.equity) else None
    first = len(equity) if different is None or not len(different) else int(different[0])
    until = int(times[first]) if first < len(times) else 2**63
    _assert_equal(
        [one for one in bulk.orders() if one.ts_decided <= until],
        [one for one in kept.placed if one.ts_decided <= until],
    )
    _assert_equal(bulk.orders(), kept.placed)
    _assert_equal(bulk.fills(), event.fills)
    _assert_equal(bulk.fill_rows[:, 9].tolist(), kept.cash)
    _assert_equal(bulk.trades(), event.trades)
    charges = [(one.instrument, one.amount, one.days) for one in event.charges]
    _assert_equal(bulk.charges(), charges)
    assert dict(bulk.refusals) == dict(event.refusals)
    assert dict(bulk.alerts) == dict(event.alerts)
    _assert_equal(bulk.state_changes(), event.state_changes)
    assert bulk.orders_placed == event.orders
    assert np.array_equal(bulk.times, times)
    assert np.array_equal(bulk.equity, equity)
    assert bulk.slices_in_market == event.slices_in_market
    found = Counter(event.refusals)
    found.update({f"alert {name}": count for name, count in event.alerts.items()})
    found["orders"], found["fills"] = len(kept.placed), len(event.fills)
    found["trades"], found["changes"] = len(event.trades), len(event.state_changes)
    found["charges"] = len(charges)
    found.update(f"left by {trade.exit_reason}" for trade in event.trades)
    return found


def _assert_equal(found: Sequence[object], expected: Sequence[object]) -> None:
    for index, (one, other) in enumerate(zip(found, expected, strict=False)):
        assert one == other, f"number {index}:\n{one}\n{other}"
    assert len(found) == len(expected)
