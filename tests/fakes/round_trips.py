"""Round trips and bars with chosen numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.orders import Side
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import HOUR
from tidewright.market.arrays import BarArrays


def round_trip(
    entry: int = 100,
    exit_: int = 110,
    *,
    opened: int = 0,
    closed: int = HOUR,
    side: Side = Side.BUY,
    reason: str = "signal",
    pnl: float | None = None,
    fees: float = 0.0,
    lots: int = 1,
) -> Trade:
    """Return a trade of one instrument at prices in ticks; profit in account currency."""
    sign = 1 if side is Side.BUY else -1
    gained = sign * (exit_ - entry) * lots if pnl is None else pnl
    return Trade(
        strategy="s",
        instrument="X",
        side=side,
        lots=lots,
        ts_entry=opened,
        ts_exit=closed,
        entry_value=entry * lots,
        exit_value=exit_ * lots,
        entry_lots=lots,
        exit_lots=lots,
        fees=round(fees * UNITS_PER_CURRENCY),
        pnl=round(gained * UNITS_PER_CURRENCY),
        entry_client_id="c",
        exit_reason=reason,
    )


def hourly(rows: Sequence[tuple[int, int, int, int]]) -> BarArrays:
    """Return hourly bars of (open, high, low, close) from time 0 on."""
    table = np.array(rows, dtype=np.int64)
    begins = np.arange(len(table), dtype=np.int64) * HOUR
    volume = np.ones(len(table), dtype=np.int64)
    return BarArrays("X", "1h", begins, begins + HOUR, *table.T, volume)
