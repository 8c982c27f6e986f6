"""How domain values are written down and read back, apart from the bytes.

A value becomes a pair of its class name and itself (`tag`); any JSON writer that knows
dataclasses, or `plain` as its fallback, makes bytes of it. `untag` rebuilds the value from what
the reader gives. Every envelope carries `SCHEMA_VERSION`; `UPCASTERS` lift older data, one
version at a time, before it is rebuilt.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from tidewright.domain import events, facts, instrument, market, orders, portfolio, signals
from tidewright.domain.errors import DataIntegrityError

SCHEMA_VERSION = 1
"""Version of the written form of every domain value."""

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""What a JSON reader gives."""

UPCASTERS: Mapping[tuple[str, int], Callable[[Json], Json]] = {}
"""(class name, version) -> function lifting data of that version to the next."""


@cache
def _classes() -> Mapping[str, type]:
    found: dict[str, type] = {}
    for module in (events, facts, instrument, market, orders, portfolio, signals):
        for name, value in vars(module).items():
            if not isinstance(value, type) or value.__module__ != module.__name__:
                continue
            if is_dataclass(value):
                found[name] = value
    found["Bar"] = market.Bar
    return found


def tag(value: object) -> tuple[str, object]:
    """Return the class name of a domain value and what is to be written of it.

    Bars are written as a plain list, since nearly everything that is stored is a bar; an approved
    order loses its token, and reads back as a record that no broker accepts.
    """
    if type(value) is market.Bar:
        return "Bar", tuple(value)
    if type(value) is facts.SubmitOrder:
        approved = value.order
        return "RecordedSubmission", facts.RecordedSubmission(approved.intent, approved.checks)
    return type(value).__name__, value


def plain(value: object) -> object:
    """Return a JSON form of a value that a JSON writer does not know by itself.

    Raises
    ------
    TypeError
        If the value is no domain value.
    """
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"cannot write a {type(value).__name__}")


def untag(name: str, data: Json, version: int = SCHEMA_VERSION) -> Any:  # noqa: ANN401
    """Rebuild a domain value.

    Parameters
    ----------
    name : str
        Class name, as `tag` gave it.
    data : Json
        What the JSON reader gave.
    version : int
        Schema version under which it was written.

    Returns
    -------
    Any
        An instance of the named domain class.

    Raises
    ------
    DataIntegrityError
        If the class or version is unknown, or a field is missing, unknown or of a wrong type.
    """
    if version > SCHEMA_VERSION:
        raise DataIntegrityError(
            f"{name} was written by schema version {version}; "
            f"expected at most {SCHEMA_VERSION}: use a newer build"
        )
    for step in range(version, SCHEMA_VERSION):
        lift = UPCASTERS.get((name, step))
        data = lift(data) if lift else data
    cls = _classes().get(name)
    if cls is None:
        raise DataIntegrityError(f"value was of unknown class {name!r}")
    if cls is market.Bar:
        expected = len(market.Bar._fields)
        if not isinstance(data, Sequence) or len(data) != expected:
            raise DataIntegrityError(f"bar was {data!r}; expected {expected} values")
        return market.Bar(*data)  # type: ignore[arg-type]
    return _build(cls, data)


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _build(cls: type, data: Json) -> Any:  # noqa: ANN401
    if not isinstance(data, Mapping):
        raise DataIntegrityError(f"{cls.__name__} was {data!r}; expected an object")
    hints = _hints(cls)
    names = {field.name for field in fields(cls)}
    if unknown := set(data) - names:
        raise DataIntegrityError(f"{cls.__name__} had unknown fields {sorted(unknown)}")
    try:
        return cls(**{key: _convert(hints[key], value) for key, value in data.items()})
    except (TypeError, ValueError, ArithmeticError) as error:
        raise DataIntegrityError(f"{cls.__name__} was {data!r}: {error}") from error


def _convert(hint: Any, data: Json) -> Any:  # noqa: ANN401
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        choices = [choice for choice in get_args(hint) if choice is not types.NoneType]
        return None if data is None else _convert(choices[0], data)
    if origin is tuple:
        if not isinstance(data, Sequence) or isinstance(data, str):
            raise TypeError(f"expected a list, it was {data!r}")
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_convert(inner[0], item) for item in data)
        return tuple(_convert(kind, item) for kind, item in zip(inner, data, strict=True))
    if is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, data)
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if hint is Decimal:
        return Decimal(str(data))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    if isinstance(hint, type) and not isinstance(data, hint):
        raise TypeError(f"expected {hint.__name__}, it was {data!r}")
    return data
