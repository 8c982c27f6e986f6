"""Which rows may train a model that other rows test, when labels reach into the future.

A label made from the next twenty bars shares nineteen of them with the label of the next row. A
row whose label overlaps a tested one therefore knows part of the answer: it is purged, and so are
rows that begin within an embargo after a tested stretch.

Source: M. Lopez de Prado, "Advances in Financial Machine Learning", 2018, chapters 4 (uniqueness),
7 (purged and embargoed folds) and 12 (combinatorial folds and their paths).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.series import Bool, Float64, Int64


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows to train on and rows to test on, both increasing.

    Parameters
    ----------
    train, test : int64 array
        Row numbers.
    groups : tuple of int
        Which groups of rows are tested.
    """

    train: Int64
    test: Int64
    groups: tuple[int, ...]


def purged_folds(begins: ArrayLike, ends: ArrayLike, folds: int, *, embargo: int = 0) -> list[Fold]:
    """Return folds whose training labels overlap no tested label.

    Parameters
    ----------
    begins, ends : int64 array of shape (n_rows,)
        First and last moment that each row's label depends on, both included, in one unit (bars or
        nanoseconds); ``begins`` does not decrease.
    folds : int
        How many stretches, each tested once; 2 to n_rows.
    embargo : int
        How long after a tested stretch no training row may begin, in the same unit.

    Raises
    ------
    ConfigError
        If the labels are out of order or end before they begin, or a number is out of range.
    """
    return combinatorial_folds(begins, ends, folds, 1, embargo=embargo)


def combinatorial_folds(
    begins: ArrayLike, ends: ArrayLike, groups: int, tested: int, *, embargo: int = 0
) -> list[Fold]:
    """Return one fold for each choice of ``tested`` of ``groups`` stretches of rows.

    Parameters
    ----------
    begins, ends : int64 array of shape (n_rows,)
        As in `purged_folds`.
    groups : int
        Stretches of nearly equal length, 2 to n_rows.
    tested : int
        How many of them are tested at a time, 1 to groups - 1.
    embargo : int
        As in `purged_folds`.

    Raises
    ------
    ConfigError
        If the labels are out of order or end before they begin, or a number is out of range.
    """
    first, last = _labels(begins, ends)
    edges = group_edges(len(first), groups)
    if not 1 <= tested < groups or embargo < 0:
        raise ConfigError(
            f"tested groups and embargo were {tested} and {embargo}; "
            f"expected 1 to {groups - 1} and at least 0"
        )
    found = []
    for chosen in combinations(range(groups), tested):
        kept = np.ones(len(first), dtype=np.bool_)
        inside = np.zeros(len(first), dtype=np.bool_)
        for group in chosen:
            rows = slice(int(edges[group]), int(edges[group + 1]))
            inside[rows] = True
            kept &= _apart(first, last, rows, embargo)
        found.append(Fold(np.flatnonzero(kept & ~inside), np.flatnonzero(inside), chosen))
    return found


def _labels(begins: ArrayLike, ends: ArrayLike) -> tuple[Int64, Int64]:
    first = np.asarray(begins, dtype=np.int64).reshape(-1)
    last = np.asarray(ends, dtype=np.int64).reshape(-1)
    if len(first) != len(last):
        raise ConfigError(f"labels had {len(first)} begins and {len(last)} ends; expected as many")
    if len(first) and ((last < first).any() or (np.diff(first) < 0).any()):
        raise ConfigError("labels end before they begin or are out of order; expected time order")
    return first, last


def _apart(first: Int64, last: Int64, rows: slice, embargo: int) -> Bool:
    """Return which rows neither overlap the labels of a stretch nor begin in its embargo."""
    begin, end = first[rows].min(), last[rows].max() + embargo
    apart: Bool = (last < begin) | (first > end)
    return apart


def group_edges(rows: int, groups: int) -> Int64:
    """Return where stretches of nearly equal length begin, and the end of the last one.

    Raises
    ------
    ConfigError
        If there are fewer rows than groups, or fewer than 2 groups.
    """
    if not 2 <= groups <= rows:
        raise ConfigError(f"groups were {groups}; expected 2 to {rows}, the number of rows")
    return np.arange(groups + 1, dtype=np.int64) * rows // groups


def path_folds(groups: int, tested: int) -> Int64:
    """Return which fold tests each group of each path, shape (n_paths, groups).

    Each group is tested C(groups - 1, tested - 1) times, so the tests join into as many complete
    histories: C(groups, tested) x tested / groups paths.

    Raises
    ------
    ConfigError
        If a number is out of range.
    """
    if not 1 <= tested < groups:
        raise ConfigError(f"tested groups were {tested}; expected 1 to {groups - 1}")
    tests: list[list[int]] = [[] for _ in range(groups)]
    for fold, chosen in enumerate(combinations(range(groups), tested)):
        for group in chosen:
            tests[group].append(fold)
    return np.array(tests, dtype=np.int64).T


def uniqueness(begins: ArrayLike, ends: ArrayLike) -> Float64:
    """Return for each label the average, over its bars, of 1 / labels that use the bar.

    Parameters
    ----------
    begins, ends : int64 array of shape (n_rows,)
        First and last bar of each label, both included, numbered from 0.

    Returns
    -------
    float64 array of shape (n_rows,)
        Above 0, at most 1: what a row is worth as evidence.

    Raises
    ------
    ConfigError
        If the labels are out of order, end before they begin, or begin before bar 0.
    """
    first, last = _labels(begins, ends)
    if len(first) == 0:
        return np.empty(0)
    if first[0] < 0:
        raise ConfigError(f"first label began at bar {first[0]}; expected bars from 0 on")
    bars = int(last.max()) + 1
    changes = np.bincount(first, minlength=bars + 1) - np.bincount(last + 1, minlength=bars + 1)
    together = np.maximum(np.cumsum(changes)[:bars], 1)
    shares = np.concatenate(([0.0], np.cumsum(1.0 / together)))
    found: Float64 = (shares[last + 1] - shares[first]) / (last - first + 1)
    return found
