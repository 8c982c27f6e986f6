"""The closed part of a data set: its last fifth, which no search and no report may look at.

It begins at one time for all instruments, at the border of a UTC day. A family of ideas may open it
once; whatever happens after that is recorded as what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.time import DAY, iso
from tidewright.market.arrays import BarArrays
from tidewright.research.judging.trials import (
    DATA,
    DataIdentity,
    Record,
    TrialStore,
    readable,
    same_market,
    seen_until,
    text_of,
    whole_of,
)

OPENING = "opening"
CLOSED_PARTS = 5
"""One part of so many is closed: 20 %."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A look at closed data.

    Parameters
    ----------
    family : str
        Family of ideas that looked.
    data : str
        Fingerprint of the data.
    begins : int
        Where the closed part began, nanoseconds UTC.
    override : str
        Why it was no first look; empty for the one that every family has.
    """

    family: str
    data: str
    begins: int
    override: str = ""


def closed_from(first: int, last: int) -> int:
    """Return the time from which on data is closed.

    Parameters
    ----------
    first, last : int
        Known times of the first and last bar of all instruments, nanoseconds UTC.

    Returns
    -------
    int
        A border of a UTC day such that at most a fifth of the time lies after it; ``last`` when no
        such border lies between both.
    """
    wanted = last - (last - first) // CLOSED_PARTS
    border = -(-wanted // DAY) * DAY
    return border if first < border < last else last


def open_part(series: Sequence[BarArrays]) -> tuple[BarArrays, ...]:
    """Return the series without the closed part; bars known at its border are still open."""
    return cut_at(series, border_of(series))


def border_of(series: Sequence[BarArrays]) -> int:
    """Return the time from which on series are closed, nanoseconds UTC; 0 without bars."""
    filled = [one for one in series if len(one)]
    if not filled:
        return 0
    first = min(int(one.ts_known[0]) for one in filled)
    return closed_from(first, max(int(one.ts_known[-1]) for one in filled))


def cut_at(series: Sequence[BarArrays], border: int) -> tuple[BarArrays, ...]:
    """Return series up to the bars known at a time, that time included, without copying."""
    return tuple(
        one.slice(0, int(np.searchsorted(one.ts_known, border, side="right"))) for one in series
    )


def request_opening(store: TrialStore, data: DataIdentity, family: str) -> Opening:
    """Return what opening the closed part would be: the first look of a family, or an override.

    Parameters
    ----------
    store : TrialStore
        The registry.
    data : DataIdentity
        The whole data set.
    family : str
        Family of the configuration.
    """
    begins = closed_from(data.first, data.last)
    earlier = openings(store, data, family)
    if earlier:
        ts, _ = earlier[0]
        why = f"the closed data was opened before, on {iso(ts)[:10]}"
    elif seen_until(store, data, family) > begins:
        why = "this idea had been run over the closed data before"
    else:
        why = ""
    return Opening(family, data.fingerprint, begins, why)


def openings(store: TrialStore, data: DataIdentity, family: str) -> list[tuple[int, Opening]]:
    """Return the times and openings by a family of data that shares some market with this."""
    found = [(record.ts, opening_of(record)) for record in store.records(OPENING, family)]
    same = same_market(store, data) if found else frozenset()
    return [(ts, one) for ts, one in found if one.data in same]


def record_opening(store: TrialStore, data: DataIdentity, opening: Opening, ts: int) -> None:
    """Write an opening down, before anybody looks."""
    store.append(DATA, data.fingerprint, data.to_body(), ts)
    body = {
        "family": opening.family,
        "data": opening.data,
        "begins": opening.begins,
        "override": opening.override,
    }
    store.append(OPENING, opening.family, body, ts)


def opening_of(record: Record) -> Opening:
    """Return the opening that an entry describes.

    Raises
    ------
    DataIntegrityError
        If it does not.
    """
    body = record.body
    with readable(record):
        return Opening(
            text_of(body, "family"),
            text_of(body, "data"),
            whole_of(body, "begins"),
            text_of(body, "override"),
        )
