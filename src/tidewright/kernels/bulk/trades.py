"""Trades and parts of them, between rows of numbers and the form that the fill step takes."""

from __future__ import annotations

from tidewright.kernels.bulk.layout import Int64
from tidewright.kernels.fills import TradeState
from tidewright.kernels.jit import inlined


@inlined
def read_trade(row: Int64) -> TradeState:
    """Return a row of ``State.trades`` or ``State.parts`` as the fill step takes it."""
    return TradeState(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        row[7],
        row[8],
        row[9],
        row[10],
        row[11],
        row[12],
        row[13],
        row[14],
    )


@inlined
def write_trade(row: Int64, trade: TradeState) -> None:
    """Write a trade into a row of ``State.trades`` or ``State.parts``."""
    row[0] = trade.direction
    row[1] = trade.key
    row[2] = trade.entry_lots
    row[3] = trade.entry_limit
    row[4] = trade.entry_since
    row[5] = trade.entry_bars
    row[6] = trade.held
    row[7] = trade.stop
    row[8] = trade.target
    row[9] = trade.trail
    row[10] = trade.best
    row[11] = trade.triggered
    row[12] = trade.exit_lots
    row[13] = trade.exit_limit
    row[14] = trade.exit_since
