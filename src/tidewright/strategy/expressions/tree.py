"""What an expression is once it has been read: frozen nodes of two kinds, numbers and conditions.

The nodes carry no positions, so that two texts that mean the same give equal trees.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tidewright.domain.errors import ConfigError, nearest
from tidewright.features.declarations import ColumnReference

MAX_DEPTH = 64
"""Deepest nesting of a tree; a chain of ``and`` counts as nesting."""


class Kind(StrEnum):
    """What a node stands for."""

    NUMBER = "number"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number, finite and >= 0; a negative one is a `Negate` of it."""

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value) or math.copysign(1.0, self.value) < 0:
            raise ConfigError(f"literal was {self.value!r}; expected a finite number >= 0")


@dataclass(frozen=True, slots=True)
class Column:
    """The newest value of a declared column."""

    reference: ColumnReference


@dataclass(frozen=True, slots=True)
class Negate:
    """Minus a number."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers joined by one of ``+ - * /``; division by zero is unknown."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two numbers compared by one of ``< <= > >= == !=``; unknown when either is."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """Two conditions joined by ``and`` or ``or``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition; of an unknown one it is unknown too."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language; `FUNCTIONS` names them all."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Column | Negate | Arithmetic | Comparison | Logic | Not | Call
"""Any part of an expression."""

ARITHMETIC_OPERATORS = ("+", "-", "*", "/")
COMPARISON_OPERATORS = ("<", "<=", ">", ">=", "==", "!=")
LOGIC_OPERATORS = ("or", "and")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that expressions may call.

    Parameters
    ----------
    name : str
        What is written.
    parameters : tuple of (str, Kind)
        Name and kind of each argument.
    result : Kind
        Kind of the call.
    reads_previous : bool
        Whether it looks at the bar before; such calls cannot be nested.
    description : str
        One sentence.
    """

    name: str
    parameters: tuple[tuple[str, Kind], ...]
    result: Kind
    reads_previous: bool
    description: str


def _numbers(*names: str) -> tuple[tuple[str, Kind], ...]:
    return tuple((name, Kind.NUMBER) for name in names)


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        function.name: function
        for function in (
            Function("abs", _numbers("x"), Kind.NUMBER, False, "x without its sign."),
            Function("min", _numbers("a", "b"), Kind.NUMBER, False, "The smaller of two numbers."),
            Function("max", _numbers("a", "b"), Kind.NUMBER, False, "The larger of two numbers."),
            Function("previous", _numbers("x"), Kind.NUMBER, True, "x as it was one bar before."),
            Function(
                "between",
                _numbers("x", "low", "high"),
                Kind.CONDITION,
                False,
                "Whether low <= x and x <= high.",
            ),
            Function(
                "crosses_above",
                _numbers("a", "b"),
                Kind.CONDITION,
                True,
                "Whether a was at or below b one bar before and is above it now.",
            ),
            Function(
                "crosses_below",
                _numbers("a", "b"),
                Kind.CONDITION,
                True,
                "Whether a was at or above b one bar before and is below it now.",
            ),
            Function(
                "when",
                (("condition", Kind.CONDITION), *_numbers("then", "otherwise")),
                Kind.NUMBER,
                False,
                "The first number where the condition is true, the second where it is false.",
            ),
        )
    }
)
"""Every function of the language, by name."""


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct parts of a node, in writing order."""
    if isinstance(node, Number | Column):
        return ()
    if isinstance(node, Negate | Not):
        return (node.operand,)
    if isinstance(node, Call):
        return node.arguments
    return node.left, node.right


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it, in writing order."""
    yield node
    for child in children(node):
        yield from walk(child)


def columns_of(node: Node) -> tuple[ColumnReference, ...]:
    """Return the columns that a tree reads, each once, in writing order."""
    return tuple({part.reference: None for part in walk(node) if isinstance(part, Column)})


def reads_previous(node: Node) -> bool:
    """Return whether a tree looks at the bar before the newest."""
    return any(
        isinstance(part, Call) and FUNCTIONS[part.function].reads_previous for part in walk(node)
    )


def kind_of(node: Node) -> Kind:
    """Return whether a node is a number or a condition."""
    if isinstance(node, Call):
        return FUNCTIONS[node.function].result
    if isinstance(node, Comparison | Logic | Not):
        return Kind.CONDITION
    return Kind.NUMBER


def check(node: Node, kind: Kind | None = None) -> None:
    """Make sure that a tree is one that the parser could have built.

    Parameters
    ----------
    node : Node
        The tree, however it was made.
    kind : Kind or None
        What it has to be; None leaves it open.

    Raises
    ------
    ConfigError
        If a part is of the wrong kind, an operator or function is unknown, the number of
        arguments is wrong, a look at the bar before is nested, or the tree is too deep.
    """
    _check(node, kind, 1)


def _check(node: Node, kind: Kind | None, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ConfigError(f"expression nests deeper than {MAX_DEPTH}")
    wanted = _kinds_wanted(node)
    if kind is not None and kind_of(node) is not kind:
        raise ConfigError(f"{type(node).__name__} was a {kind_of(node)}; expected a {kind}")
    for child, child_kind in zip(children(node), wanted, strict=True):
        _check(child, child_kind, depth + 1)
    if not isinstance(node, Call) or not FUNCTIONS[node.function].reads_previous:
        return
    if any(reads_previous(child) for child in children(node)):
        raise ConfigError(NESTED_PREVIOUS.format(function=node.function))


NESTED_PREVIOUS = (
    "{function} looks at the bar before, so nothing inside it may do that too: "
    "only one bar before the newest is kept"
)
"""Why looks at the bar before cannot be nested."""

_OPERATORS: Mapping[type, tuple[tuple[str, ...], Kind]] = MappingProxyType(
    {
        Arithmetic: (ARITHMETIC_OPERATORS, Kind.NUMBER),
        Comparison: (COMPARISON_OPERATORS, Kind.NUMBER),
        Logic: (LOGIC_OPERATORS, Kind.CONDITION),
    }
)


def _kinds_wanted(node: Node) -> tuple[Kind, ...]:
    if isinstance(node, Call):
        function = FUNCTIONS.get(node.function)
        if function is None:
            raise ConfigError(
                f"function was {node.function!r}; expected one of {', '.join(FUNCTIONS)}"
                f"{nearest(node.function, FUNCTIONS)}"
            )
        if len(node.arguments) != len(function.parameters):
            raise ConfigError(
                f"{function.name} had {len(node.arguments)} arguments; "
                f"expected {len(function.parameters)}"
            )
        return tuple(kind for _, kind in function.parameters)
    if isinstance(node, Arithmetic | Comparison | Logic):
        known, kind = _OPERATORS[type(node)]
        if node.operator not in known:
            raise ConfigError(f"operator was {node.operator!r}; expected one of {' '.join(known)}")
        return kind, kind
    if isinstance(node, Not):
        return (Kind.CONDITION,)
    return (Kind.NUMBER,) if isinstance(node, Negate) else ()
