"""What a client sent, read into values: names, alphabets, numbers, and what is amiss with them.

Checks come in the order in which the exchange makes them: a name sent twice, more names than the
endpoint knows, what is missing or malformed, and names that nobody read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import unquote_plus

from tidewright.servers.venue import errors

DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
WHOLE = "^[0-9]{1,20}$"
SYMBOL = r"^[\w\-._&&[^a-z]]{1,50}$"
SYMBOLS = r"^\[(\"[\w\-._&&[^a-z]]{1,50}\"(,\"[\w\-._&&[^a-z]]{1,50}\"){0,}){0,1}\]$"
CLIENT_ID = "^[a-zA-Z0-9-_]{1,36}$"
_IS_SYMBOL = re.compile(r"(?:[^\Wa-z]|[-.]){1,50}")
_IS_SYMBOLS = re.compile(r'\[("(?:[^\Wa-z]|[-.]){1,50}"(,"(?:[^\Wa-z]|[-.]){1,50}")*)?\]')
_IS_CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")
_IS_DECIMAL = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,20}))?")
_IS_WHOLE = re.compile("[0-9]{1,20}")
_PLACES = 8
_LARGEST, _LATEST = 2**63 - 1, 2**62

Value = int | str | bool | tuple[str, ...]
Reader = Callable[[str, str], Value]
"""Reads one parameter from its name and text, or raises `errors.ApiError`."""
EnumT = TypeVar("EnumT", bound=StrEnum)


def units(name: str, text: str) -> int:
    """Read a number into whole units of 1e-8."""
    found = _IS_DECIMAL.fullmatch(text)
    if found is None:
        raise errors.illegal_characters(name, DECIMAL)
    whole, part = found.groups()
    if part is not None and len(part) > _PLACES:
        raise errors.too_precise(name)
    value = int(whole + (part or "").ljust(_PLACES, "0"))
    if value > _LARGEST:
        raise errors.overflowed(name)
    return value


def whole(name: str, text: str) -> int:
    """Read a whole number."""
    if _IS_WHOLE.fullmatch(text) is None:
        raise errors.illegal_characters(name, WHOLE)
    value = int(text)
    if value > _LARGEST:
        raise errors.overflowed(name)
    return value


def moment(name: str, text: str) -> int:
    """Read a time in milliseconds or microseconds into nanoseconds; the far future ends in 2116."""
    value = whole(name, text)
    return min(value * (1_000 if value >= 10**14 else 1_000_000), _LATEST)


def thousandths(name: str, text: str) -> int:
    """Read a number of at most three decimal places into thousandths."""
    found = _IS_DECIMAL.fullmatch(text)
    if found is None:
        raise errors.illegal_characters(name, DECIMAL)
    part = found[2] or ""
    if len(part) > 3:
        raise errors.too_precise(name)
    return int(found[1] + part.ljust(3, "0"))


def symbol(name: str, text: str) -> str:
    """Read a symbol; whether it is listed is another question."""
    if _IS_SYMBOL.fullmatch(text) is None:
        raise errors.illegal_characters(name, SYMBOL)
    return text


def symbols(name: str, text: str) -> tuple[str, ...]:
    """Read a list of symbols."""
    if _IS_SYMBOLS.fullmatch(text) is None:
        raise errors.illegal_characters(name, SYMBOLS)
    found = tuple(part[1:-1] for part in text[1:-1].split(",") if part)
    if len(set(found)) < len(found):
        raise errors.ApiError(-1151, "Symbol is present multiple times in the list.")
    return found


def client_id(name: str, text: str) -> str:
    """Read a client's id of an order or a list."""
    if _IS_CLIENT_ID.fullmatch(text) is None:
        raise errors.illegal_characters(name, CLIENT_ID)
    return text


def flag(name: str, text: str) -> bool:
    """Read a truth value."""
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise errors.illegal_characters(name, "^(true|false)$")
    return lowered == "true"


def any_text(name: str, text: str) -> str:
    """Read anything."""
    return text


def one_of(words: Iterable[str], error: errors.ApiError | None = None) -> Reader:
    """Return a reader of one word among some; the error is that of a bad value by default."""
    known = frozenset(words)

    def read(name: str, text: str) -> str:
        if text not in known:
            raise error or errors.bad_value(name)
        return text

    return read


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of an endpoint."""

    name: str
    read: Reader
    mandatory: bool = False


class Values:
    """Parameters that were read; what was not sent has a default."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def number(self, name: str, default: int = 0) -> int:
        """Return a number."""
        value = self._values.get(name, default)
        return value if isinstance(value, int) else default

    def maybe(self, name: str) -> int | None:
        """Return a number, or None when it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, int) else None

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        value = self._values.get(name, default)
        return value if isinstance(value, str) else default

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._values.get(name, ())
        return value if isinstance(value, tuple) else ()

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value."""
        value = self._values.get(name, default)
        return value if isinstance(value, bool) else default

    def word(self, name: str, kind: type[EnumT], default: EnumT) -> EnumT:
        """Return a member of an enumeration whose words the field allows."""
        return kind(value) if (value := self.text(name)) else default


class Shape:
    """The parameters that an endpoint knows.

    Parameters
    ----------
    fields : sequence of Field
        In the order in which what is missing is told.
    """

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self._readers = {field.name: field.read for field in fields}
        self._mandatory = tuple(field.name for field in fields if field.mandatory)

    def read(self, sent: Mapping[str, str]) -> Values:
        """Read what was sent.

        Raises
        ------
        errors.ApiError
            With the code that tells what is amiss.
        """
        readers = self._readers
        if len(sent) > len(readers):
            raise errors.too_many_parameters(len(readers), len(sent))
        for name in self._mandatory:
            if name not in sent:
                raise errors.missing(name)
        values: dict[str, Value] = {}
        for name, text in sent.items():
            reader = readers.get(name)
            if reader is None:
                continue
            if not text:
                raise errors.empty(name)
            values[name] = reader(name, text)
        if len(values) < len(sent):
            raise errors.unread(len(values), len(sent))
        return Values(values)


def pairs(query: str, body: str = "") -> dict[str, str]:
    """Return the parameters of a query and a form; on a clash the query's win.

    Raises
    ------
    errors.ApiError
        If one of them names a parameter twice.
    """
    found = _pairs(query)
    if not body:
        return found
    if not query:
        return _pairs(body)
    return {**_pairs(body), **found}


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if not text:
        return found
    for part in text.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in found:
            raise errors.duplicate_parameter()
        found[name] = value
    return found
