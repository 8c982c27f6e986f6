"""Opinions and what they ask for: Signal -> Target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """What a signal wants to hold."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"


class TriggerType(StrEnum):
    """Who formed the opinion."""

    RULE = "rule"
    MODEL = "model"
    LLM = "llm"
    ALERT = "alert"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Signal:
    """An opinion about one instrument.

    Parameters
    ----------
    strategy : str
        Name of the strategy that holds it.
    instrument : str
        Instrument id.
    direction : Direction
        LONG or SHORT to enter, FLAT to leave.
    confidence : float
        In [0, 1].
    horizon : int
        Nanoseconds after ``ts_known`` at which the opinion is scored; 0 means until its exit rule.
    reason : str
        The rule in words, such as ``"crosses_above(sma(10), sma(50)) and rsi(14) < 70"``.
    trigger_type : TriggerType
        Who formed it.
    ts_known : int
        When it was formed, nanoseconds UTC.
    """

    strategy: str
    instrument: str
    direction: Direction
    confidence: float
    horizon: int
    reason: str
    trigger_type: TriggerType
    ts_known: int


@dataclass(frozen=True)
class Target:
    """The position that a signal asks for, before risk has spoken.

    Parameters
    ----------
    strategy, instrument : str
        Whose and of what.
    lots : int
        Desired signed position in lots; 0 is flat.
    stop_ticks, target_ticks : int or None
        Protective stop and profit target prices in ticks.
    trail_ticks : int or None
        Trailing distance in ticks.
    """

    strategy: str
    instrument: str
    lots: int
    stop_ticks: int | None = None
    target_ticks: int | None = None
    trail_ticks: int | None = None
