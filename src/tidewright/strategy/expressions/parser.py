"""From text to tree: operator precedence parsing with kinds checked as the tree grows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.features.declarations import GROUPINGS, declarations, resolve
from tidewright.kernels.cross_section import CROSS_FUNCTIONS
from tidewright.strategy.expressions.printer import POWERS, print_tree
from tidewright.strategy.expressions.tokens import ExpressionError, Token, TokenKind, tokenize
from tidewright.strategy.expressions.tree import (
    ARITHMETIC_OPERATORS,
    COMPARISON_OPERATORS,
    FUNCTIONS,
    LOGIC_OPERATORS,
    MAX_DEPTH,
    NESTED_PREVIOUS,
    Arithmetic,
    Call,
    Column,
    Comparison,
    Kind,
    Logic,
    Negate,
    Node,
    Not,
    Number,
    kind_of,
    reads_previous,
)

MAX_LENGTH = 4_000
"""Most characters of an expression."""

_KEYWORDS = ("and", "or", "not")
_NO_NAMES: Mapping[str, Node] = MappingProxyType({})
_INFIX = frozenset((*LOGIC_OPERATORS, *COMPARISON_OPERATORS, *ARITHMETIC_OPERATORS))


@dataclass(frozen=True, slots=True)
class _Part:
    """A node, where it starts, and how deep it is."""

    node: Node
    start: int
    depth: int


def is_free(name: str) -> bool:
    """Return whether a name means nothing in the language, so that a document may use it."""
    return name not in _KEYWORDS and name not in FUNCTIONS and name not in declarations()


def parse(text: str, kind: Kind | None = None, names: Mapping[str, Node] = _NO_NAMES) -> Node:
    """Return the tree of an expression.

    Parameters
    ----------
    text : str
        The expression, at most `MAX_LENGTH` characters.
    kind : Kind or None
        What it has to be; None leaves it open.
    names : mapping of str to Node
        What each further name stands for.

    Raises
    ------
    ExpressionError
        If the text is no expression or of the wrong kind; the error names the place.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"expression had {len(text)} characters; expected at most {MAX_LENGTH}",
            text[:MAX_LENGTH],
            0,
        )
    return _Parser(text, names).whole(kind)


def parse_condition(text: str) -> Node:
    """Return the tree of an expression that is true, false or unknown."""
    return parse(text, Kind.CONDITION)


def parse_number(text: str) -> Node:
    """Return the tree of an expression that is a number or unknown."""
    return parse(text, Kind.NUMBER)


class _Parser:
    def __init__(self, text: str, names: Mapping[str, Node]) -> None:
        self._text = text
        self._names = names
        self._tokens = tokenize(text)
        self._place = 0
        self._open = 0

    def whole(self, kind: Kind | None) -> Node:
        if self._at_end():
            raise self._error("expression was empty; expected a column, a number or a function", 0)
        part = self._expression(0)
        if not self._at_end():
            raise self._unexpected("an operator or the end")
        if kind is not None:
            self._require(part, kind, "the expression")
        return part.node

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _at_end(self) -> bool:
        return self._token.kind is TokenKind.END

    def _take(self) -> Token:
        token = self._token
        self._place += 1
        return token

    def _error(self, reason: str, start: int) -> ExpressionError:
        return ExpressionError(reason, self._text, start)

    def _unexpected(self, expected: str) -> ExpressionError:
        token = self._token
        hint = ""
        if token.kind is TokenKind.NAME:
            hint = nearest(token.text.lower(), _KEYWORDS)
        return self._error(f"expected {expected}, it was {token}{hint}", token.start)

    def _require(self, part: _Part, kind: Kind, what: str) -> None:
        found = kind_of(part.node)
        if found is kind:
            return
        hint = "; compare it, like 'x > 0'" if kind is Kind.CONDITION else ""
        raise self._error(
            f"{what} has to be a {kind}, it was a {found}: {print_tree(part.node)}{hint}",
            part.start,
        )

    def _grown(self, node: Node, start: int, *parts: _Part) -> _Part:
        depth = 1 + max((part.depth for part in parts), default=0)
        if depth > MAX_DEPTH:
            raise self._error(f"expression nests deeper than {MAX_DEPTH}", start)
        return _Part(node, start, depth)

    def _expression(self, power: int) -> _Part:
        self._open += 1
        if self._open > MAX_DEPTH:
            raise self._error(f"expression nests deeper than {MAX_DEPTH}", self._token.start)
        left = self._prefix()
        while self._token.text in _INFIX and POWERS[self._token.text] >= power:
            operator = self._take()
            right = self._expression(POWERS[operator.text] + 1)
            left = self._joined(operator, left, right)
        self._open -= 1
        return left

    def _joined(self, operator: Token, left: _Part, right: _Part) -> _Part:
        word = operator.text
        kind = Kind.CONDITION if word in LOGIC_OPERATORS else Kind.NUMBER
        if word in COMPARISON_OPERATORS and isinstance(left.node, Comparison):
            raise self._error(
                "comparisons do not chain; write between(x, low, high) or join two with 'and'",
                operator.start,
            )
        self._require(left, kind, f"the left side of {word!r}")
        self._require(right, kind, f"the right side of {word!r}")
        node: Node
        if word in LOGIC_OPERATORS:
            node = Logic(word, left.node, right.node)
        elif word in COMPARISON_OPERATORS:
            node = Comparison(word, left.node, right.node)
        else:
            node = Arithmetic(word, left.node, right.node)
        return self._grown(node, left.start, left, right)

    def _prefix(self) -> _Part:
        token = self._token
        if token.text == "-":
            self._take()
            part = self._expression(POWERS["negate"])
            self._require(part, Kind.NUMBER, "what '-' negates")
            return self._grown(Negate(part.node), token.start, part)
        if token.text == "not":
            self._take()
            part = self._expression(POWERS["not"])
            self._require(part, Kind.CONDITION, "what 'not' reverses")
            return self._grown(Not(part.node), token.start, part)
        if token.text == "(":
            self._take()
            part = self._expression(0)
            self._close(token)
            return _Part(part.node, token.start, part.depth)
        if token.kind is TokenKind.NUMBER:
            return self._number(self._take())
        if token.kind is TokenKind.NAME and token.text not in _KEYWORDS:
            return self._named(self._take())
        raise self._unexpected("a column, a number or a function")

    def _close(self, opening: Token) -> None:
        if self._token.text != ")":
            raise self._unexpected(f"')' for the '(' at character {opening.start + 1}")
        self._take()

    def _number(self, token: Token) -> _Part:
        value = float(token.text)
        if not math.isfinite(value):
            raise self._error(f"number was {token.text}; expected a smaller one", token.start)
        return self._grown(Number(value), token.start)

    def _named(self, token: Token) -> _Part:
        name = token.text
        if name in self._names:
            return self._grown(self._names[name], token.start)
        if self._token.text == "(" and name in CROSS_FUNCTIONS and self._is_across(name):
            return self._across(token)
        if name in CROSS_FUNCTIONS and name not in declarations():
            raise self._error(f"{name} takes one column, like {name}(change(20))", token.start)
        if name not in FUNCTIONS and name not in declarations():
            known = (*self._names, *FUNCTIONS, *CROSS_FUNCTIONS, *declarations())
            raise self._error(
                f"{name!r} is no column or function{nearest(name.lower(), known)}", token.start
            )
        arguments = self._arguments() if self._token.text == "(" else None
        if name in FUNCTIONS:
            return self._call(token, arguments or [])
        return self._column(token, arguments or [])

    def _arguments(self) -> list[_Part]:
        opening = self._take()
        arguments: list[_Part] = []
        if self._token.text != ")":
            arguments.append(self._expression(0))
            while self._token.text == ",":
                self._take()
                arguments.append(self._expression(0))
        if self._token.text != ")":
            raise self._unexpected(f"',' or ')' for the '(' at character {opening.start + 1}")
        self._take()
        return arguments

    def _call(self, token: Token, arguments: Sequence[_Part]) -> _Part:
        function = FUNCTIONS[token.text]
        if len(arguments) != len(function.parameters):
            names = ", ".join(name for name, _ in function.parameters)
            raise self._error(
                f"{function.name} takes {len(function.parameters)} arguments, "
                f"{function.name}({names}); it had {len(arguments)}",
                token.start,
            )
        for part, (name, kind) in zip(arguments, function.parameters, strict=True):
            self._require(part, kind, f"argument {name!r} of {function.name}")
            if function.reads_previous and reads_previous(part.node):
                raise self._error(NESTED_PREVIOUS.format(function=function.name), part.start)
        node = Call(function.name, tuple(part.node for part in arguments))
        return self._grown(node, token.start, *arguments)

    def _column(self, token: Token, arguments: Sequence[_Part]) -> _Part:
        values = [self._parameter(token.text, part) for part in arguments]
        try:
            reference = resolve(token.text, values)
        except ConfigError as error:
            raise self._error(str(error), token.start) from error
        if self._token.kind is TokenKind.TIMEFRAME:
            reference = replace(reference, timeframe=self._timeframe(self._take()))
        return self._grown(Column(reference), token.start)

    def _timeframe(self, token: Token) -> str:
        timeframe = token.text.removeprefix("@")
        try:
            timeframe_nanoseconds(timeframe)
        except ConfigError as error:
            raise self._error(str(error), token.start) from error
        return timeframe

    def _is_across(self, name: str) -> bool:
        """Tell ``zscore(change(5))``, among all instruments, from the column ``zscore(20)``."""
        argument = self._tokens[self._place + 1]
        return name not in declarations() or (
            argument.kind is TokenKind.NAME and argument.text not in self._names
        )

    def _across(self, token: Token) -> _Part:
        opening = self._take()
        operand = self._expression(0)
        node = operand.node
        if not isinstance(node, Column) or node.reference.across:
            raise self._error(
                f"{token.text} takes one column, like {token.text}(change(20)); "
                f"it was {print_tree(node)}",
                operand.start,
            )
        by = ""
        if self._token.text == ",":
            self._take()
            by = self._grouping(token.text)
        self._close(opening)
        reference = replace(node.reference, across=token.text, by=by)
        return self._grown(Column(reference), token.start)

    def _grouping(self, function: str) -> str:
        if self._take().kind is not TokenKind.BY:
            self._place -= 1
            raise self._unexpected(
                f"by= and a property of instruments, like {function}(x, by=sector)"
            )
        token = self._take()
        if token.text not in GROUPINGS:
            raise self._error(
                f"grouping was {token}; expected one of {', '.join(GROUPINGS)}"
                f"{nearest(token.text, GROUPINGS)}",
                token.start,
            )
        return token.text

    def _parameter(self, name: str, part: _Part) -> float:
        node = part.node
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Negate) and isinstance(node.operand, Number):
            return 0.0 - node.operand.value
        raise self._error(
            f"parameters of {name} have to be plain numbers, it was {print_tree(node)}", part.start
        )
