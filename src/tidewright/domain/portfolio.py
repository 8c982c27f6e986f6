"""Positions and round trips."""

from __future__ import annotations

from dataclasses import dataclass

from tidewright.domain.orders import Side


@dataclass(frozen=True)
class Position:
    """An open position in one instrument.

    Parameters
    ----------
    strategy, instrument : str
        Whose and of what.
    lots : int
        Signed quantity in lots.
    cost : int
        Signed money units paid for it, fees apart; average price = cost / lots.
    fees : int
        Money units of fees paid on it so far.
    ts_opened : int
        Time of its first fill, nanoseconds UTC.
    client_id : str
        Client id of the entry.
    stop_ticks, target_ticks : int or None
        Protection working now.
    realized : int
        Money units already realised by partial exits, fees apart.
    """

    strategy: str
    instrument: str
    lots: int
    cost: int
    fees: int
    ts_opened: int
    client_id: str
    stop_ticks: int | None = None
    target_ticks: int | None = None
    realized: int = 0


@dataclass(frozen=True)
class Trade:
    """A round trip: everything between flat and flat.

    Parameters
    ----------
    strategy, instrument : str
        Whose and of what.
    side : Side
        BUY for a long trade, SELL for a short one.
    lots : int
        Largest quantity held, in lots, > 0.
    ts_entry, ts_exit : int
        First and last fill, nanoseconds UTC.
    entry_value, exit_value : int
        Sums of lots times ticks of the entry and of the exit fills.
    entry_lots, exit_lots : int
        Sums of lots of the entry and of the exit fills (equal when the trade closed flat).
    fees : int
        Money units of all fees.
    pnl : int
        Money units of profit after fees.
    entry_client_id : str
        Client id of the entry.
    exit_reason : str
        ``"stop"``, ``"target"``, ``"signal"`` or another word for what closed it.
    """

    strategy: str
    instrument: str
    side: Side
    lots: int
    ts_entry: int
    ts_exit: int
    entry_value: int
    exit_value: int
    entry_lots: int
    exit_lots: int
    fees: int
    pnl: int
    entry_client_id: str
    exit_reason: str
