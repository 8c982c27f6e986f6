"""YAML documents read with their line numbers, closed and bounded.

Only plain mappings, lists and scalars are accepted: no aliases (so that no document can grow when
it is read), no tags, no duplicate keys. JSON is YAML, so it is read too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import yaml

from tidewright.domain.errors import ConfigError, nearest

MAX_CHARACTERS = 65_536
"""Longest document."""
MAX_NESTING = 8
"""Deepest nesting of mappings and lists."""
MAX_NODES = 5_000
"""Most keys and values."""


_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class DocumentError(ConfigError):
    """A document that cannot be used; the message names the document and the line."""


@dataclass(frozen=True, slots=True)
class Value:
    """A part of a document and where it stands.

    Parameters
    ----------
    path : str
        Keys that lead to it, such as ``"stops.stop_loss.atr"``; empty for the whole document.
    line : int
        From 1.
    source : str
        Name of the document, for messages.
    node : yaml.Node
        What was written.
    names : mapping of str to str
        Numbers, as text, that may be written by name in this part.
    """

    path: str
    line: int
    source: str
    node: yaml.Node
    names: Mapping[str, str] = field(default_factory=lambda: _NO_NAMES, compare=False)

    def error(self, reason: str) -> DocumentError:
        """Return an error that names document, line and key."""
        where = ", ".join(part for part in (self.source, f"line {self.line}", self.path) if part)
        return DocumentError(f"{where}: {reason}")

    def fields(self, known: Sequence[str], required: Sequence[str] = ()) -> dict[str, Value]:
        """Return the entries of a mapping.

        Raises
        ------
        DocumentError
            If it is no mapping, a key is unknown or comes twice, or a required one is missing.
        """
        found = self.entries(f"keys: {', '.join(known)}")
        for key, place in found.items():
            if key not in known:
                raise place.error(
                    f"key {key!r} is unknown; expected one of {', '.join(known)}"
                    f"{nearest(key, known)}"
                )
        for key in required:
            if key not in found:
                raise self.error(f"key {key!r} is missing")
        return found

    def entries(self, expected: str = "a mapping") -> dict[str, Value]:
        """Return the entries of a mapping with any keys.

        Raises
        ------
        DocumentError
            If it is no mapping, or a key comes twice.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"was {self._shown()}; expected {expected}")
        found: dict[str, Value] = {}
        for key_node, value_node in self.node.value:
            key = str(key_node.value)
            place = self._child(key, value_node, key_node.start_mark.line)
            if key in found:
                raise place.error(f"key came twice, first in line {found[key].line}")
            found[key] = place
        return found

    def items(self) -> list[Value]:
        """Return the entries of a list.

        Raises
        ------
        DocumentError
            If it is no list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"was {self._shown()}; expected a list")
        return [
            Value(f"{self.path}[{place}]", node.start_mark.line + 1, self.source, node, self.names)
            for place, node in enumerate(self.node.value)
        ]

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written, or null."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag.endswith(":null")

    def text(self) -> str:
        """Return a scalar as it was written.

        Raises
        ------
        DocumentError
            If it is no scalar, or empty.
        """
        if not isinstance(self.node, yaml.ScalarNode) or self.is_empty:
            raise self.error(f"was {self._shown()}; expected text or a number")
        return str(self.node.value)

    def matched(self, accept: Callable[[str], bool], expected: str) -> str:
        """Return a text that passes a test, or raise a DocumentError naming what was expected."""
        text = self.text()
        if not accept(text):
            raise self.error(f"was {text[:80]!r}; expected {expected}")
        return text

    def choice(self, known: Iterable[str]) -> str:
        """Return one of the words known, or raise a DocumentError."""
        words = [str(word) for word in known]
        text = self.text()
        if text not in words:
            raise self.error(
                f"was {text[:80]!r}; expected one of {', '.join(words)}{nearest(text, words)}"
            )
        return text

    def number(self, low: Decimal, high: Decimal, *, open_low: bool = False) -> Decimal:
        """Return a decimal number in [low, high], or (low, high] when ``open_low``.

        Raises
        ------
        DocumentError
            If it is no finite number or lies outside.
        """
        text = self._numeral()
        expected = f"a number {'above' if open_low else 'from'} {low} up to {high}"
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise self.error(f"was {text[:80]!r}; expected {expected}") from None
        if not number.is_finite() or number > high or number < low:
            raise self.error(f"was {text[:80]}; expected {expected}")
        if open_low and number == low:
            raise self.error(f"was {text[:80]}; expected {expected}")
        return number

    def integer(self, low: int, high: int) -> int:
        """Return a whole number in [low, high], or raise a DocumentError."""
        text = self._numeral()
        plain = text.isascii() and text.isdigit() and len(text) < 19
        if not plain or not low <= int(text) <= high:
            raise self.error(f"was {text[:80]!r}; expected a whole number from {low} to {high}")
        return int(text)

    def _numeral(self) -> str:
        text = self.text()
        return self.names.get(text, text)

    def _child(self, key: str, node: yaml.Node, line: int) -> Value:
        path = f"{self.path}.{key}" if self.path else key
        return Value(path, line + 1, self.source, node, self.names)

    def _shown(self) -> str:
        if self.is_mapping:
            return "a mapping"
        if self.is_list:
            return "a list"
        return "empty" if self.is_empty else repr(str(self.node.value)[:80])


def read_document(text: str, source: str) -> Value:
    """Return the root of a YAML or JSON document.

    Parameters
    ----------
    text : str
        At most `MAX_CHARACTERS`.
    source : str
        Name of the document, for messages.

    Raises
    ------
    DocumentError
        If the text is no such document, or too large, too deep or not plain.
    """
    name = source or "document"
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(
            f"{name}: had {len(text)} characters; expected at most {MAX_CHARACTERS}"
        )
    try:
        _check_plain(text, name)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DocumentError(f"{name}{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise DocumentError(f"{name}: expected YAML text: {error}") from error
    if node is None:
        raise DocumentError(f"{name}: document was empty")
    return Value("", 1, source, node)


def _check_plain(text: str, name: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_NESTING or count > MAX_NODES:
            raise DocumentError(
                f"{name}, line {line}: expected at most {MAX_NESTING} levels "
                f"and {MAX_NODES} entries"
            )
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            raise DocumentError(f"{name}, line {line}: anchors and aliases are not accepted")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            raise DocumentError(f"{name}, line {line}: tags such as {event.tag} are not accepted")
