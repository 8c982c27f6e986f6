"""Sweeps: many configurations of a strategy over the same bars.

The bars, the columns and the comparisons that sets have in common are worked out once. A set adds
where its own rules hold and then runs in the loop of a single backtest, which keeps equity at the
ends of days alone and forgets what no limit looks at any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import from_decimal
from tidewright.engine.config import StrategySetup
from tidewright.features.declarations import ColumnReference
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.fills import FillRules
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.daily import Days, block_extremes, days_of, running_worth
from tidewright.research.bulk.prepare import (
    Prepared,
    compiled_of,
    cut_series,
    flags_of_bars,
    market_of,
    ordered_instruments,
    plan_of_setup,
    script_of,
    terms_of_setup,
    unsupported_series,
    unsupported_strategy,
    watched_of,
    with_lines,
)
from tidewright.research.bulk.request import EVENT_PATH, BulkRequest
from tidewright.research.bulk.rules import Rules
from tidewright.research.bulk.run import run_prepared
from tidewright.research.bulk.settings import limits_of
from tidewright.research.bulk.store import ColumnStore, Rows
from tidewright.research.results import DailyResults, Int64
from tidewright.strategy.compile import CompiledStrategy
from tidewright.strategy.program import Program

Progress = Callable[[int, int], None]
"""Told how many sets are done, and of how many."""
Stop = Callable[[], bool]
"""Asked between sets whether to stop."""
Otherwise = Callable[[BulkRequest], DailyResults]
"""Runs a backtest that the loop refuses, and returns its one row."""


@dataclass(frozen=True, slots=True, eq=False)
class SweepRequest:
    """Many backtests that differ in their strategy alone.

    Parameters
    ----------
    base : BulkRequest
        Bars, limits, costs and window; its own strategy is not run.
    setups : tuple of StrategySetup
        The sets.
    """

    base: BulkRequest
    setups: tuple[StrategySetup, ...]

    def single(self, place: int) -> BulkRequest:
        """Return the backtest of one set."""
        config = replace(self.base.config, strategies=(self.setups[place],))
        return replace(self.base, config=config)


@dataclass(frozen=True, slots=True, eq=False)
class _Manner:
    """What sets share that differ in nothing but their rules.

    Parameters
    ----------
    unsupported : str
        What of them the loop cannot run; empty for nothing.
    wanted : tuple of ColumnReference
        Columns of ``numbers``.
    numbers : Program
        What an entry needs beside its rule.
    plan, terms
        As the loop takes them.
    """

    unsupported: str
    wanted: tuple[ColumnReference, ...]
    numbers: Program
    plan: at.Plan
    terms: Int64


_OF_RULES = frozenset({"entry", "exit", "description"})


def _manner_key(setup: StrategySetup) -> tuple[object, ...]:
    """Return everything of a set but its rules; sets with equal ones have one `_Manner`."""
    spec = compiled_of(setup).spec
    rest = [getattr(spec, one.name) for one in fields(spec) if one.name not in _OF_RULES]
    own = [
        getattr(setup, one.name) for one in fields(setup) if one.name not in ("strategy", "reasons")
    ]
    return (spec.entry.long is None, spec.entry.short is None, *rest, *own)


class _Ground:
    """What sets of equal timeframe and symbols share.

    Parameters
    ----------
    request : BulkRequest
        The base of the sweep.
    series : tuple of BarArrays
        Its bars, cut to its window.
    setup : StrategySetup
        One of the sets.
    """

    def __init__(
        self, request: BulkRequest, series: tuple[BarArrays, ...], setup: StrategySetup
    ) -> None:
        instruments = ordered_instruments(request)
        timeframe = setup.timeframe or request.config.feed_timeframe
        watched = watched_of(setup, instruments)
        market = market_of(series, instruments, (), timeframe, watched, request.silent)
        self.days = days_of(market.moments, request.window.start, instruments)
        extremes = market.extremes
        if len(series) == 1:
            extremes = block_extremes(market.low, market.high, market.close, at.BLOCK)
        self._market = with_lines(
            market._replace(
                extremes=extremes,
                kept=self.days.kept,
                worth=running_worth(series, instruments, market.moments),
            )
        )
        self._rows = int(market.first_column[-1])
        self._store = ColumnStore(Rows(series, instruments, timeframe, watched), self._rows)
        self._rules = Rules(self._store.__getitem__, market.first_column)
        self._flags = np.empty(self._rows, np.uint8)
        self._table: tuple[tuple[ColumnReference, ...], at.Market] | None = None
        self._manner: tuple[tuple[object, ...], _Manner] | None = None

    def prepared(self, request: BulkRequest, setup: StrategySetup, shared: _Shared) -> Prepared:
        """Return a set as the loop takes it.

        Raises
        ------
        ConfigError
            If the loop cannot run it.
        """
        strategy = compiled_of(setup)
        manner = self._manner_of(request, setup, shared)
        if manner.unsupported:
            raise ConfigError(manner.unsupported)
        self._store.load(strategy.references)
        if self._table is None or self._table[0] != manner.wanted:
            self._table = None
            table = self._store.table(manner.wanted, self._rows)
            self._table = manner.wanted, self._market._replace(columns=table)
        market = self._table[1]
        flags = self._rules.flags(strategy.rules(), self._flags)
        return Prepared(
            market=market,
            script=script_of(
                manner.numbers, len(manner.wanted), flags_of_bars(flags, market, manner.terms)
            ),
            plan=manner.plan,
            limits=shared.limits,
            rules=shared.fills,
            terms=manner.terms,
            instruments=shared.instruments,
            cash=shared.cash,
        )

    def _manner_of(self, request: BulkRequest, setup: StrategySetup, shared: _Shared) -> _Manner:
        key = _manner_key(setup)
        if self._manner is None or self._manner[0] != key:
            strategy = compiled_of(setup)
            wanted = strategy.number_references
            single = replace(request, config=replace(request.config, strategies=(setup,)))
            manner = _Manner(
                unsupported_strategy(single) or "",
                wanted,
                strategy.numbers(wanted),
                plan_of_setup(request, setup)._replace(logged=0),
                terms_of_setup(request, setup, shared.instruments),
            )
            self._manner = key, manner
        return self._manner[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Shared:
    """What all sets share."""

    instruments: tuple[Instrument, ...]
    limits: at.Limits
    fills: FillRules
    cash: int


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """What one set earned: a row of `DailyResults`."""

    equity: Int64
    exposure: float
    trades: int
    trade_days: int
    turnover: float
    fees: int


def run_sweep(
    request: SweepRequest,
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
    otherwise: Otherwise | None = None,
) -> DailyResults:
    """Run every set of a sweep.

    Parameters
    ----------
    request : SweepRequest
        The sweep.
    progress : callable or None
        Called with the sets done and the sets there are.
    stop : callable or None
        Asked between sets; once it says so, the sets done so far are the result.
    otherwise : callable or None
        Runs the sets that the loop refuses; None refuses the sweep.

    Returns
    -------
    DailyResults
        A row per set that was run, in the order of the sets: exactly what the set's own backtest
        gives.

    Raises
    ------
    ConfigError
        If the request contradicts itself, or the bulk loop cannot run a set and nothing else does.
    """
    base = request.base
    loop = _Loop(base, cut_series(base))
    if loop.refusal and otherwise is None:
        raise _not_run(0, loop.refusal)
    rows: list[_Row] = []
    for place, setup in enumerate(request.setups):
        if stop is not None and stop():
            break
        try:
            rows.append(loop.run(setup))
        except (ConfigError, OverflowError) as error:
            if otherwise is None:
                raise _not_run(place, _told(error)) from error
            rows.append(_row_of(otherwise(request.single(place))))
        if progress is not None:
            progress(place + 1, len(request.setups))
    return _joined(rows, loop.days(), from_decimal(base.paper.initial_balance))


class _Loop:
    """The compiled loop over one market, with what neighbouring sets share kept.

    Parameters
    ----------
    base : BulkRequest
        The base of the sweep.
    series : tuple of BarArrays
        Its bars, cut to its window.
    """

    def __init__(self, base: BulkRequest, series: tuple[BarArrays, ...]) -> None:
        self._base, self._series = base, series
        self._shared: _Shared | None = None
        self._ground: tuple[tuple[str, frozenset[str] | None], _Ground] | None = None
        self.refusal = unsupported_series(base, series) or ""

    def run(self, setup: StrategySetup) -> _Row:
        """Run one set.

        Raises
        ------
        ConfigError, OverflowError
            If the loop cannot.
        """
        if self.refusal:
            raise ConfigError(self.refusal)
        if not isinstance(setup.strategy, CompiledStrategy):
            raise ConfigError(f"strategy {setup.strategy.name!r} is written in Python")
        if self._shared is None:
            self._shared = _shared(self._base)
        key = setup.timeframe, setup.symbols
        if self._ground is None or self._ground[0] != key:
            self._ground = None
            self._ground = key, _Ground(self._base, self._series, setup)
        ground = self._ground[1]
        return _run(ground.prepared(self._base, setup, self._shared), ground.days)

    def days(self) -> Days:
        """Return the days of every set."""
        if self._ground is not None:
            return self._ground[1].days
        return _days(self._base, self._series)


def _shared(base: BulkRequest) -> _Shared:
    return _Shared(
        ordered_instruments(base),
        limits_of(base.config.risk),
        base.paper.rules(base.seed),
        from_decimal(base.paper.initial_balance),
    )


def _told(error: ConfigError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return f"an amount left the 64-bit range ({error})"
    return str(error)


def _not_run(place: int, reason: str) -> ConfigError:
    return ConfigError(f"set {place + 1} of the sweep: {reason}{EVENT_PATH}")


def _days(base: BulkRequest, series: Sequence[BarArrays]) -> Days:
    known = [one.ts_known for one in series]
    moments = np.unique(np.concatenate(known)) if known else np.empty(0, np.int64)
    return days_of(moments, base.window.start, ordered_instruments(base))


def _run(prepared: Prepared, days: Days) -> _Row:
    state = run_prepared(prepared)
    kept, account, totals = prepared.market.kept, state.account, state.totals
    equity = np.full(len(days.last), prepared.cash, np.int64)
    known = days.last >= 0
    equity[known] = state.equity[np.searchsorted(kept, days.last[known])]
    return _Row(
        equity,
        float(totals[at.EXPOSURE]) / max(days.slices, 1) / prepared.cash,
        int(account[at.ROUND_TRIPS]),
        int(account[at.TRADE_DAYS]),
        float(totals[at.TURNOVER]) / prepared.cash,
        int(account[at.PAID]),
    )


def _row_of(results: DailyResults) -> _Row:
    return _Row(
        results.equity[0],
        float(results.exposure[0]),
        int(results.trades[0]),
        int(results.trade_days[0]),
        float(results.turnover[0]),
        int(results.fees[0]),
    )


def _joined(rows: Sequence[_Row], days: Days, initial: int) -> DailyResults:
    equity = np.empty((len(rows), len(days.days)), np.int64)
    for place, row in enumerate(rows):
        equity[place] = row.equity
    return DailyResults(
        days=days.days,
        equity=equity,
        initial=initial,
        exposure=np.array([one.exposure for one in rows], np.float64),
        trades=np.array([one.trades for one in rows], np.int64),
        trade_days=np.array([one.trade_days for one in rows], np.int64),
        turnover=np.array([one.turnover for one in rows], np.float64),
        fees=np.array([one.fees for one in rows], np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class SweepFamily:
    """A sweep that can be run again on other prices.

    Parameters
    ----------
    name : str
        What was searched.
    request : SweepRequest
        The sweep; its series are those of the market that was searched.
    otherwise : callable or None
        Runs the sets that the loop refuses; None refuses the sweep.
    """

    name: str
    request: SweepRequest
    otherwise: Otherwise | None = None

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        """Run every set over bars of the same instruments.

        Parameters
        ----------
        series : tuple of BarArrays
            One for each instrument of the request.

        Raises
        ------
        ConfigError
            As `run_sweep`.
        """
        base = replace(self.request.base, series=series)
        return run_sweep(replace(self.request, base=base), otherwise=self.otherwise)
