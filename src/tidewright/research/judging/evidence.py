"""What a verdict is made from, as values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from tidewright.domain.errors import ConfigError


class Outcome(StrEnum):
    """What a check found."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Check:
    """A hard check and what it found.

    Parameters
    ----------
    outcome : Outcome
        What it found.
    detail : str
        One sentence for a person, may be empty.
    """

    outcome: Outcome
    detail: str = ""


PASSED = Check(Outcome.PASSED)
NOT_RUN = Check(Outcome.NOT_RUN)


class PSource(StrEnum):
    """Where a p-value comes from."""

    SEARCH_ON_NOISE = "search on noise"
    DEFLATED_SHARPE = "deflated Sharpe ratio"
    MAX_STATISTIC = "maximum statistic"
    EARLIER_TRIES = "search on noise and what was tried before"


class HistoryKind(StrEnum):
    """What is known of everything that was tried before."""

    RECORDED = "recorded"
    DECLARED = "declared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TrialHistory:
    """How many configurations were tried on this data, as far as is known.

    Parameters
    ----------
    kind : HistoryKind
        Counted by the trial registry, stated by the user, or declared to be unknown.
    tries : int
        Configurations ever scored, at least 1; a lower bound when unknown.
    """

    kind: HistoryKind
    tries: int = 1

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ConfigError(f"tries were {self.tries}; expected at least 1, the one at hand")


@dataclass(frozen=True, slots=True)
class Interval:
    """A 90 % confidence interval, 5 % on either side, as annual shares of the initial equity.

    Parameters
    ----------
    low, estimate, high : float
        Finite and in this order.
    """

    low: float
    estimate: float
    high: float

    def __post_init__(self) -> None:
        values = (self.low, self.estimate, self.high)
        if not all(map(math.isfinite, values)) or not self.low <= self.estimate <= self.high:
            raise ConfigError(f"interval was {values}; expected finite low <= estimate <= high")


@dataclass(frozen=True, slots=True)
class ForwardEvidence:
    """What came after a freeze, against what the backtest led to expect.

    Parameters
    ----------
    days : int
        Days known after the freeze, at least 0.
    percentile : float
        Place of the forward result in its forecast, 0 (worse than all of it) to 1.
    """

    days: int
    percentile: float

    def __post_init__(self) -> None:
        if self.days < 0 or not 0.0 <= self.percentile <= 1.0:
            raise ConfigError(
                f"forward evidence was {self.days} days at percentile {self.percentile}; "
                "expected days from 0 and a percentile from 0 to 1"
            )


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a verdict is made from.

    Parameters
    ----------
    p_value : float or None
        Chance that luck alone gives a result this good after everything that was searched, 0 to 1;
        None where it could not be computed.
    p_source : PSource
        Where it comes from.
    excess : Interval or None
        Annual excess over the matched benchmark, after costs; None where it could not be computed.
    days : int
        Days of results over the full calendar, flat days included.
    trade_days : int
        Different days on which a round trip ended: trades of one day count once.
    look_ahead, valid_data : Check
        Failing one makes the test itself worthless.
    double_costs, one_bar_later : Check
        Whether the excess stays above 0 at twice the costs, and when every decision comes one bar
        later.
    forward : ForwardEvidence or None
        Result after a freeze; None without one.
    survivors : bool
        Whether the universe holds only what still exists today.
    history : TrialHistory
        What was tried before.
    overrides : tuple of str
        Rules that were set aside on purpose, such as a second opening of closed data; shown, never
        hidden.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """

    p_value: float | None
    p_source: PSource
    excess: Interval | None
    days: int
    trade_days: int
    look_ahead: Check
    valid_data: Check
    double_costs: Check
    one_bar_later: Check
    forward: ForwardEvidence | None = None
    survivors: bool = False
    history: TrialHistory = TrialHistory(HistoryKind.RECORDED)
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.p_value is not None and not 0.0 <= self.p_value <= 1.0:
            raise ConfigError(f"p-value was {self.p_value}; expected 0 to 1")
        if self.days < 0 or not 0 <= self.trade_days <= self.days:
            raise ConfigError(
                f"{self.trade_days} days with a closed trade of {self.days} days; "
                "expected 0 <= trade days <= days"
            )
