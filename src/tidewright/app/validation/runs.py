"""Backtests of a validation: the rule as it is, under other costs and with a slower hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from tidewright.app.validation.events import EventLog
from tidewright.app.validation.material import Material
from tidewright.domain.instrument import Instrument
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY, timeframe_nanoseconds
from tidewright.kernels.bulk import layout as at
from tidewright.research.benchmark import excess, universe_returns
from tidewright.research.bulk.daily import daily_results
from tidewright.research.bulk.request import EVENT_PATH, BulkRequest, Unsupported
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.report.values import Scenario
from tidewright.research.results import DailyResults, Float64

_MILLISECOND = 1_000_000
_MOST_FEE = Decimal("0.999999")
_MOST_PERCENT = Decimal("49.9999")
_MOST_IMPACT = Decimal(100)
_WHOLE = Decimal(100)
FREELY = "as it is, without its loss limit"
TWICE = "costs x2"
LATER = "one bar later"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One backtest and what it earned day by day.

    Parameters
    ----------
    request : BulkRequest
        What ran.
    result : BulkResult or EventLog
        Its logs: of the compiled loop, or of the engine.
    daily : DailyResults
        One row.
    universe : float64 array of shape (n_days,)
        Daily return of equal money in everything that it may trade.
    seconds : float
        How long it took.
    refusal : str
        Why the compiled loop did not run it and the engine did; empty where the loop ran it.
    """

    request: BulkRequest
    result: BulkResult | EventLog
    daily: DailyResults
    universe: Float64
    seconds: float
    refusal: str = ""

    @property
    def profit(self) -> Float64:
        """Daily net profit as a share of the initial equity, (n_days,)."""
        return np.asarray(self.daily.daily_profit()[0], np.float64)

    @property
    def excess(self) -> Float64:
        """Daily profit beyond the matched benchmark, (n_days,)."""
        return np.asarray(excess(self.daily, self.universe)[0], np.float64)

    @property
    def exposure(self) -> float:
        """Average value held, as a share of the initial equity."""
        return float(self.daily.exposure[0])

    @property
    def fees(self) -> float:
        """Fees as a share of the initial equity."""
        return float(self.daily.fees[0]) / self.daily.initial

    @property
    def stopped_day(self) -> int | None:
        """Day on which a limit ended trading for good, None where none did."""
        halted = self.result.halted
        return None if halted is None else (halted - 1) // DAY

    def trades(self) -> Sequence[Trade]:
        """Return the round trips."""
        return self.result.trades()

    def largest_exposure(self) -> float:
        """Return the largest value held after any fill, as a share of the initial equity."""
        worth = [one.value_ratio[0] / one.value_ratio[1] for one in self.result.instruments]
        fills = self.result.fill_rows
        held = np.zeros(len(worth))
        price = np.zeros(len(worth))
        most = 0.0
        columns = (at.FILL_INSTRUMENT, at.FILL_SIGN, at.FILL_LOTS, at.FILL_TICKS)
        for place, sign, lots, ticks in fills[:, columns].tolist():
            held[place] += sign * lots
            price[place] = ticks * worth[place]
            most = max(most, float(np.abs(held * price).sum()))
        return most / self.daily.initial


def run_rule(material: Material, request: BulkRequest) -> Run:
    """Run one backtest, on the event path where the compiled loop refuses it.

    Raises
    ------
    ConfigError
        If neither can run it.
    """
    began = time.perf_counter()
    refusal = ""
    result: BulkResult | EventLog | Unsupported = run_bulk(request)
    if isinstance(result, Unsupported):
        refusal = result.reason.removesuffix(EVENT_PATH)
        result = material.engine.run(request)
        seconds = result.seconds
    else:
        seconds = time.perf_counter() - began
    daily = daily_results(result, request)
    universe = universe_returns(material.series, material.universe, daily.days)
    return Run(request, result, daily, universe, seconds, refusal)


def scenarios(material: Material, real: Run, free: Run | None) -> tuple[Scenario, ...]:
    """Return the result as it is, at other costs, and with every decision later.

    Parameters
    ----------
    material : Material
        What is examined.
    real : Run
        The rule as it is.
    free : Run or None
        The rule without the limit that ended its trading, where one did: then this is what the
        others are compared with, since with the limit all of them would end alike.
    """
    base = free or real
    bar = timeframe_nanoseconds(material.timeframe)
    others = (
        (TWICE, dearer(base.request, 2)),
        ("no costs at all", dearer(base.request, 0)),
        (LATER, later(base.request, bar, 1)),
        ("two bars later", later(base.request, bar, 2)),
    )
    found = [_scenario(material, "as it is" if free is None else FREELY, base)]
    found += [_scenario(material, name, run_rule(material, request)) for name, request in others]
    return tuple(found)


def _scenario(material: Material, name: str, run: Run) -> Scenario:
    a_year = float(run.excess.mean()) * material.calendar.days_per_year
    return Scenario(name, float(run.profit.sum()), a_year, int(run.daily.trades[0]))


def unlimited(request: BulkRequest) -> BulkRequest:
    """Return a request without the limit that ends trading for good once equity has fallen."""
    risk = replace(request.config.risk, max_drawdown_percent=_WHOLE)
    return replace(request, config=replace(request.config, risk=risk))


def dearer(request: BulkRequest, factor: int) -> BulkRequest:
    """Return a request in which fees, spread and slippage cost a multiple."""
    paper = request.paper
    return replace(
        request,
        paper=replace(
            paper,
            slippage_percent=min(paper.slippage_percent * factor, _MOST_PERCENT),
            spread_percent=min(paper.spread_percent * factor, _MOST_PERCENT),
            simulate_impact=paper.simulate_impact and factor > 0,
            impact_coefficient=min(paper.impact_coefficient * max(factor, 1), _MOST_IMPACT),
        ),
        instruments=tuple(_dearer(one, factor) for one in request.instruments),
    )


def _dearer(instrument: Instrument, factor: int) -> Instrument:
    return replace(
        instrument,
        maker_fee_rate=min(instrument.maker_fee_rate * factor, _MOST_FEE),
        taker_fee_rate=min(instrument.taker_fee_rate * factor, _MOST_FEE),
    )


def later(request: BulkRequest, bar: int, count: int) -> BulkRequest:
    """Return a request in which orders arrive whole bars later.

    Orders that arrive within a bar are filled at the next opening; an order that takes as long as
    a bar misses that opening and gets the one after it.
    """
    paper = request.paper
    return replace(request, paper=replace(paper, simulate_latency_ms=count * bar // _MILLISECOND))
