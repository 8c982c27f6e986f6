"""Merge the sources, refuse what is unknown, and build the frozen settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from tidewright.app.settings.model import Settings
from tidewright.app.settings.names import known_names, resolve, sections, suggestion
from tidewright.app.settings.sources import (
    Assignment,
    from_env_file,
    from_overrides,
    from_variables,
    from_yaml,
)
from tidewright.domain.errors import ConfigError

T = TypeVar("T")

DEFAULT_FILE = Path("tidewright.yaml")
"""Settings file that is read when none is named and this one exists."""


def load_settings(
    path: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
    overrides: Sequence[str] = (),
) -> Settings:
    """Read the settings; later sources win: file, ``.env``, environment, overrides.

    Parameters
    ----------
    path : Path, optional
        YAML file; ``tidewright.yaml`` of the working directory when it exists.
    environment : mapping of str to str, optional
        Environment variables; those of the process by default.
    env_file : Path or None
        File of further variables; need not exist.
    overrides : sequence of str
        ``NAME=VALUE`` texts of the command line.

    Raises
    ------
    ConfigError
        If a name is unknown, a value unfit, or a file unreadable; the message names the place.
    """
    assignments: list[Assignment] = []
    if path is not None or DEFAULT_FILE.is_file():
        assignments += from_yaml(path or DEFAULT_FILE)
    if env_file is not None:
        assignments += from_env_file(env_file)
    assignments += from_variables(os.environ if environment is None else environment)
    assignments += from_overrides(overrides)
    return _build({}, assignments)


def apply_overrides(settings: Settings, overrides: Sequence[str]) -> Settings:
    """Return settings changed by ``NAME=VALUE`` texts, checked as a whole again.

    Raises
    ------
    ConfigError
        As `load_settings`.
    """
    base = {name: _value(settings, name) for name in known_names()}
    changed = _build(base, from_overrides(overrides))
    return replace(changed, notes=(*settings.notes, *changed.notes))


def _value(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _build(base: Mapping[str, object], assignments: Iterable[Assignment]) -> Settings:
    values = dict(base)
    origin: dict[str, Assignment] = {}
    currencies: list[tuple[str, Assignment]] = []
    notes: list[str] = []
    for assignment in assignments:
        resolved = resolve(assignment.name)
        if resolved is None:
            raise ConfigError(
                f"{assignment.source}: unknown setting {assignment.name!r}"
                f"{suggestion(assignment.name)}"
            )
        if resolved.note:
            notes.append(f"{assignment.source}: {assignment.name} {resolved.note}")
            continue
        values[resolved.path] = assignment.value
        origin[resolved.path] = assignment
        if resolved.currency:
            currencies.append((resolved.currency, assignment))
    _settle_currency(values, origin, currencies)
    return replace(_validated(values, origin), notes=tuple(notes))


def _settle_currency(
    values: dict[str, object],
    origin: Mapping[str, Assignment],
    currencies: Sequence[tuple[str, Assignment]],
) -> None:
    """Let a name that states a currency set the account's, unless that was set otherwise."""
    for currency, assignment in currencies:
        if "account.currency" in origin and values["account.currency"] != currency:
            raise ConfigError(
                f"{assignment.source}: {assignment.name} is in {currency}, but account.currency "
                f"was {values['account.currency']!r} ({origin['account.currency'].source})"
            )
        values["account.currency"] = currency


def _validated(values: Mapping[str, object], origin: Mapping[str, Assignment]) -> Settings:
    document: dict[str, object] = {}
    for section in sections():
        prefix = f"{section}."
        given = {
            name.removeprefix(prefix): _plain(name, value)
            for name, value in values.items()
            if name.startswith(prefix)
        }
        document[section] = _section(section, given, origin)
    document |= {name: _plain(name, value) for name, value in values.items() if "." not in name}
    return _checked(Settings, document, "", origin)


def _section(section: str, given: Mapping[str, object], origin: Mapping[str, Assignment]) -> object:
    return _checked(sections()[section], given, f"{section}.", origin)


def _checked(
    cls: type[T], given: Mapping[str, object], prefix: str, origin: Mapping[str, Assignment]
) -> T:
    try:
        return TypeAdapter(cls).validate_python(dict(given))
    except ValidationError as error:
        raise ConfigError("\n".join(_faults(error, prefix, origin))) from error
    except ConfigError as error:
        written = [
            assignment.source
            for name, assignment in origin.items()
            if name.startswith(prefix) and name.removeprefix(prefix) in str(error)
        ]
        place = f"{', '.join(written)}: " if written else ""
        raise ConfigError(f"{place}{prefix}{str(error).removeprefix(prefix)}") from error


def _faults(error: ValidationError, prefix: str, origin: Mapping[str, Assignment]) -> list[str]:
    faults = []
    for fault in error.errors(include_url=False):
        name = prefix + ".".join(str(part) for part in fault["loc"] if isinstance(part, str))
        place = f"{origin[name].source}: " if name in origin else ""
        was = "" if name == "database.url" else f" was {fault['input']!r};"
        expected = fault["msg"].replace("Input should be", "expected")
        faults.append(f"{place}{name}{was} {expected}")
    return faults


@cache
def _hint(name: str) -> str:
    section, _, leaf = name.rpartition(".")
    return str(get_type_hints(sections()[section] if section else Settings)[leaf])


def _plain(name: str, value: object) -> object:
    """Return a value as its setting takes it: lists from text with commas, YAML's off as a word."""
    hint = _hint(name)
    if isinstance(value, str) and hint.startswith("tuple["):
        return _plural_free(hint, [item.strip() for item in value.strip("[] ").split(",")])
    if isinstance(value, list):
        return _plural_free(hint, value)
    if value is False and "'off'" in hint:
        return "off"
    return value


def _plural_free(hint: str, items: Sequence[object]) -> list[object]:
    """Return items without blanks; asset classes may be written as people say them, `stocks`."""
    found = [item for item in items if item != ""]
    if "AssetClass" not in hint:
        return found
    return [item.removesuffix("s") if isinstance(item, str) else item for item in found]
