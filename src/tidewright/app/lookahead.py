"""Look-ahead check of a strategy over stored bars: its columns, its decisions, its orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import numpy as np

from tidewright.app.backtest import run_backtest
from tidewright.app.bulk import bulk_request
from tidewright.app.data import rescaled
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import Slice, TradingWindow
from tidewright.domain.facts import Outcome, SubmitOrder
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import Bracket, OrderIntent
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.features.declarations import resolve
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.lookahead.check import (
    Check,
    Finding,
    Float64,
    LookaheadReport,
    Observation,
    Progress,
    Sources,
    Subject,
    check_lookahead,
    check_scale,
    check_stamps,
    joined_reports,
    sample_times,
)
from tidewright.research.lookahead.leaks import next_returns, pooled_leak_report
from tidewright.research.lookahead.subjects import (
    decisions,
    longer_subject,
    scaled,
    strategy_subject,
)
from tidewright.strategy.compile import CompiledStrategy

_ORDER_PARTS = (
    "instrument",
    "side",
    "lots",
    "reference",
    "limit",
    "stop",
    "target",
    "trail",
    "confidence",
)
ORDER_TIMES = 24
"""At how many times orders are compared; a fourth for strategies written in Python."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How much of the data is looked at.

    Parameters
    ----------
    rows : int
        Newest bars of each symbol, >= 2.
    times : int
        Times at which histories are cut, > 0.
    seed : int
        Of the choice of these times.
    """

    rows: int = 20_000
    times: int = 200
    seed: int = 0

    def newest(self, series: Sequence[BarArrays]) -> tuple[BarArrays, ...]:
        """Return the newest bars of every series."""
        return tuple(one.slice(max(0, len(one) - self.rows), len(one)) for one in series)


USUAL_SAMPLE = Sample()
"""What is looked at unless told otherwise."""


def check_strategy(
    strategy: LoadedStrategy,
    feed: BarFeed,
    settings: Settings,
    sample: Sample = USUAL_SAMPLE,
    *,
    progress: Progress | None = None,
) -> LookaheadReport:
    """Check a strategy for look-ahead over the newest bars of a feed.

    Parameters
    ----------
    strategy : LoadedStrategy
        A written strategy or one in Python.
    feed : BarFeed
        The bars.
    settings : Settings
        Limits, costs and account, for the orders.
    sample : Sample
        How much of the data is looked at.
    progress : callable or None
        Told how many runs are done, and of how many.

    Returns
    -------
    LookaheadReport
        Columns, decisions and orders up to sampled times, with and without the rest of the data
        and with another future; whether decisions depend on the unit of price; and columns that go
        with the next return more than can be believed.

    Raises
    ------
    ConfigError
        If the strategy cannot answer for rows of a history, or there are too few bars.
    """
    name = strategy.setup.strategy.name
    sources = sample.newest(feed.series)
    chosen = sample_times(sources, _longer(strategy), sample.times, sample.seed)
    if not len(chosen):
        raise ConfigError(f"{feed.description}: too few bars to cut; expected at least 2")
    instruments = feed.instruments
    subject = strategy_subject(strategy.setup, instruments)
    told = _Stages(progress, 2)
    columns = check_lookahead(
        subject, sources, chosen.tolist(), name=name, seed=sample.seed, progress=told.of(0)
    )
    written = isinstance(strategy.setup.strategy, CompiledStrategy)
    count = ORDER_TIMES if written else ORDER_TIMES // 4
    some = chosen[np.unique(np.linspace(0, len(chosen) - 1, count).astype(np.int64))]
    orders = check_lookahead(
        orders_subject(strategy, feed, settings),
        sources,
        some.tolist(),
        name=name,
        shocks=2,
        seed=sample.seed,
        progress=told.of(1),
    )
    scale = check_scale(
        decisions(strategy.setup, instruments, sources),
        decisions(strategy.setup, scaled(instruments), sources),
        name,
    )
    return joined_reports([columns, orders, scale, correlated(subject, sources, name)])


def check_longer(
    strategy: LoadedStrategy,
    feed: BarFeed,
    longer: BarFeed,
    sample: Sample = USUAL_SAMPLE,
    *,
    progress: Progress | None = None,
) -> LookaheadReport:
    """Check longer bars that come from a file of their own, and columns of them.

    Parameters
    ----------
    strategy : LoadedStrategy
        Its columns of that timeframe are looked at; without any, the close and a mean of closes.
    feed, longer : BarFeed
        The feed's bars and the longer ones; instruments that only one of them has are left out.
    sample, progress
        As `check_strategy` takes them.

    Returns
    -------
    LookaheadReport
        Whether the longer bars close as the shorter ones do when they are said to be known, and
        whether columns of them, both files cut by when their bars were known, know their future.

    Raises
    ------
    ConfigError
        If no instrument is in both, or the timeframe is not longer.
    """
    if timeframe_nanoseconds(longer.timeframe) <= timeframe_nanoseconds(feed.timeframe):
        raise ConfigError(
            f"{longer.description}: timeframe was {longer.timeframe}; expected one longer than "
            f"the data's {feed.timeframe}"
        )
    pairs = _common(feed, longer)
    name = f"{strategy.setup.strategy.name} with {longer.timeframe} of its own file"
    read = strategy.setup.strategy.references
    references = [one.own for one in read if one.timeframe == longer.timeframe]
    references = references or [
        replace(resolve(column, ()), timeframe=longer.timeframe) for column in ("close", "sma")
    ]
    bases = sample.newest([one for _, one, _ in pairs])
    sources = (*bases, *(one for _, _, one in pairs))
    chosen = sample_times(sources, (), sample.times, sample.seed)
    chosen = chosen[chosen >= max(int(one.ts_known[0]) for one in bases)]
    columns = check_lookahead(
        longer_subject(list(dict.fromkeys(references)), [one for one, _, _ in pairs]),
        sources,
        chosen.tolist(),
        name=name,
        seed=sample.seed,
        progress=progress,
    )
    return joined_reports([columns, *(check_stamps(base, bars) for _, base, bars in pairs)])


def _common(feed: BarFeed, longer: BarFeed) -> list[tuple[Instrument, BarArrays, BarArrays]]:
    """Return instruments that are in both, with both bars in the finer steps of the two."""
    others = {
        one.id: (one, bars) for one, bars in zip(longer.instruments, longer.series, strict=True)
    }
    found = []
    for one, bars in zip(feed.instruments, feed.series, strict=True):
        if one.id not in others or not len(bars):
            continue
        other, long = others[one.id]
        finer = replace(
            one,
            tick_size=min(one.tick_size, other.tick_size),
            lot_size=min(one.lot_size, other.lot_size),
        )
        found.append((finer, rescaled(bars, one, finer), rescaled(long, other, finer)))
    if not found:
        raise ConfigError(
            f"{longer.description}: symbols were {', '.join(sorted(others)[:5])}; expected some of "
            f"{', '.join(one.id for one in feed.instruments[:5])}"
        )
    return found


def _longer(strategy: LoadedStrategy) -> tuple[str, ...]:
    """Return every timeframe that a strategy reads beside the feed's own."""
    setup = strategy.setup
    read = [setup.timeframe, *(column.timeframe for column in setup.strategy.references)]
    return tuple(dict.fromkeys(one for one in read if one))


@dataclass
class _Stages:
    """Several checks told as one: every stage counts as an equal part."""

    progress: Progress | None
    stages: int
    parts: int = 1_000

    def of(self, stage: int) -> Progress | None:
        progress = self.progress
        if progress is None:
            return None

        def told(done: int, total: int) -> None:
            progress(stage * self.parts + self.parts * done // total, self.stages * self.parts)

        return told


def correlated(subject: Subject, sources: Sources, name: str) -> LookaheadReport:
    """Return the columns of a subject that go with the return of the bar after each row."""
    observed = subject(sources)
    values = [
        {key: column for key, column in one.values.items() if not key.startswith("output ")}
        for one in observed
    ]
    following = [_returns_after(one, source) for one, source in zip(observed, sources, strict=True)]
    report = pooled_leak_report(values, following)
    findings = tuple(
        Finding(
            Check.CORRELATION,
            name,
            one.column,
            0,
            one.correlation,
            one.bound,
            detail="rank correlation with the next return, and the least it can be",
        )
        for one in report.leaking
    )
    rows = sum(len(one.ts_known) for one in observed)
    return LookaheadReport(
        name, (Check.CORRELATION,), 0, rows, sum(one.rows for one in report.columns), findings
    )


def _returns_after(rows: Observation, bars: BarArrays) -> Float64:
    """Return the log return of the bar after the moment at which each row was known."""
    place = np.searchsorted(bars.ts_known, rows.ts_known, side="right") - 1
    returns: Float64 = next_returns(bars.close)[place]
    return returns


def orders_subject(strategy: LoadedStrategy, feed: BarFeed, settings: Settings) -> Subject:
    """Return the orders of a backtest as a subject: the compiled loop, or the event path."""
    window = TradingWindow(0)

    def subject(sources: Sources) -> Sequence[Observation]:
        part = BarFeed(sources, feed.instruments, feed.description)
        if not len(part):
            return [_observed([])]
        result = run_bulk(bulk_request(part, [strategy], settings, window))
        if isinstance(result, BulkResult):
            return [_observed(result.orders())]
        kept = _Orders()
        run_backtest(part, [strategy], settings, window, sinks=[kept])
        return [_observed(kept.placed)]

    return subject


@dataclass
class _Orders:
    """An outcome sink that keeps the orders that left."""

    placed: list[OrderIntent] = field(default_factory=list)

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        self.placed += [
            command.order.intent for command in outcome.commands if isinstance(command, SubmitOrder)
        ]


def _observed(orders: Sequence[OrderIntent]) -> Observation:
    """Return orders as rows of numbers, by the time at which they were decided."""
    nothing = Bracket()
    rows = [
        (
            # names as numbers: equal names are equal, and a float holds 48 bits of them
            float(int.from_bytes(blake2b(one.instrument.encode(), digest_size=6).digest())),
            float(one.side.sign),
            float(one.lots),
            float(one.reference_ticks),
            float(one.limit_ticks or 0),
            float((one.bracket or nothing).stop_ticks or 0),
            float((one.bracket or nothing).target_ticks or 0),
            float((one.bracket or nothing).trail_ticks or 0),
            one.confidence,
        )
        for one in orders
    ]
    table = np.array(rows, np.float64).reshape(-1, len(_ORDER_PARTS)).T
    return Observation(
        "orders",
        np.array([one.ts_decided for one in orders], np.int64),
        dict(zip(_ORDER_PARTS, np.ascontiguousarray(table), strict=True)),
    )
