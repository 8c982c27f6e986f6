"""Settings as people may see them: every section, no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum

from pydantic import SecretStr

from tidewright.app.settings.model import Settings

Shown = str | int | float | bool | None | list[str]
"""A value as it is shown."""


def shown(settings: Settings) -> Mapping[str, Mapping[str, Shown]]:
    """Return the settings by section; secrets say only whether they are set."""
    general: dict[str, Shown] = {}
    sections: dict[str, dict[str, Shown]] = {"general": general}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value) and not isinstance(value, type):
            sections[field.name] = {
                inner.name: _plain(getattr(value, inner.name)) for inner in fields(value)
            }
        else:
            general[field.name] = _plain(value)
    return sections


def _plain(value: object) -> Shown:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (tuple, list, frozenset)):
        return [str(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
