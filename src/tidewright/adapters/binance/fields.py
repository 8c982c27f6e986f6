"""Taking typed values out of JSON that somebody else wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from tidewright.domain.errors import TidewrightError


class UnreadableAnswer(TidewrightError):
    """An answer does not have the form that the venue documents."""


class Fields:
    """One JSON object and what it is called in messages.

    Parameters
    ----------
    value : object
        What was parsed.
    name : str
        What it is, such as ``"order"``.

    Raises
    ------
    UnreadableAnswer
        If it is no object; the methods raise it where a field is missing or of another form.
    """

    __slots__ = ("_fields", "_name")

    def __init__(self, value: object, name: str) -> None:
        if not isinstance(value, Mapping):
            raise UnreadableAnswer(f"{name} was {_short(value)}; expected an object")
        self._fields: Mapping[str, object] = value
        self._name = name

    def __contains__(self, key: str) -> bool:
        return self._fields.get(key) is not None

    def text(self, key: str) -> str:
        """Return a text."""
        value = self._fields.get(key)
        if not isinstance(value, str):
            raise self.error(key, "text")
        return value

    def integer(self, key: str) -> int:
        """Return a whole number."""
        value = self._fields.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "a whole number")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self._fields.get(key)
        if not isinstance(value, bool):
            raise self.error(key, "true or false")
        return value

    def decimal(self, key: str) -> Decimal:
        """Return a number that is written as text, >= 0."""
        value = self._fields.get(key)
        try:
            number = Decimal(value) if isinstance(value, str) else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or number < 0:
            raise self.error(key, "a number of 0 or more, as text")
        return number

    def items(self, key: str) -> Sequence[object]:
        """Return a list."""
        return as_list(self._fields.get(key), f"{self._name}.{key}")

    def within(self, key: str) -> Fields:
        """Return an object that is a field of this one."""
        return Fields(self._fields.get(key), f"{self._name}.{key}")

    def error(self, key: str, expected: str) -> UnreadableAnswer:
        """Return an error about a field."""
        value = _short(self._fields.get(key))
        return UnreadableAnswer(f"{self._name}.{key} was {value}; expected {expected}")


def as_list(value: object, name: str) -> Sequence[object]:
    """Return a value that must be a list.

    Raises
    ------
    UnreadableAnswer
        If it is something else.
    """
    if not isinstance(value, list):
        raise UnreadableAnswer(f"{name} was {_short(value)}; expected a list")
    return value


def _short(value: object) -> str:
    return repr(value)[:80]
