"""Series of bounded size: the latest items of an endless one, and equity thinned as it grows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from tidewright.domain.time import DAY

T = TypeVar("T")

EQUITY_LIMIT = 2_000
DAY_LIMIT = 3_650


class Ring(Generic[T]):
    """The latest items of an endless series, each known by how many came before it."""

    __slots__ = ("items", "total")

    def __init__(self, limit: int) -> None:
        self.items: deque[T] = deque(maxlen=limit)
        self.total = 0

    def append(self, item: T) -> None:
        """Add an item; the oldest one leaves when the ring is full."""
        self.items.append(item)
        self.total += 1

    def since(self, seen: int) -> tuple[tuple[int, T], ...]:
        """Return number and item of everything still held after the first ``seen`` items."""
        new = min(self.total - seen, len(self.items))
        if new <= 0:
            return ()
        first = self.total - new
        kept = list(self.items)[-new:]
        return tuple(enumerate(kept, first))


class EquityRow(NamedTuple):
    """Equity at one moment: money units, the benchmark's, and the worst fall from the peak.

    Parameters
    ----------
    ts : int
        Nanoseconds UTC.
    equity : int
        Money units.
    benchmark : float
        Money units of the universe bought in equal parts at the start of trading.
    drawdown : float
        Lowest (equity - peak) / peak since the row before, <= 0.
    """

    ts: int
    equity: int
    benchmark: float
    drawdown: float


@dataclass(frozen=True, slots=True)
class DayRow:
    """Equity at the end of one UTC day, numbered from 1970-01-01."""

    day: int
    opening: int
    closing: int


class EquityCurve:
    """Equity, benchmark and drawdown since the start of trading, thinned as it grows.

    A row closes a bucket of ``stride`` moments, each once: what a venue reports at the time of a
    bar is a step of its own and belongs to the same moment. When the list is full, neighbours are
    merged and the stride doubles; the worst drawdown of a bucket is never lost.
    """

    __slots__ = (
        "benchmark",
        "day",
        "days",
        "drawdown",
        "epoch",
        "filled",
        "holding",
        "initial",
        "max_drawdown",
        "midnight",
        "now",
        "opening",
        "peak",
        "rows",
        "stride",
        "ts",
        "worst",
    )

    def __init__(self) -> None:
        self.rows: list[EquityRow] = []
        self.days: deque[DayRow] = deque(maxlen=DAY_LIMIT)
        self.initial: int | None = None
        self.benchmark = self.holding = 0.0
        self.epoch = 0
        self.stride = 1
        self.filled = 0
        self.peak = 0
        self.drawdown = self.worst = self.max_drawdown = 0.0
        self.now = self.opening = self.ts = 0
        self.day = -1
        self.midnight = 0

    def note(self, ts: int, equity: int) -> None:
        """File the equity of one step."""
        if ts != self.ts:
            if self.filled >= self.stride:
                self._close_bucket()
            self.filled += 1
            if ts >= self.midnight:
                self._new_day(ts // DAY, equity)
            self.ts = ts
        self.now = equity
        self.holding = self.benchmark
        if equity >= self.peak:
            self.peak = equity
            self.drawdown = 0.0
        else:
            self.drawdown = drawdown = (equity - self.peak) / self.peak
            if drawdown < self.worst:
                self.worst = drawdown
                if drawdown < self.max_drawdown:
                    self.max_drawdown = drawdown

    def _new_day(self, day: int, equity: int) -> None:
        if self.day >= 0:
            self.days.append(DayRow(self.day, self.opening, self.now))
        self.opening = self.now if self.day >= 0 else equity
        self.day = day
        self.midnight = (day + 1) * DAY

    def _close_bucket(self) -> None:
        self.rows.append(self._open_row())
        self.worst = self.drawdown
        self.filled = 0
        if len(self.rows) >= EQUITY_LIMIT:
            self.rows = [
                EquityRow(b.ts, b.equity, b.benchmark, min(a.drawdown, b.drawdown))
                for a, b in zip(self.rows[::2], self.rows[1::2], strict=True)
            ]
            self.stride *= 2
            self.epoch += 1

    def _open_row(self) -> EquityRow:
        return EquityRow(self.ts, self.now, self.holding, self.worst)

    def since(self, seen: tuple[int, int]) -> tuple[tuple[EquityRow, ...], bool]:
        """Return the rows after ``seen`` (epoch, count), and whether they are the whole series.

        The last row is still open: it comes again, changed or closed, in the next answer.
        """
        whole = seen[0] != self.epoch
        rows = self.rows if whole else self.rows[seen[1] :]
        if self.filled:
            rows = [*rows, self._open_row()]
        return tuple(rows), whole
