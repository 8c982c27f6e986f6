"""What whoever made a data set says about it: how prices were adjusted, who is in it, and when.

No program can see it in the bars. A price that was adjusted for later splits and dividends depends
on when that was done; a universe of the companies of today leaves out those that failed. What
nobody declared is called undeclared wherever results are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.time import iso, parse_iso

UNDECLARED = "undeclared"
"""Written for what nobody said."""
EACH_BAR = "each_bar"
"""Written for a universe that holds at each time what was in it then."""


class Adjustment(StrEnum):
    """What was taken out of past prices."""

    UNDECLARED = UNDECLARED
    NONE = "none"
    """Prices as they were traded."""
    SPLIT = "split"
    """Splits."""
    SPLIT_DIVIDEND = "split_dividend"
    """Splits and dividends."""


@dataclass(frozen=True, slots=True)
class DataDeclaration:
    """What is declared about a data set.

    Parameters
    ----------
    adjustment : Adjustment
        What was taken out of past prices.
    adjusted_as_of : int
        When that was done, nanoseconds UTC; 0 = undeclared.
    universe_as_of : int
        When it was decided which instruments belong to it, nanoseconds UTC; 0 = undeclared.
    point_in_time : bool
        True when it holds at each time what belonged to it then; ``universe_as_of`` is 0 then.
    sectors : mapping of str to str
        Sector of instruments, by symbol.
    source : str
        Where it was declared; empty where it was not.
    """

    adjustment: Adjustment = Adjustment.UNDECLARED
    adjusted_as_of: int = 0
    universe_as_of: int = 0
    point_in_time: bool = False
    sectors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""

    @property
    def back_adjusted(self) -> bool:
        """Whether past prices depend on what happened later; False where nobody said."""
        return self.adjustment in (Adjustment.SPLIT, Adjustment.SPLIT_DIVIDEND)

    def survivors(self, first: int) -> bool:
        """Return whether instruments were chosen knowing what became of them.

        Parameters
        ----------
        first : int
            When the first bar was known, nanoseconds UTC.
        """
        return self.universe_as_of > first and not self.point_in_time

    @property
    def adjusted_text(self) -> str:
        """Date of the adjustment; empty where none was declared."""
        return iso(self.adjusted_as_of)[:10] if self.adjusted_as_of else ""

    @property
    def universe_text(self) -> str:
        """Date of the universe, or ``each_bar``; empty where nobody said."""
        if self.point_in_time:
            return EACH_BAR
        return iso(self.universe_as_of)[:10] if self.universe_as_of else ""

    def as_dict(self) -> dict[str, object]:
        """Return the declaration as JSON-able values, dates as text."""
        return {
            "adjustment": self.adjustment.value,
            "adjusted_as_of": self.adjusted_text,
            "universe_as_of": self.universe_text,
            "sectors": dict(self.sectors),
            "source": self.source,
        }

    def lines(self, first: int = 0) -> list[str]:
        """Return what belongs beside every result, one fact a line.

        Parameters
        ----------
        first : int
            When the first bar was known, nanoseconds UTC; 0 leaves survivors unjudged.
        """
        adjusted = f" as of {self.adjusted_text}" if self.adjusted_text else ""
        found = [
            f"prices: adjustment {self.adjustment.value}{adjusted}",
            f"universe: as of {self.universe_text or UNDECLARED}",
        ]
        if first and self.survivors(first):
            found.append(
                "universe of survivors: its instruments were chosen when it was known what became "
                "of them, so every result on it is too good"
            )
        return found


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    adjustment: Adjustment = Adjustment.UNDECLARED
    adjusted_as_of: str = ""
    universe_as_of: str = ""
    sectors: dict[str, str] = {}

    @field_validator("adjusted_as_of", "universe_as_of", mode="before")
    @classmethod
    def _written(cls, value: object) -> object:
        # YAML reads a date without quotes as one
        return value.isoformat() if isinstance(value, date | datetime) else value


def parse_declaration(text: str, source: str = "") -> DataDeclaration:
    """Return what a document declares.

    Parameters
    ----------
    text : str
        YAML with any of ``adjustment``, ``adjusted_as_of``, ``universe_as_of`` and ``sectors``.
    source : str
        Name of the document.

    Raises
    ------
    ConfigError
        If the document cannot be used; the message names it and the key.
    """
    try:
        written = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: declaration was no YAML: {error}") from error
    if not isinstance(written, dict | None):
        raise ConfigError(f"{source}: declaration was {written!r}; expected keys and values")
    try:
        found = _File.model_validate(written or {})
    except ValidationError as error:
        raise ConfigError(f"{source}: {_fault(error)}") from error
    in_time = found.universe_as_of == EACH_BAR
    return DataDeclaration(
        found.adjustment,
        _time(found.adjusted_as_of, source, "adjusted_as_of"),
        0 if in_time else _time(found.universe_as_of, source, "universe_as_of"),
        in_time,
        MappingProxyType(found.sectors),
        source,
    )


def _time(text: str, source: str, key: str) -> int:
    if text in ("", UNDECLARED):
        return 0
    try:
        return parse_iso(text)
    except ConfigError as error:
        raise ConfigError(f"{source}: {key}: {error}") from error


def _fault(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = list(_File.model_fields)
        return f"key was {key!r}; expected one of {', '.join(known)}{nearest(key, known)}"
    return f"{key} was {first['input']!r}; {first['msg']}"
