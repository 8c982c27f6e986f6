"""What a strategy says about the newest bar, as one row of numbers."""

from __future__ import annotations

from enum import IntEnum


class Output(IntEnum):
    """Place of each output in a strategy's row.

    The first four are conditions: 1.0 true, 0.0 false, NaN unknown. CONFIDENCE lies in [0, 1],
    NaN = unknown. The distances are in price units and above 0, NaN = none. SIZE is what a size
    depends on beside them: the standard deviation of one bar in price units, NaN = not needed.
    The first tier uses STOP_DISTANCE and TARGET_DISTANCE, the others have their own.
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
    STOP_2 = 10
    TARGET_2 = 11
    STOP_3 = 12
    TARGET_3 = 13


N_OUTPUTS = len(Output)
"""Length of a strategy's row of outputs."""

DISTANCES = (
    Output.STOP_DISTANCE,
    Output.TARGET_DISTANCE,
    Output.TRAIL_DISTANCE,
    Output.LIMIT_OFFSET,
    Output.SIZE,
    Output.STOP_2,
    Output.TARGET_2,
    Output.STOP_3,
    Output.TARGET_3,
)
"""Outputs that an entry depends on: where one is declared but unknown, nothing is entered."""

TIERS = (
    (Output.STOP_DISTANCE, Output.TARGET_DISTANCE),
    (Output.STOP_2, Output.TARGET_2),
    (Output.STOP_3, Output.TARGET_3),
)
"""Distances of the stop and the target of each tier."""
