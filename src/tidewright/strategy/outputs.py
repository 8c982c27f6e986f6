"""What a strategy says about the newest bar, as one row of numbers."""

from __future__ import annotations

from enum import IntEnum


class Output(IntEnum):
    """Place of each output in a strategy's row.

    The first four are conditions: 1.0 true, 0.0 false, NaN unknown. CONFIDENCE lies in [0, 1],
    NaN = unknown. The distances are in price units and above 0, NaN = none. SIZE is what a size
    depends on beside them: the standard deviation of one bar in price units, NaN = not needed.
    """

    ENTRY_LONG = 0
    EXIT_LONG = 1
    ENTRY_SHORT = 2
    EXIT_SHORT = 3
    CONFIDENCE = 4
    STOP_DISTANCE = 5
    TARGET_DISTANCE = 6
    TRAIL_DISTANCE = 7
    LIMIT_OFFSET = 8
    SIZE = 9


N_OUTPUTS = len(Output)
"""Length of a strategy's row of outputs."""

DISTANCES = (
    Output.STOP_DISTANCE,
    Output.TARGET_DISTANCE,
    Output.TRAIL_DISTANCE,
    Output.LIMIT_OFFSET,
    Output.SIZE,
)
"""Outputs that an entry depends on: where one is declared but unknown, nothing is entered."""
