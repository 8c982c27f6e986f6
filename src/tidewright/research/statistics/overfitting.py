"""Whether choosing the best of the past chooses what is good afterwards.

These figures judge a way of choosing among many configurations, not a configuration. One fixed rule
was not chosen from anything here: the answer is then `NotApplicable`, and results of
`sub_periods` take its place.

Sources
-------
Probability of backtest overfitting by combinatorially symmetric cross-validation: D. H. Bailey, J.
M. Borwein, M. Lopez de Prado and Q. J. Zhu, Journal of Computational Finance, 2015. Combinatorial
purged cross-validation: M. Lopez de Prado, "Advances in Financial Machine Learning", 2018, ch. 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import ArrayLike

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.folds import combinatorial_folds, group_edges, path_folds
from tidewright.research.statistics.inference import estimate_mean
from tidewright.research.statistics.selection import NotApplicable
from tidewright.research.statistics.series import Bool, Float64, Int64, as_series, as_table
from tidewright.research.statistics.sharpe_inference import sharpe_moments

_BATCH = 4_000_000
_MOST_BLOCKS = 20
ONE_RULE = NotApplicable(
    "one rule was tested, not chosen from others here; see how it did in each part of the time"
)
"""The answer for a single fixed rule."""


@dataclass(frozen=True, slots=True, eq=False)
class SelectionOverfitting:
    """How often what was best in one half of the time was under the middle in the other half.

    Parameters
    ----------
    probability : float
        Share of splits in which the best of one half ranked under the median of the other; exactly
        at the median counts half. 0.5 is what choosing blindly gives.
    logits : float64 array of shape (n_splits,)
        ln(rank / (1 - rank)) of the chosen one in the other half, rank between 0 and 1.
    slope : float
        By how much the ratio in the other half rises with the ratio in the half that chose; near or
        under 0, a better backtest says nothing.
    loss_probability : float
        Share of splits in which the chosen one lost in the other half.
    """

    probability: float
    logits: Float64
    slope: float
    loss_probability: float


@dataclass(frozen=True, slots=True, eq=False)
class SelectionPaths:
    """Complete histories in which each stretch was traded by what the others had chosen.

    Parameters
    ----------
    profits : float64 array of shape (n_paths, n_days)
        Daily profit of each history.
    sharpe : float64 array of shape (n_paths,)
        Its daily Sharpe ratio.
    chosen : int64 array of shape (n_folds,)
        The configuration that each training part chose.
    """

    profits: Float64
    sharpe: Float64
    chosen: Int64


@dataclass(frozen=True, slots=True, eq=False)
class SubPeriods:
    """How one rule did in consecutive parts of the time; arrays of shape (parts,).

    Parameters
    ----------
    edges : int64 array of shape (parts + 1,)
        Day at which each part begins, and the end of the last one.
    profit : float64 array
        Sum of daily profits of each part.
    t : float64 array
        Its t-statistic.
    """

    edges: Int64
    profit: Float64
    t: Float64

    @property
    def positive(self) -> int:
        """How many parts gained."""
        return int(np.count_nonzero(self.profit > 0))


def overfitting_probability(
    profits: ArrayLike, *, blocks: int = 16
) -> SelectionOverfitting | NotApplicable:
    """Return how often the best of half of the time is under the middle in the other half.

    The time is cut into blocks; every choice of half of them picks the configuration with the
    highest Sharpe ratio, whose rank is looked up in the rest.

    Parameters
    ----------
    profits : float64 array of shape (n_sets, n_days)
        Daily profit of every configuration that was searched.
    blocks : int
        Even, 2 to 20; 16 give 12,870 splits.

    Returns
    -------
    SelectionOverfitting or NotApplicable
        The latter when fewer than two configurations ever vary.

    Raises
    ------
    ConfigError
        If blocks are uneven or out of range, there are fewer than 2 days a block, or a value is not
        finite.
    """
    if blocks % 2 or not 2 <= blocks <= _MOST_BLOCKS:
        raise ConfigError(f"blocks were {blocks}; expected an even number from 2 to {_MOST_BLOCKS}")
    table = as_table(profits, least=2 * blocks)
    table = table[np.ptp(table, axis=1) > 0]
    if len(table) < 2:
        return ONE_RULE
    edges = group_edges(table.shape[1], blocks)
    starts = edges[:-1]
    sums = np.add.reduceat(table, starts, axis=1).T
    squares = np.add.reduceat(np.square(table), starts, axis=1).T
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    choices = np.zeros((len(halves), blocks))
    np.put_along_axis(choices, halves, 1.0, axis=1)
    step = max(1, _BATCH // len(table))
    parts = [
        _split(choices[begin : begin + step], sums, squares, np.diff(edges).astype(np.float64))
        for begin in range(0, len(choices), step)
    ]
    rank, inside, outside = (np.concatenate(each) for each in zip(*parts, strict=True))
    logits = np.log(rank / (1.0 - rank))
    spread = float(np.var(inside))
    slope = float(np.mean((inside - inside.mean()) * outside)) / spread if spread > 0 else 0.0
    under = np.where(np.isclose(rank, 0.5, rtol=0.0, atol=1e-12), 0.5, rank < 0.5)
    return SelectionOverfitting(float(under.mean()), logits, slope, float(np.mean(outside < 0)))


def _split(
    choices: Float64, sums: Float64, squares: Float64, lengths: Float64
) -> tuple[Float64, Float64, Float64]:
    """Return (rank elsewhere, ratio where chosen, ratio elsewhere) of the chosen, by split."""
    trained = _ratios(choices, sums, squares, lengths)
    tested = _ratios(1.0 - choices, sums, squares, lengths)
    best = np.argmax(trained, axis=1)[:, None]
    inside = np.take_along_axis(trained, best, axis=1)
    outside = np.take_along_axis(tested, best, axis=1)
    worse = np.count_nonzero(tested < outside, axis=1)
    equal = np.count_nonzero(tested == outside, axis=1)
    # Equal ones share the middle of their ranks; the chosen one is among them.
    rank = (worse + (equal + 1) / 2.0) / (tested.shape[1] + 1.0)
    return rank, inside[:, 0], outside[:, 0]


def _ratios(choices: Float64, sums: Float64, squares: Float64, lengths: Float64) -> Float64:
    days = (choices @ lengths)[:, None]
    mean = (choices @ sums) / days
    variance = (choices @ squares) / days - np.square(mean)
    moves = variance > 1e-12 * (choices @ squares) / days
    ratio: Float64 = np.where(moves, mean / np.sqrt(np.where(moves, variance, 1.0)), 0.0)
    return ratio


def selection_paths(
    profits: ArrayLike, *, groups: int = 6, tested: int = 2, holding: int = 0, embargo: int = 0
) -> SelectionPaths | NotApplicable:
    """Return histories in which each stretch is traded by the best of other stretches.

    Parameters
    ----------
    profits : float64 array of shape (n_sets, n_days)
        Daily profit of every configuration that was searched.
    groups, tested : int
        Stretches, and how many of them are left out of each choice: 6 and 2 give 15 choices and 5
        histories.
    holding : int
        Days that a position lasts: a day before a tested stretch is not trained on when its
        positions reach into it.
    embargo : int
        Days after a tested stretch that are not trained on.

    Returns
    -------
    SelectionPaths or NotApplicable
        The latter when fewer than two configurations ever vary.

    Raises
    ------
    ConfigError
        If a number is out of range, a choice has fewer than 3 days, or a value is not finite.
    """
    table = as_table(profits, least=groups)
    if np.count_nonzero(np.ptp(table, axis=1) > 0) < 2:
        return ONE_RULE
    days = table.shape[1]
    first = np.arange(days)
    folds = combinatorial_folds(first, first + holding, groups, tested, embargo=embargo)
    chosen = np.array([_best(table, fold.train) for fold in folds], dtype=np.int64)
    edges = group_edges(days, groups)
    paths = path_folds(groups, tested)
    joined = np.empty((len(paths), days))
    for group in range(groups):
        stretch = slice(int(edges[group]), int(edges[group + 1]))
        joined[:, stretch] = table[chosen[paths[:, group]], stretch]
    return SelectionPaths(joined, sharpe_moments(joined).sharpe, chosen)


def _best(table: Float64, train: Int64) -> int:
    if len(train) < 3:
        raise ConfigError(f"a choice had {len(train)} days to train on; expected at least 3")
    trained = table[:, train]
    moves: Bool = np.ptp(trained, axis=1) > 0
    return int(np.argmax(np.where(moves, sharpe_moments(trained).sharpe, -np.inf)))


def sub_periods(profits: ArrayLike, parts: int = 4) -> SubPeriods:
    """Return how one rule did in consecutive parts of nearly equal length.

    Parameters
    ----------
    profits : float64 array of shape (n_days,)
        Daily profit or excess.
    parts : int
        2 to a third of the days.

    Raises
    ------
    ConfigError
        If parts would have fewer than 3 days, or a value is not finite.
    """
    series = as_series(profits, least=3 * max(parts, 2)).reshape(-1)
    edges = group_edges(len(series), parts)
    pieces = [series[int(begin) : int(end)] for begin, end in pairwise(edges)]
    return SubPeriods(
        edges,
        np.array([float(piece.sum()) for piece in pieces]),
        np.array([float(estimate_mean(piece).t) for piece in pieces]),
    )
