"""Gates that handbooks ask for before real money, as settings; they need no other room to load."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tidewright.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class DocumentGates:
    """Gates that handbooks ask for before real money; off unless switched on.

    Parameters
    ----------
    document_gates : bool
        Whether they must be passed, beside everything else.
    min_backtest_sharpe : float
        The backtest's annual Sharpe ratio must be above this.
    min_walkforward_win_percent : float
        More than this percentage of walk-forward stretches must have made a profit, 0 to 100.
    min_paper_profit_days : int
        Paper trading must have lasted so many days and made a profit over them, > 0.
    """

    document_gates: bool = False
    min_backtest_sharpe: float = 1.5
    min_walkforward_win_percent: float = 55.0
    min_paper_profit_days: int = 30

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_walkforward_win_percent <= 100.0:
            raise ConfigError(
                f"min_walkforward_win_percent was {self.min_walkforward_win_percent}; "
                "expected 0 to 100"
            )
        if self.min_paper_profit_days <= 0:
            raise ConfigError(
                f"min_paper_profit_days was {self.min_paper_profit_days}; expected above 0"
            )
        if not math.isfinite(self.min_backtest_sharpe):
            raise ConfigError(
                f"min_backtest_sharpe was {self.min_backtest_sharpe}; expected a finite number"
            )
