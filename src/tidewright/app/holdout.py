"""The closed part of a data set as commands meet it: left out, or opened on the record."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tidewright.app.feeds.bars import BarFeed
from tidewright.app.strategies import LoadedStrategy
from tidewright.app.trials import family_of, open_trials
from tidewright.domain.time import iso
from tidewright.market.arrays import BarArrays
from tidewright.research.judging.holdout import (
    Opening,
    border_of,
    open_part,
    record_opening,
    request_opening,
)
from tidewright.research.judging.trials import identify


def without_closed_part(feed: BarFeed) -> tuple[BarFeed, str]:
    """Return a feed that ends where its data is closed, and the sentence that says so.

    Parameters
    ----------
    feed : BarFeed
        The whole data set.
    """
    border = border_of(feed.series)
    if border >= feed.last_known:
        return feed, "The data is too short to keep a part of it closed."
    rest = BarFeed(
        open_part(feed.series),
        feed.instruments,
        feed.description,
        [one for one in feed.defects if one[0] <= border],
        feed.declaration,
    )
    return rest, f"Closed to searches and reports: everything from {iso(border)[:10]} on (20 %)."


def open_closed_part(series: Sequence[BarArrays], strategies: Sequence[LoadedStrategy]) -> Opening:
    """Write down that a family looks at closed data, before it does.

    Parameters
    ----------
    series : sequence of BarArrays
        The whole data set.
    strategies : sequence of LoadedStrategy
        What will look.

    Returns
    -------
    Opening
        With `Opening.override` telling why this is no first look; empty for one.

    Raises
    ------
    ConfigError
        If the registry cannot be written: what is not recorded is not opened.
    """
    data, family = identify(series), family_of(strategies)
    with open_trials() as store:
        opening = request_opening(store, data, family)
        record_opening(store, data, opening, time.time_ns())
    return opening
