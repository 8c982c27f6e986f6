"""Walk-forward: choose on the past, trade what comes next, move on.

1. The days are cut into a first stretch to learn from and folds to trade (`plan_folds`). Anchored,
   each fold learns from everything before it; rolling, from as many days as the first one had.
2. In each fold every configuration is run over its learning days, and the one with the best
   t-statistic of excess over the matched benchmark is chosen. Where even that one lost, the fold
   stays out of the market (`run_walk_forward`).
3. The chosen one is run over the fold's own days. Every run is a backtest of its own: it begins
   without a position, with the initial equity and with columns that are warm, and its last day
   values what is still held at the close. Cutting the days of one long run into folds would carry
   positions, losses and halts across the cuts.
4. What was earned on the days traded, one fold after the other, is the result of the procedure. As
   a family of one (`WalkForwardFamily`) the whole procedure can be searched on noise again.

Source: R. Pardo, "The Evaluation and Optimization of Trading Strategies", 2008; efficiency is what
was earned per day on days traded over what the same choices earned on the days they learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import Instrument
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.benchmark import universe_returns
from tidewright.research.bulk.sweep import SweepFamily
from tidewright.research.chance.noise import statistic
from tidewright.research.results import DailyResults, Family, Float64, Int64

FOLDS = 5
_FEWEST_DAYS = 5

Progress = Callable[[int, int], None]
"""Told how many folds are done, and of how many."""


class WindowedFamily(Family, Protocol):
    """A family that can be run over a part of the time, with bars before it as warm-up."""

    def within(self, window: TradingWindow, places: Sequence[int] | None = None) -> WindowedFamily:
        """Return the family limited to a window and, if wished, to some of its configurations.

        Its results begin with the first day on which the window allows entries.
        """


@dataclass(frozen=True, slots=True, eq=False)
class WindowedSweep(SweepFamily):
    """A sweep that can be run over a part of the time."""

    def within(self, window: TradingWindow, places: Sequence[int] | None = None) -> WindowedSweep:
        """Return the sweep limited to a window and, if wished, to some of its sets."""
        setups = self.request.setups
        chosen = setups if places is None else tuple(setups[place] for place in places)
        base = replace(self.request.base, window=window)
        return replace(self, request=replace(self.request, base=base, setups=chosen))


@dataclass(frozen=True, slots=True)
class WalkForwardPlan:
    """How the days are cut.

    Parameters
    ----------
    folds : int
        Stretches that are traded, at least 1.
    first_share : float
        Share of all days that the first fold learns from, between 0 and 1.
    anchored : bool
        Whether later folds learn from everything before them, or from as many days as the first.

    Raises
    ------
    ConfigError
        If a value is outside its range.
    """

    folds: int = FOLDS
    first_share: float = 0.5
    anchored: bool = True

    def __post_init__(self) -> None:
        if self.folds < 1 or not 0.0 < self.first_share < 1.0:
            raise ConfigError(
                f"walk-forward had {self.folds} folds and a first share of {self.first_share}; "
                "expected at least 1 and a share between 0 and 1"
            )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days from ``first`` to ``last``, both included, since 1970-01-01 UTC."""

    first: int
    last: int

    @property
    def window(self) -> TradingWindow:
        """When entries may be decided: what is known at midnight belongs to the day before."""
        return TradingWindow(self.first * DAY + 1, (self.last + 1) * DAY)


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold: what it learned from, what it chose, and what came of it.

    Parameters
    ----------
    learned, traded : Stretch
        Its days.
    place : int
        The chosen configuration; -1 where it stayed out.
    learned_t : float
        t-statistic of the excess of the best configuration on the days it learned from; minus
        infinity where none traded.
    learned_profit, traded_profit : float
        Mean daily net profit of the choice, as a share of the initial equity; 0 where it stayed
        out.
    """

    learned: Stretch
    traded: Stretch
    place: int
    learned_t: float
    learned_profit: float
    traded_profit: float


@dataclass(frozen=True, slots=True, eq=False)
class WalkForwardResult:
    """What choosing on the past would have earned.

    Parameters
    ----------
    folds : tuple of Fold
        In time order.
    results : DailyResults
        One row: the days traded, one fold after the other, each fold with the initial equity.
    """

    folds: tuple[Fold, ...]
    results: DailyResults

    @property
    def efficiency(self) -> float | None:
        """Profit per day traded over profit per day learned from; None where nothing was learned.

        1 means that the past told the truth, 0 that it told nothing.
        """
        learned = sum(fold.learned_profit for fold in self.folds)
        return sum(fold.traded_profit for fold in self.folds) / learned if learned > 0 else None

    @property
    def folds_with_profit(self) -> int:
        """Folds that earned something on the days traded."""
        return sum(fold.traded_profit > 0 for fold in self.folds)


def plan_folds(days: Int64, plan: WalkForwardPlan) -> list[tuple[Stretch, Stretch]]:
    """Return the days each fold learns from, and those that it trades.

    Parameters
    ----------
    days : int64 array of shape (n_days,)
        Days with bars, increasing.
    plan : WalkForwardPlan
        How to cut them.

    Raises
    ------
    ConfigError
        If a stretch would have fewer than 5 days.
    """
    first = int(len(days) * plan.first_share)
    cuts = first + (len(days) - first) * np.arange(plan.folds + 1) // plan.folds
    shortest = min(first, int(np.diff(cuts).min()))
    if shortest < _FEWEST_DAYS:
        raise ConfigError(
            f"walk-forward over {len(days)} days would have a stretch of {shortest} days; "
            f"expected at least {_FEWEST_DAYS}: fewer folds, or more data"
        )
    found = []
    for begin, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        learned = days[0 if plan.anchored else begin - first : begin]
        traded = days[begin:end]
        found.append(
            (Stretch(int(learned[0]), int(learned[-1])), Stretch(int(traded[0]), int(traded[-1])))
        )
    return found


def run_walk_forward(
    family: WindowedFamily,
    series: tuple[BarArrays, ...],
    instruments: Sequence[Instrument],
    plan: WalkForwardPlan | None = None,
    *,
    window: TradingWindow | None = None,
    progress: Progress | None = None,
) -> WalkForwardResult:
    """Choose among a family's configurations on the past, again and again, and trade the choice.

    Parameters
    ----------
    family : WindowedFamily
        What is chosen from.
    series : tuple of BarArrays
        The market.
    instruments : sequence of Instrument
        The universe of the matched benchmark.
    plan : WalkForwardPlan or None
        How the days are cut; None is 5 anchored folds over the later half.
    window : TradingWindow or None
        Days outside it are not used, but warm the columns up; None uses all.
    progress : callable or None
        Told after each fold.

    Raises
    ------
    ConfigError
        If there are too few days, or the family cannot be run.
    """
    days = _days(series, window or TradingWindow(0))
    stretches = plan_folds(days, plan or WalkForwardPlan())
    folds: list[Fold] = []
    traded: list[DailyResults] = []
    for number, (learn, trade) in enumerate(stretches):
        learned = family.within(learn.window).evaluate(series)
        best = statistic(learned, universe_returns(series, instruments, learned.days))
        place = best.place if best.t > 0.0 else -1
        # Staying out is measured too, for its days: by a choice whose profit is then set to none.
        result = family.within(trade.window, (max(place, 0),)).evaluate(series)
        if place < 0:
            result = _stayed_out(result)
        learned_profit = float(learned.daily_profit()[place].mean()) if place >= 0 else 0.0
        profit = float(result.daily_profit()[0].mean())
        folds.append(Fold(learn, trade, place, best.t, learned_profit, profit))
        traded.append(result)
        if progress is not None:
            progress(number + 1, len(stretches))
    return WalkForwardResult(tuple(folds), _joined(traded))


@dataclass(frozen=True, slots=True, eq=False)
class WalkForwardFamily:
    """The procedure itself as a family of one, so that it can be searched on noise.

    Parameters
    ----------
    family : WindowedFamily
        What is chosen from.
    instruments : tuple of Instrument
        The universe.
    plan : WalkForwardPlan
        How the days are cut.
    window : TradingWindow or None
        Days that are used; None is all.
    """

    family: WindowedFamily
    instruments: tuple[Instrument, ...]
    plan: WalkForwardPlan
    window: TradingWindow | None = None

    @property
    def name(self) -> str:
        """What was searched."""
        return f"walk-forward over {self.family.name}"

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        """Run the procedure over bars of the same instruments."""
        return run_walk_forward(
            self.family, series, self.instruments, self.plan, window=self.window
        ).results


@dataclass(frozen=True, slots=True)
class Plateau:
    """How the neighbours of the chosen parameters did.

    Parameters
    ----------
    chosen : float
        Score of the choice.
    neighbours : int
        Configurations at most one step away in every parameter.
    median, lowest : float or None
        Of the neighbours' scores; None without neighbours.
    share_above_zero : float or None
        Share of neighbours with a score above 0.
    """

    chosen: float
    neighbours: int
    median: float | None
    lowest: float | None
    share_above_zero: float | None

    @property
    def kept(self) -> float | None:
        """Median of the neighbours over the choice; near 1 on a plateau, near 0 on a needle.

        None without neighbours, or where the choice itself is not above 0.
        """
        return self.median / self.chosen if self.median is not None and self.chosen > 0 else None


def plateau(values: Float64, scores: Float64, chosen: int) -> Plateau:
    """Say whether parameters beside the chosen ones do about as well.

    Parameters
    ----------
    values : float64 array of shape (n_sets, n_parameters)
        Numbers of each configuration. Steps are counted between the values that occur.
    scores : float64 array of shape (n_sets,)
        What configurations are compared by, such as t-statistics.
    chosen : int
        The configuration that was chosen.

    Raises
    ------
    ConfigError
        If the shapes do not fit or there is no such configuration.
    """
    if values.ndim != 2 or len(values) != len(scores) or not 0 <= chosen < len(scores):
        raise ConfigError(
            f"values, scores and choice were of shapes {values.shape} and {scores.shape} and "
            f"{chosen}; expected a row of values and a score for each set, and one of them"
        )
    steps = np.stack(
        [np.unique(column, return_inverse=True)[1].reshape(-1) for column in values.T], axis=1
    )
    near = np.abs(steps - steps[chosen]).max(axis=1, initial=0) <= 1
    near[chosen] = False
    beside = scores[near]
    if not len(beside):
        return Plateau(float(scores[chosen]), 0, None, None, None)
    return Plateau(
        chosen=float(scores[chosen]),
        neighbours=len(beside),
        median=float(np.median(beside)),
        lowest=float(beside.min()),
        share_above_zero=float((beside > 0).mean()),
    )


def _days(series: Sequence[BarArrays], window: TradingWindow) -> Int64:
    """Return the days on which some instrument has a bar that the window allows."""
    found = []
    for one in series:
        known = one.ts_known[one.ts_known >= window.start]
        found.append((known[known <= window.end] if window.end else known) - 1)
    days: Int64 = np.unique(np.concatenate([one // DAY for one in found]))
    return days


def _stayed_out(results: DailyResults) -> DailyResults:
    nothing, none = np.zeros(1), np.zeros(1, np.int64)
    return replace(
        results,
        equity=np.full_like(results.equity, results.initial),
        exposure=nothing,
        trades=none,
        trade_days=none,
        turnover=nothing,
        fees=none,
    )


def _joined(parts: Sequence[DailyResults]) -> DailyResults:
    """Return runs one after the other as one row, each begun with the initial equity."""
    initial = parts[0].initial
    earned, equity = 0, []
    for part in parts:
        equity.append(part.equity[0] + earned)
        earned += int(part.equity[0, -1]) - initial
    lengths = np.array([len(part.days) for part in parts], np.float64)
    exposures = np.array([part.exposure[0] for part in parts])
    return DailyResults(
        days=np.concatenate([part.days for part in parts]),
        equity=np.concatenate(equity)[None, :],
        initial=initial,
        exposure=np.array([float(exposures @ lengths / lengths.sum())]),
        trades=np.array([sum(int(part.trades[0]) for part in parts)], np.int64),
        trade_days=np.array([sum(int(part.trade_days[0]) for part in parts)], np.int64),
        turnover=np.array([sum(float(part.turnover[0]) for part in parts)]),
        fees=np.array([sum(int(part.fees[0]) for part in parts)], np.int64),
    )
