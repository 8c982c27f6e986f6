"""From tree to text with as few parentheses as possible; parsing the text gives the tree again."""

from __future__ import annotations

from tidewright.features.declarations import ColumnReference
from tidewright.strategy.expressions.tree import (
    Arithmetic,
    Call,
    Column,
    Comparison,
    Logic,
    Negate,
    Node,
    Not,
    Number,
)

POWERS = {
    "or": 1,
    "and": 2,
    "not": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "==": 4,
    "!=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "negate": 7,
}
"""How tightly each operator binds; the parser reads the same table."""

_ATOM = 8


def print_number(value: float) -> str:
    """Return the shortest text that reads back as the same number, whole ones without a point."""
    text = repr(float(value))
    return text.removesuffix(".0")


def print_column(reference: ColumnReference) -> str:
    """Return a column as the language writes it."""
    text = reference.name
    if reference.parameters:
        text += f"({', '.join(print_number(value) for value in reference.parameters)})"
    if reference.timeframe:
        text += f"@{reference.timeframe}"
    if not reference.across:
        return text
    by = f", by={reference.by}" if reference.by else ""
    return f"{reference.across}({text}{by})"


def print_tree(node: Node) -> str:
    """Return the text of a tree, in the one form in which the language prints it."""
    return _print(node)[0]


def _print(node: Node) -> tuple[str, int]:
    if isinstance(node, Number):
        return print_number(node.value), _ATOM
    if isinstance(node, Column):
        return print_column(node.reference), _ATOM
    if isinstance(node, Call):
        arguments = ", ".join(print_tree(argument) for argument in node.arguments)
        return f"{node.function}({arguments})", _ATOM
    if isinstance(node, Negate):
        return f"-{_wrapped(node.operand, POWERS['negate'])}", POWERS["negate"]
    if isinstance(node, Not):
        return f"not {_wrapped(node.operand, POWERS['not'])}", POWERS["not"]
    return _binary(node)


def _binary(node: Arithmetic | Comparison | Logic) -> tuple[str, int]:
    power = POWERS[node.operator]
    # Comparisons do not chain, so both of their sides have to bind tighter.
    left_power = power + 1 if isinstance(node, Comparison) else power
    left = _wrapped(node.left, left_power)
    right = _wrapped(node.right, power + 1)
    return f"{left} {node.operator} {right}", power


def _wrapped(node: Node, power: int) -> str:
    text, own = _print(node)
    return text if own >= power else f"({text})"
