"""From a request to the arrays of the bulk loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import from_decimal
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.engine.config import StrategySetup
from tidewright.features.declarations import ColumnReference
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.bits import make_finite
from tidewright.kernels.bulk.breakers import NEVER
from tidewright.kernels.bulk.venue import PRICE_END
from tidewright.kernels.fills import FAR, FillRules
from tidewright.market.arrays import BarArrays, Int64
from tidewright.research.bulk.columns import instrument_rows
from tidewright.research.bulk.request import EVENT_PATH, BulkRequest, Unsupported
from tidewright.research.bulk.rules import Rules
from tidewright.research.bulk.settings import (
    limits_of,
    owner_of,
    plan_of,
    terms_row,
    whole_minimum,
)
from tidewright.risk.settings import OFF
from tidewright.strategy.compile import CompiledStrategy
from tidewright.strategy.model import StrategySpec
from tidewright.strategy.outputs import N_OUTPUTS
from tidewright.strategy.program import Program

_BARS = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")
_FIRST_LOG = 4_096
_NAMES = frozenset({"id", "venue", "base", "quote", "source"})
_OF_TERMS = attrgetter(*(one.name for one in fields(Instrument) if one.name not in _NAMES))


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that `kernels.bulk.run.run` takes.

    Parameters
    ----------
    market, script, plan, limits, rules, terms
        As there.
    instruments : tuple of Instrument
        By the number that the arrays use.
    cash : int
        Opening balance in money units.
    """

    market: at.Market
    script: at.Script
    plan: at.Plan
    limits: at.Limits
    rules: FillRules
    terms: Int64
    instruments: tuple[Instrument, ...]
    cash: int


def prepare(request: BulkRequest) -> Prepared | Unsupported:
    """Return a request as arrays, or why the loop cannot run it.

    Raises
    ------
    ConfigError
        If the series do not fit the instruments.
    """
    series = cut_series(request)
    unsupported = unsupported_strategy(request) or unsupported_series(request, series)
    if unsupported is not None:
        return Unsupported(f"{unsupported}{EVENT_PATH}")
    config = request.config
    setup = config.strategies[0]
    strategy = compiled_of(setup)
    instruments = ordered_instruments(request)
    timeframe = setup.timeframe or config.feed_timeframe
    watched = watched_of(setup, instruments)
    market = market_of(series, instruments, strategy.references, timeframe, watched, request.silent)
    terms = terms_of_setup(request, setup, instruments)
    return Prepared(
        market=market,
        script=_script(strategy, market, terms),
        plan=plan_of_setup(request, setup),
        limits=limits_of(config.risk),
        rules=request.paper.rules(request.seed),
        terms=terms,
        instruments=instruments,
        cash=from_decimal(request.paper.initial_balance),
    )


def compiled_of(setup: StrategySetup) -> CompiledStrategy:
    """Return the strategy of a setup that `unsupported_strategy` let pass."""
    strategy = setup.strategy
    assert isinstance(strategy, CompiledStrategy)  # noqa: S101 - looked at before
    return strategy


def ordered_instruments(request: BulkRequest) -> tuple[Instrument, ...]:
    """Return the instruments by id: their place is their number in all arrays."""
    return tuple(sorted(request.instruments, key=lambda one: one.id))


def watched_of(setup: StrategySetup, instruments: Sequence[Instrument]) -> tuple[bool, ...]:
    """Return which instruments a strategy trades."""
    return tuple(setup.symbols is None or one.id in setup.symbols for one in instruments)


def terms_of_setup(
    request: BulkRequest, setup: StrategySetup, instruments: Sequence[Instrument]
) -> Int64:
    """Return the terms of instruments, shape (n_instruments, N_TERMS)."""
    config = replace(request.config, strategies=(setup,))
    feed = config.feed_timeframe
    # Hundreds of shares have the same terms, and exact fractions are slow.
    known: dict[tuple[object, ...], Int64] = {}
    keyed = request.paper.rules(request.seed).partial_ppm > 0
    rows = []
    for one in instruments:
        watched = setup.symbols is None or one.id in setup.symbols
        alike = (watched, _OF_TERMS(one))
        if alike not in known:
            row = terms_row(one, setup, config.risk, 0, feed)
            row[at.BORROW_PPM] = request.paper.borrow_ppm(one.borrow_rate) if one.shortable else 0
            known[alike] = row
        rows.append(known[alike].copy())
        if keyed:
            rows[-1][at.OWNER] = owner_of(config, one.id)
    return np.stack(rows)


def plan_of_setup(request: BulkRequest, setup: StrategySetup) -> at.Plan:
    """Return how a strategy trades."""
    feed = request.config.feed_timeframe
    bars_per_row = timeframe_nanoseconds(setup.timeframe or feed) // timeframe_nanoseconds(feed)
    keyed = request.paper.rules(request.seed).partial_ppm > 0
    return plan_of(setup, bars_per_row, request.window, keyed)


def new_state(prepared: Prepared) -> at.State:
    """Return the state in which a run begins."""
    market = prepared.market
    count, slices = len(prepared.instruments), len(market.moments)
    account = np.zeros(at.N_ACCOUNT, np.int64)
    account[at.CASH] = prepared.cash
    # The first input opens the account.
    account[at.BESIDE] = 1
    account[at.NEXT_ENTRY] = account[at.LAST_TRADE_DAY] = -1
    account[at.OWES_FROM] = FAR
    breakers = np.zeros(at.N_BREAKERS, np.int64)
    breakers[at.LEVEL] = breakers[at.DAILY_LEVEL] = NEVER
    books = np.zeros((count, at.N_BOOK), np.int64)
    books[:, at.SLIPPED_DAY] = -1
    books[:, at.QUIET_LOW], books[:, at.QUIET_HIGH] = -FAR, FAR
    books[:, at.CHARGED_DAY], books[:, at.CHARGE_FROM] = at.NOT_SHORT, FAR
    # Room that is never written costs nothing; logs that fill up are made longer.
    in_parts = prepared.plan.parts
    log = _FIRST_LOG + 16 * count + (len(market.known) // 16 if prepared.plan.logged else 0)
    return at.State(
        account=account,
        breakers=breakers,
        trades=np.zeros((count, at.N_TRADE), np.int64),
        books=books,
        holdings=np.zeros((count, at.N_HOLDING), np.int64),
        refusals=np.zeros(len(at.RULES), np.int64),
        candidates=np.zeros((count, at.N_WANTED), np.int64),
        sureness=np.zeros(count),
        active=np.zeros(count, np.int64),
        orders=np.empty((log, at.N_ORDER), np.int64),
        fills=np.empty((log, at.N_FILL), np.int64),
        round_trips=np.empty((log, at.N_TRADE_LOG), np.int64),
        notes=np.empty((log, at.N_NOTE), np.int64),
        confidences=np.empty(log),
        equity=np.empty(len(market.kept) or slices, np.int64),
        totals=np.zeros(at.N_TOTALS),
        parts=np.zeros((count if in_parts else 0, 3, at.N_TRADE), np.int64),
        order_parts=np.zeros((log if in_parts else 0, at.N_ORDER_PARTS), np.int64),
    )


def longer_logs(state: at.State) -> at.State:
    """Return a state whose logs have twice the room."""

    def double(log: Int64) -> Int64:
        return np.concatenate((log, np.empty_like(log)))

    return state._replace(
        orders=double(state.orders),
        fills=double(state.fills),
        round_trips=double(state.round_trips),
        notes=double(state.notes),
        order_parts=double(state.order_parts),
        confidences=np.concatenate((state.confidences, np.empty_like(state.confidences))),
    )


def cut_series(request: BulkRequest) -> tuple[BarArrays, ...]:
    """Return the series by instrument id, up to the end of the window."""
    end = request.window.end
    ids = sorted(one.instrument for one in request.series)
    if ids != sorted({one.id for one in request.instruments}):
        raise ConfigError(f"series were of {ids}; expected one for each given instrument")
    ordered = sorted(request.series, key=lambda one: one.instrument)
    if not end:
        return tuple(ordered)
    return tuple(
        one.slice(0, int(np.searchsorted(one.ts_known, end, side="right"))) for one in ordered
    )


def unsupported_strategy(request: BulkRequest) -> str | None:
    """Return what of a strategy the loop would not do exactly as engine and venue do."""
    setups = request.config.strategies
    if len(setups) != 1:
        return f"{len(setups)} strategies share one account"
    if not isinstance(setups[0].strategy, CompiledStrategy):
        return f"strategy {setups[0].strategy.name!r} is written in Python"
    return _not_mirrored(request, setups[0].strategy.spec)


def unsupported_series(request: BulkRequest, series: Sequence[BarArrays]) -> str | None:
    """Return what of bars and instruments the loop would not take as engine and venue do."""
    for one in series:
        if one.timeframe != request.config.feed_timeframe:
            return f"{one.instrument} has bars of {one.timeframe}, not of the feed's timeframe"
    if not _priced_inside(series):
        outside = next(one for one in series if not _priced_inside([one]))
        return f"{outside.instrument} has prices outside 1 to {PRICE_END - 1} ticks"
    minima: dict[object, Instrument] = {one.min_notional: one for one in request.instruments}
    for instrument in minima.values():
        if not whole_minimum(instrument):
            return f"{instrument.id} has a smallest order value finer than money is counted in"
    return None


def _priced_inside(series: Sequence[BarArrays]) -> bool:
    """Return whether all prices are 1 to ``PRICE_END`` - 1 ticks."""
    parts = [one for one in series if len(one)]
    if not parts:
        return True
    low, high = _joined([one.low for one in parts]), _joined([one.high for one in parts])
    return bool(low.min() > 0 and high.max() < PRICE_END)


def _not_mirrored(request: BulkRequest, spec: StrategySpec) -> str | None:
    """Return what of a strategy or its limits only the event path knows."""
    if request.config.risk.pilot_loss_budget != OFF:
        return "a pilot's loss budget is set"
    return None


def _script(strategy: CompiledStrategy, market: at.Market, terms: Int64) -> at.Script:
    columns = market.columns
    for column in columns:
        make_finite(column)
    places = {reference: place for place, reference in enumerate(strategy.references)}
    rules = Rules(lambda reference: columns[places[reference]], market.first_column)
    flags = flags_of_bars(rules.flags(strategy.rules()), market, terms)
    return script_of(strategy.numbers(), len(columns), flags)


def script_of(numbers: Program, columns: int, flags: at.Flags) -> at.Script:
    """Return rules that hold and a program of so many columns, with its scratch space."""
    return at.Script(
        numbers.code,
        numbers.constants,
        np.zeros(numbers.stack_depth),
        np.full(N_OUTPUTS, np.nan),
        np.full((columns, 1), np.nan),
        flags,
    )


def flags_of_bars(flags: at.Flags, market: at.Market, terms: Int64) -> at.Flags:
    """Return the rules that hold at each bar of the instruments that are watched.

    Parameters
    ----------
    flags : uint8 array of shape (n_column_rows,)
        Rules that hold at each row of columns; changed in place where bars have rows of their own.
    market : Market
        Says which row came with which bar.
    terms : int64 array of shape (n_instruments, N_TERMS)
        Says who is watched.
    """
    rows = market.column_row
    if len(rows):
        flags = np.where(rows >= 0, flags[rows], 0) if len(flags) else np.zeros(len(rows), np.uint8)
    for instrument in np.flatnonzero(terms[:, at.WATCHED] == 0).tolist():
        flags[market.first[instrument] : market.first[instrument + 1]] = 0
    return flags


def market_of(
    series: Sequence[BarArrays],
    instruments: Sequence[Instrument],
    references: Sequence[ColumnReference],
    timeframe: str,
    watched: Sequence[bool],
    silent: Int64,
) -> at.Market:
    """Return bars and columns of rows as the loop takes them; equity is kept at every slice.

    Parameters
    ----------
    series : sequence of BarArrays
        By instrument id.
    instruments : sequence of Instrument
        By id.
    references : sequence of ColumnReference
        Columns.
    timeframe : str
        Of the rows.
    watched : sequence of bool
        Instruments that cross-sections are taken over.
    silent : int64 array
        Times of slices without bars.
    """
    bars = [_joined([getattr(one, name) for one in series]) for name in _BARS]
    first = _firsts([len(one) for one in series])
    slices = _slices(bars[1], first)
    columns, column_rows, firsts = _column_rows(series, instruments, references, timeframe, watched)
    return at.Market(
        opened=bars[0],
        known=bars[1],
        open=bars[2],
        high=bars[3],
        low=bars[4],
        close=bars[5],
        volume=bars[6],
        first=first,
        order=slices.order,
        owner=slices.owner,
        moments=slices.moments,
        begins=slices.begins,
        moment_of=slices.moment_of,
        columns=columns,
        first_column=firsts,
        column_row=column_rows,
        silent=np.array(silent, np.int64),
        extremes=np.zeros((0, 4), np.int64),
        kept=np.zeros(0, np.int64),
        worth=np.zeros((len(series), 0)),
        lines=np.zeros((0, at.N_LINE), np.int64),
        line_worth=np.zeros((0, at.N_LINE)),
    )


def with_lines(market: at.Market) -> at.Market:
    """Return a market that holds its bars in cache lines too: worth it for more than a few runs."""
    lines = np.zeros((len(market.known), at.N_LINE), np.int64)
    for place, name in (
        (at.LINE_OPENED, "opened"),
        (at.LINE_KNOWN, "known"),
        (at.LINE_OPEN, "open"),
        (at.LINE_HIGH, "high"),
        (at.LINE_LOW, "low"),
        (at.LINE_CLOSE, "close"),
        (at.LINE_VOLUME, "volume"),
    ):
        lines[:, place] = getattr(market, name)
    worth = lines.view(np.float64)
    for instrument in range(len(market.worth) if market.worth.shape[1] else 0):
        first, end = market.first[instrument : instrument + 2].tolist()
        moments = market.moment_of[first:end] if len(market.order) else slice(None, -1)
        worth[first:end, at.LINE_WORTH] = market.worth[instrument, moments]
    return market._replace(lines=lines, line_worth=worth)


@dataclass(frozen=True, slots=True, eq=False)
class _Slices:
    """Rows by time, as `Market` has them."""

    order: Int64
    owner: Int64
    moments: Int64
    begins: Int64
    moment_of: Int64


def _slices(known: Int64, first: Int64) -> _Slices:
    if len(first) == 2:
        none = np.zeros(0, np.int64)
        return _Slices(none, none, known, none, none)
    shared = _shared_slices(known, first)
    if shared is not None:
        return shared
    rows = len(known)
    order = np.argsort(known, kind="stable")
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))[order]
    times = known[order]
    fresh = np.ones(rows, bool)
    fresh[1:] = times[1:] != times[:-1]
    begins = np.append(np.flatnonzero(fresh), rows)
    moment_of = np.empty(rows, np.int64)
    moment_of[order] = np.cumsum(fresh) - 1
    return _Slices(order, owner, times[begins[:-1]], begins, moment_of)


def _shared_slices(known: Int64, first: Int64) -> _Slices | None:
    """Return the slices of instruments whose bars all come at the same times; else None."""
    count, each = len(first) - 1, int(first[1])
    if not each or np.any(np.diff(first) != each):
        return None
    times = known.reshape(count, each)
    if np.any(times[1:] != times[0]):
        return None
    return _Slices(
        order=np.arange(len(known)).reshape(count, each).T.ravel(),
        owner=np.tile(np.arange(count), each),
        moments=times[0].copy(),
        begins=np.arange(0, len(known) + 1, count),
        moment_of=np.tile(np.arange(each), count),
    )


def _column_rows(
    series: Sequence[BarArrays],
    instruments: Sequence[Instrument],
    references: Sequence[ColumnReference],
    timeframe: str,
    watched: Sequence[bool],
) -> tuple[at.Float64, Int64, Int64]:
    """Return columns, the row that came with each bar, and the first row of each instrument."""
    parts, places, counts = [], [], []
    total = 0
    found = instrument_rows(series, instruments, references, timeframe, watched)
    for one, rows in zip(series, found, strict=True):
        if rows.source_row is not None:
            place = np.full(len(one), -1, np.int64)
            # Where a bar finishes two longer ones, the later one is the row that is evaluated.
            place[rows.source_row] = total + np.arange(len(rows.bars))
            places.append(place)
        parts.append(rows.columns)
        counts.append(len(rows.bars))
        total += len(rows.bars)
    columns = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    column_row = np.concatenate(places) if places else np.zeros(0, np.int64)
    return columns, column_row, _firsts(counts)


def _firsts(counts: Sequence[int]) -> Int64:
    return np.cumsum([0, *counts], dtype=np.int64)


def _joined(parts: Sequence[Int64]) -> Int64:
    """Return parts one after the other, in one contiguous writable array."""
    if len(parts) > 1:
        return np.concatenate(parts)
    part = np.ascontiguousarray(parts[0], np.int64)
    return part if part.flags.writeable else part.copy()
