"""A strategy written in Python: buy the third lower close in a calm uptrend.

Run it like any other::

    tidewright backtest examples/python_strategy.py:PullbackInCalmTrend --data bars.parquet
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tidewright.strategy.python_strategy import Output, PythonStrategy, columns


class PullbackInCalmTrend(PythonStrategy):
    """Buy when the price has fallen to a score that depends on how calm the market is.

    The score weighs the distance to the average in units of the average true range; how far it
    has to fall depends on the trend. A table of cases is easier to read here than as expression.
    """

    name = "pullback_in_calm_trend"
    references = columns("close", "sma(50)", "atr(14)", "rsi(14)", "adx(14)")
    time_stop_bars = 240
    reasons: ClassVar[Mapping[str, str]] = {
        "entry.long": "pullback in a calm trend",
        "exit.long": "back above the average",
    }

    def evaluate(
        self, current: NDArray[np.float64], previous: NDArray[np.float64]
    ) -> Mapping[Output, float]:
        """Return entry, exit, confidence and stop for the newest bar."""
        close, average, true_range, strength, trend = current.tolist()
        if true_range <= 0:
            return {}
        stretch = (average - close) / true_range
        needed = self._needed_stretch(trend)
        entered = stretch > needed and strength < 40 and close < previous[0]
        return {
            Output.ENTRY_LONG: float(entered),
            Output.EXIT_LONG: float(close > average),
            Output.CONFIDENCE: 0.6 + 0.05 * min(max(stretch - needed, 0.0), 4.0),
            Output.STOP_DISTANCE: 2.5 * true_range,
        }

    @staticmethod
    def _needed_stretch(trend: float) -> float:
        for limit, stretch in ((15.0, 1.0), (25.0, 1.5), (40.0, 2.5)):
            if trend < limit:
                return stretch
        return 4.0
