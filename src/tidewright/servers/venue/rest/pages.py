"""Which rows of a long list a request is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tidewright.domain.time import DAY
from tidewright.servers.venue import errors
from tidewright.servers.venue.endpoint import Call

MOST_ROWS, USUAL_ROWS = 1_000, 500


RowT = TypeVar("RowT")


def rows_wanted(call: Call, most: int = MOST_ROWS, usual: int = USUAL_ROWS) -> int:
    """Return how many rows a request wants; more than there may be is cut.

    Raises
    ------
    errors.ApiError
        -1130 for none.
    """
    limit = call.values.number("limit", usual)
    if limit < 1:
        raise errors.bad_value("limit")
    return min(limit, most)


def check_span(call: Call) -> tuple[int | None, int | None]:
    """Return the bounds of time that a request names.

    Raises
    ------
    errors.ApiError
        -1127 for more than a day between them.
    """
    start, end = call.values.maybe("startTime"), call.values.maybe("endTime")
    if start is not None and end is not None and end - start > DAY:
        raise errors.ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start, end


def chosen(
    call: Call,
    rows: Sequence[RowT],
    first: str,
    *,
    number: Callable[[RowT], int],
    time: Callable[[RowT], int] | None = None,
) -> Sequence[RowT]:
    """Return the rows that a request wants, oldest first.

    From a number or a time on, the oldest; otherwise the newest.

    Parameters
    ----------
    call : Call
        The request, with ``limit`` and perhaps ``startTime`` and ``endTime``.
    rows : sequence
        All there are, oldest first.
    first : str
        The parameter that names the least number wanted.
    number, time : callable
        A row's number, and its time where the request may name one.

    Raises
    ------
    errors.ApiError
        If the bounds of time or the limit are out of range.
    """
    limit = rows_wanted(call)
    start, end = check_span(call) if time is not None else (None, None)
    least = call.values.maybe(first)
    found = [
        row
        for row in rows
        if (least is None or number(row) >= least)
        and (start is None or time is None or time(row) // call.unit * call.unit >= start)
        and (end is None or time is None or time(row) // call.unit * call.unit <= end)
    ]
    return found[-limit:] if least is None and start is None else found[:limit]
