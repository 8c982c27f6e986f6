"""Words of an expression with their positions, and the error that points at one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from tidewright.domain.errors import ConfigError

_EXCERPT_WIDTH = 76


class TokenKind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    NAME = "name"
    TIMEFRAME = "timeframe"
    BY = "by"
    OPERATOR = "operator"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression.

    Parameters
    ----------
    kind : TokenKind
        What it is.
    text : str
        As written; empty at the end.
    start : int
        Offset of its first character.
    """

    kind: TokenKind
    text: str
    start: int

    def __str__(self) -> str:
        return "the end" if self.kind is TokenKind.END else repr(self.text)


class ExpressionError(ConfigError):
    """An expression that cannot be used, with the place of the fault.

    Parameters
    ----------
    reason : str
        What was expected and what came.
    text : str
        The whole expression.
    start : int
        Offset of the fault.

    Attributes
    ----------
    line, column : int
        Place of the fault within the expression, from 1.
    excerpt : str
        The faulty line and a caret under the fault.
    """

    def __init__(self, reason: str, text: str, start: int) -> None:
        before = text[:start]
        self.reason = reason
        self.line = before.count("\n") + 1
        self.column = start - (before.rfind("\n") + 1) + 1
        self.excerpt = _excerpt(text.split("\n")[self.line - 1], self.column)
        super().__init__(f"line {self.line}, column {self.column}: {reason}\n{self.excerpt}")


def _excerpt(line: str, column: int) -> str:
    line = line.replace("\t", " ")
    start = max(0, min(column - _EXCERPT_WIDTH // 2, len(line) - _EXCERPT_WIDTH))
    shown = line[start : start + _EXCERPT_WIDTH]
    left = "..." if start else ""
    right = "..." if start + _EXCERPT_WIDTH < len(line) else ""
    caret = " " * (len(left) + column - 1 - start) + "^"
    return f"    {left}{shown}{right}\n    {caret}"


_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<timeframe>@[0-9]+[A-Za-z]+)"
    r"|(?P<by>by[ \t]*=(?!=))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator><=|>=|==|!=|[-+*/<>(),])"
)

_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "=": "; two numbers are compared with '=='",
        "&": "; conditions are joined with 'and'",
        "|": "; conditions are joined with 'or'",
        "!": "; a condition is reversed with 'not'",
        "[": "; the value one bar before is previous(x)",
        "@": "; a column of longer bars is written like sma(10)@1h",
        "%": "; write a percentage as a plain number",
    }
)


@lru_cache(maxsize=256)
def tokenize(text: str) -> tuple[Token, ...]:
    """Return the tokens of an expression, the end included.

    The sets of a sweep share their texts, so the latest ones are kept.

    Raises
    ------
    ExpressionError
        If a character belongs to no word of the language.
    """
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            character = text[place]
            hint = _HINTS.get(character, "")
            raise ExpressionError(
                f"character was {character!r}; expected a name, a number or an operator{hint}",
                text,
                place,
            )
        if match.lastgroup != "space":
            tokens.append(Token(TokenKind(match.lastgroup or ""), match.group(), place))
        place = match.end()
    tokens.append(Token(TokenKind.END, "", len(text)))
    return tuple(tokens)
