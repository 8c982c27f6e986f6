"""Settings of order handling."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tidewright.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """How long answers may take, and how often a lost one is asked for.

    Parameters
    ----------
    order_timeout_seconds : int
        An order or cancellation without an answer for this long is of unknown outcome.
    stale_check_interval_seconds : int
        Longest pause between two queries of an order of unknown outcome.
    max_retry_attempts : int
        Queries after which an unresolved order raises a critical alert; queries go on.
    retry_delay_seconds : int
        Pause before the second query; it doubles with every further one.
    intent_ttl_seconds : int
        An approved order that was not sent within this time is never sent.

    Raises
    ------
    ConfigError
        If a value is not a whole number of 1 to 86400.
    """

    order_timeout_seconds: int = 60
    stale_check_interval_seconds: int = 30
    max_retry_attempts: int = 3
    retry_delay_seconds: int = 5
    intent_ttl_seconds: int = 60

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if type(value) is not int or not 1 <= value <= 86_400:
                raise ConfigError(
                    f"execution.{item.name} was {value!r}; expected a whole number from 1 to 86400"
                )
