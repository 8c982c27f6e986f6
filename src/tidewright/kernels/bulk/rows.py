"""What the loop asks of a bar, from its cache line where there are such, else column by column."""

from __future__ import annotations

from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.layout import Int64, Market
from tidewright.kernels.fills import BarStep
from tidewright.kernels.jit import inlined
from tidewright.kernels.machine import fetch


@inlined
def close_of(market: Market, row: int) -> int:
    """Return the close of a bar in ticks."""
    if len(market.lines) > 0:
        return market.lines[row, at.LINE_CLOSE]  # type: ignore[no-any-return]
    return market.close[row]  # type: ignore[no-any-return]


@inlined
def reached(market: Market, row: int, low: int, high: int) -> bool:
    """Return whether a bar left an open interval of prices."""
    if len(market.lines) > 0:
        line = market.lines[row]
        return bool(line[at.LINE_LOW] <= low or line[at.LINE_HIGH] >= high)
    return bool(market.low[row] <= low or market.high[row] >= high)


@inlined
def fetch_bar(market: Market, row: int) -> None:
    """Begin to bring a bar into the cache, all of it at once.

    Columns are megabytes apart and rows that matter lie far from each other: asked for one after
    the other, each column of such a row would be waited for.
    """
    if len(market.lines) > 0:
        fetch(market.lines, row * at.N_LINE)
        return
    fetch(market.moments, row)
    fetch(market.opened, row)
    fetch(market.known, row)
    fetch(market.open, row)
    fetch(market.high, row)
    fetch(market.low, row)
    fetch(market.close, row)
    fetch(market.volume, row)


@inlined
def row_in(market: Market, book: Int64, instrument: int, moment: int) -> int:
    """Return an active instrument's row in a slice that follows the one of its latest; else -1."""
    if len(market.order) == 0:
        return moment
    row = book[at.ROW]
    if market.moment_of[row] == moment:
        return row  # type: ignore[no-any-return]
    row += 1
    if row < market.first[instrument + 1] and market.moment_of[row] == moment:
        return row  # type: ignore[no-any-return]
    return -1


@inlined
def bar_of(market: Market, row: int) -> BarStep:
    """Return a bar as the fill step takes it."""
    if len(market.lines) > 0:
        line = market.lines[row]
        return BarStep(line[0], line[1], line[2], line[3], line[4], line[5], line[6])
    return BarStep(
        market.opened[row],
        market.known[row],
        market.open[row],
        market.high[row],
        market.low[row],
        market.close[row],
        market.volume[row],
    )


@inlined
def ahead_of(market: Market, instrument: int, row: int, moment: int) -> float:
    """Return the sum of the value of one lot over a slice and those to come; 0.0 where unknown."""
    slices = market.worth.shape[1] - 1
    if slices < 0:
        return 0.0
    if len(market.lines) > 0:
        before = market.line_worth[row, at.LINE_WORTH]
    else:
        before = market.worth[instrument, moment]
    return market.worth[instrument, slices] - before  # type: ignore[no-any-return]


@inlined
def time_of(market: Market, moment: int) -> int:
    """Return the time of a slice."""
    if len(market.lines) > 0 and len(market.order) == 0:
        return market.lines[moment, at.LINE_KNOWN]  # type: ignore[no-any-return]
    return market.moments[moment]  # type: ignore[no-any-return]
