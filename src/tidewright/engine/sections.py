"""Cross-sections on the event path: once for each slice, after its bars, before the evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tidewright.engine.config import StrategySetup
from tidewright.engine.series import Series, Track, WiderRows
from tidewright.features.across import NEVER, Evaluated, across_moment, across_series
from tidewright.features.timeframes import row_table
from tidewright.market.aggregation import aggregate
from tidewright.market.arrays import BarArrays, Int64

Member = tuple[Track, Series, WiderRows]
"""An instrument, the series that a strategy watches, and what the strategy is shown."""


class Sections:
    """Cross-sections of every strategy that reads some.

    Parameters
    ----------
    strategies : sequence of StrategySetup
        In the order of the configuration.
    """

    def __init__(self, strategies: Sequence[StrategySetup]) -> None:
        self._readers = tuple(
            index
            for index, setup in enumerate(strategies)
            if any(column.across for column in setup.strategy.references)
        )

    def update(self, touched: Iterable[tuple[Track, Series]]) -> None:
        """Take the moment's cross-sections over the instruments that gained a row in it."""
        if not self._readers:
            return
        pairs = sorted(touched, key=lambda pair: pair[0].instrument.id)
        for index in self._readers:
            members = _members(pairs, index)
            if not members:
                continue
            values = np.array([series.columns.current[rows.places] for _, series, rows in members])
            instruments = [track.instrument for track, _, _ in members]
            found = across_moment(members[0][2].across, values, instruments)
            for (_, _, rows), sections in zip(members, found, strict=True):
                rows.advance(sections)

    def restore(self, tracks: Mapping[str, Track], bars: Mapping[str, BarArrays]) -> None:
        """Take the cross-sections of every instrument's newest row, after tracks were restored.

        Parameters
        ----------
        tracks : mapping of str to Track
            Every instrument.
        bars : mapping of str to BarArrays
            Every bar of the feed from the anchor on.
        """
        pairs = [
            (track, series)
            for name, track in sorted(tracks.items())
            if name in bars
            for series in track.series
        ]
        for index in self._readers:
            members = _members(pairs, index)
            if members:
                _restore(members, bars)


def _members(pairs: Iterable[tuple[Track, Series]], index: int) -> list[Member]:
    return [
        (track, series, watch.rows)
        for track, series in pairs
        for watch in series.watches
        if watch.index == index and isinstance(watch.rows, WiderRows)
    ]


def _restore(members: Sequence[Member], bars: Mapping[str, BarArrays]) -> None:
    across = members[0][2].across
    own = list(dict.fromkeys(column.own for column in across))
    columns, moments = [], []
    for track, series, _ in members:
        feed = bars[track.instrument.id]
        rows, known = feed, feed.ts_known
        if series.aggregator is not None:
            longer = aggregate(feed, series.timeframe)
            rows, known = longer.bars, feed.ts_known[longer.source_row]
        values = row_table(own, rows, feed, track.instrument)
        columns.append(dict(zip(own, values, strict=True)))
        moments.append(known)
    evaluated = [
        Evaluated(track.instrument, _only(known, moments))
        for (track, _, _), known in zip(members, moments, strict=True)
    ]
    sections = across_series(across, columns, evaluated)
    for (_, _, wider), known, found in zip(members, moments, sections, strict=True):
        if len(known):
            wider.restore(np.array([values[-1] for values in found]))


def _only(known: Int64, moments: Sequence[Int64]) -> Int64:
    """Return the moments of rows, those alone at which some instrument has its newest row."""
    newest = [one[-1] for one in moments if len(one)]
    found = np.where(np.isin(known, newest), known, NEVER)
    # Of two rows of one moment the later one was evaluated.
    found[:-1][known[1:] == known[:-1]] = NEVER
    return found
