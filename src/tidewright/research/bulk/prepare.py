"""From a request to the arrays of the bulk loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import from_decimal
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.features.declarations import ColumnReference
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.breakers import NEVER
from tidewright.kernels.bulk.signals import BLOCK, flag_rows
from tidewright.kernels.bulk.venue import PRICE_END
from tidewright.kernels.fills import FAR, FillRules
from tidewright.market.arrays import BarArrays, Int64
from tidewright.research.bulk.columns import instrument_rows
from tidewright.research.bulk.request import BulkRequest, Unsupported
from tidewright.research.bulk.settings import (
    limits_of,
    owner_of,
    plan_of,
    terms_row,
    whole_minimum,
)
from tidewright.risk.settings import OFF
from tidewright.strategy.compile import CompiledStrategy
from tidewright.strategy.model import SizingMethod, StrategySpec
from tidewright.strategy.outputs import N_OUTPUTS

_BARS = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")
_FIRST_LOG = 4_096


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
    series = _cut(request)
    unsupported = _unsupported(request, series)
    if unsupported is not None:
        return Unsupported(f"{unsupported}; the event path runs it")
    config = request.config
    setup = config.strategies[0]
    strategy = setup.strategy
    assert isinstance(strategy, CompiledStrategy)  # noqa: S101 - `_unsupported` looked
    by_id = {instrument.id: instrument for instrument in request.instruments}
    instruments = tuple(by_id[one.instrument] for one in series)
    timeframe = setup.timeframe or config.feed_timeframe
    watched = [setup.symbols is None or one.id in setup.symbols for one in instruments]
    market = _market(series, instruments, strategy.references, timeframe, watched, request.silent)
    rules = request.paper.rules(request.seed)
    bars_per_row = timeframe_nanoseconds(timeframe) // timeframe_nanoseconds(config.feed_timeframe)
    return Prepared(
        market=market,
        script=_script(strategy, market),
        plan=plan_of(setup, bars_per_row, request.window, rules.partial_ppm > 0),
        limits=limits_of(config.risk),
        rules=rules,
        terms=np.stack(
            [terms_row(one, setup, config.risk, owner_of(config, one.id)) for one in instruments]
        ),
        instruments=instruments,
        cash=from_decimal(request.paper.initial_balance),
    )


def new_state(prepared: Prepared) -> at.State:
    """Return the state in which a run begins."""
    count, rows = len(prepared.instruments), len(prepared.market.order)
    account = np.zeros(at.N_ACCOUNT, np.int64)
    account[at.CASH] = prepared.cash
    # The first input opens the account.
    account[at.SEQUENCE] = 1
    breakers = np.zeros(at.N_BREAKERS, np.int64)
    breakers[at.LEVEL] = breakers[at.DAILY_LEVEL] = NEVER
    books = np.zeros((count, at.N_BOOK), np.int64)
    books[:, at.SLIPPED_DAY] = -1
    books[:, at.QUIET_LOW], books[:, at.QUIET_HIGH] = -FAR, FAR
    # Room that is never written costs nothing; logs that fill up are made longer.
    log = _FIRST_LOG + 16 * count + rows // 16
    return at.State(
        account=account,
        breakers=breakers,
        trades=np.zeros((count, at.N_TRADE), np.int64),
        books=books,
        holdings=np.zeros((count, at.N_HOLDING), np.int64),
        refusals=np.zeros(len(at.RULES), np.int64),
        candidates=np.zeros((count, 7), np.int64),
        sureness=np.zeros(count),
        orders=np.empty((log, at.N_ORDER), np.int64),
        fills=np.empty((log, at.N_FILL), np.int64),
        round_trips=np.empty((log, at.N_TRADE_LOG), np.int64),
        notes=np.empty((log, at.N_NOTE), np.int64),
        confidences=np.empty(log),
        times=np.empty(rows, np.int64),
        equity=np.empty(rows, np.int64),
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
        confidences=np.concatenate((state.confidences, np.empty_like(state.confidences))),
    )


def _cut(request: BulkRequest) -> tuple[BarArrays, ...]:
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


def _unsupported(request: BulkRequest, series: Sequence[BarArrays]) -> str | None:
    """Return what the loop would not do exactly as engine and venue do."""
    setups = request.config.strategies
    if len(setups) != 1:
        return f"{len(setups)} strategies share one account"
    if not isinstance(setups[0].strategy, CompiledStrategy):
        return f"strategy {setups[0].strategy.name!r} is written in Python"
    unsupported = _not_mirrored(request, setups[0].strategy.spec)
    if unsupported is not None:
        return unsupported
    for one in series:
        if one.timeframe != request.config.feed_timeframe:
            return f"{one.instrument} has bars of {one.timeframe}, not of the feed's timeframe"
        if len(one) and (int(one.low.min()) <= 0 or int(one.high.max()) >= PRICE_END):
            return f"{one.instrument} has prices outside 1 to {PRICE_END - 1} ticks"
    for instrument in request.instruments:
        if not whole_minimum(instrument):
            return f"{instrument.id} has a smallest order value finer than money is counted in"
    return None


def _not_mirrored(request: BulkRequest, spec: StrategySpec) -> str | None:
    """Return what of a strategy or its limits only the event path knows."""
    if request.config.risk.pilot_loss_budget != OFF:
        return "a pilot's loss budget is set"
    new = {SizingMethod.VOLATILITY_TARGET, SizingMethod.KELLY} & set(spec.sizing.methods)
    if new:
        return f"strategy {spec.name!r} sizes by {min(new)}"
    if spec.entry.short is None:
        return None
    for instrument in request.instruments:
        if instrument.shortable and request.paper.borrow_ppm(instrument.borrow_rate) > 0:
            return f"{instrument.id} may be sold short at a fee for borrowing it"
    return None


def _script(strategy: CompiledStrategy, market: at.Market) -> at.Script:
    program, rules = strategy.program(), strategy.conditions()
    flags = np.zeros(market.columns.shape[1], np.uint8)
    flag_rows(
        rules.code,
        rules.constants,
        market.columns,
        market.first_column,
        np.empty((rules.stack_depth, BLOCK)),
        flags,
    )
    return at.Script(
        program.code,
        program.constants,
        np.zeros(program.stack_depth),
        np.full(N_OUTPUTS, np.nan),
        np.full((len(strategy.references), 1), np.nan),
        flags,
    )


def _market(
    series: Sequence[BarArrays],
    instruments: Sequence[Instrument],
    references: Sequence[ColumnReference],
    timeframe: str,
    watched: Sequence[bool],
    silent: Int64,
) -> at.Market:
    bars = [_joined([getattr(one, name) for one in series]) for name in _BARS]
    first = _firsts([len(one) for one in series])
    rows = len(bars[0])
    if len(series) == 1:
        order, owner = np.arange(rows), np.zeros(rows, np.int64)
    else:
        order = np.argsort(bars[1], kind="stable")
        owner = np.searchsorted(first, order, side="right") - 1
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
        order=order,
        owner=owner,
        columns=columns,
        first_column=firsts,
        column_row=column_rows,
        silent=np.array(silent, np.int64),
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
