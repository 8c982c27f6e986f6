"""Where the rules of strategies hold, over all rows of a history, each part worked out once.

Strategies of a sweep share most of what they ask: a column, a comparison. What was worked out is
kept while there is room for it, so that each set only adds what is its own; nothing is compiled.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from tidewright.features.declarations import ColumnReference
from tidewright.kernels.bulk.bits import (
    Words,
    compare_columns,
    compare_number,
    delay,
    mark_rows,
    word_count,
)
from tidewright.kernels.bulk.layout import Flags, Float64, Int64
from tidewright.kernels.bulk.signals import BLOCK, number_rows
from tidewright.strategy.expressions import (
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
    children,
    columns_of,
)
from tidewright.strategy.outputs import Output
from tidewright.strategy.program import Assembler

KEPT_COMPARISONS = 2**26
"""Bytes of comparisons that are kept."""
KEPT_NUMBERS = 2**25
"""Bytes of numbers worked out from columns that are kept."""

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The values used last, as many as there is room for.

    Parameters
    ----------
    room : int
        Values, at least one.
    """

    def __init__(self, room: int) -> None:
        self._room = max(room, 1)
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[K], V]) -> V:
        """Return a value, made anew where it is not there."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = make(key)
        while len(self._values) >= self._room:
            self._values.popitem(last=False)
        self._values[key] = value
        return value


class Compared(NamedTuple):
    """How two numbers compare on each row: a bit where the first is greater, smaller, equal."""

    above: Words
    below: Words
    equal: Words


class Truth(NamedTuple):
    """Where a condition holds and where it does not; elsewhere it is unknown."""

    holds: Words
    fails: Words


class Rules:
    """Works out where rules hold over one history.

    Parameters
    ----------
    column : callable
        Gives a column as float64 array of shape (n_rows,), instruments one after the other, finite
        or NaN.
    firsts : int64 array of shape (n_instruments + 1,)
        First row of each instrument, then the number of rows.
    """

    def __init__(self, column: Callable[[ColumnReference], Float64], firsts: Int64) -> None:
        self._column = column
        self._firsts = firsts
        self._rows = int(firsts[-1])
        self._words = word_count(self._rows)
        self._numbers = Kept[Node, Float64](KEPT_NUMBERS // (8 * self._rows + 1))
        self._comparisons = Kept[tuple[Node, Node], Compared](
            KEPT_COMPARISONS // (24 * self._words + 1)
        )

    def flags(self, rules: Mapping[Output, Node], flags: Flags | None = None) -> Flags:
        """Return bit ``1 << output`` on each row on which the rule of that output holds.

        Parameters
        ----------
        rules : mapping of Output to Node
            Conditions.
        flags : uint8 array of shape (n_rows,) or None
            Receives the bits, whatever it held; None makes a new one.
        """
        if flags is None:
            flags = np.empty(self._rows, np.uint8)
        flags.fill(0)
        for output, rule in rules.items():
            mark_rows(self.truth(rule).holds, 1 << output, flags)
        return flags

    def truth(self, node: Node) -> Truth:
        """Return where a condition holds and where it fails."""
        if isinstance(node, Comparison):
            return _ordered(node.operator, self._compared(node.left, node.right))
        if isinstance(node, Not):
            inner = self.truth(node.operand)
            return Truth(inner.fails, inner.holds)
        if isinstance(node, Logic):
            left, right = self.truth(node.left), self.truth(node.right)
            return _both(left, right) if node.operator == "and" else _either(left, right)
        assert isinstance(node, Call)  # noqa: S101 - conditions are of these kinds alone
        if node.function == "between":
            value, low, high = node.arguments
            at_least = _ordered("<=", self._compared(low, value))
            return _both(at_least, _ordered("<=", self._compared(value, high)))
        return self._crossing(node.function == "crosses_above", *node.arguments)

    def _crossing(self, upwards: bool, left: Node, right: Node) -> Truth:
        now = self._compared(left, right)
        operator, before_operator = (">", "<=") if upwards else ("<", ">=")
        if _unknown_before(left) or _unknown_before(right):
            before = _ordered(before_operator, now)
            before = Truth(self._delayed(before.holds), self._delayed(before.fails))
        else:
            earlier = (Call("previous", (left,)), Call("previous", (right,)))
            before = _ordered(before_operator, self._compared(*earlier))
        return _both(before, _ordered(operator, now))

    def _delayed(self, words: Words) -> Words:
        out = np.empty_like(words)
        delay(words, self._firsts, out)
        return out

    def _compared(self, left: Node, right: Node) -> Compared:
        return self._comparisons.get((left, right), self._comparison)

    def _comparison(self, pair: tuple[Node, Node]) -> Compared:
        left, right = pair
        if isinstance(left, Number):
            turned = self._compared(right, left) if not isinstance(right, Number) else None
            if turned is not None:
                return Compared(turned.below, turned.above, turned.equal)
        found = Compared(*(np.empty(self._words, np.uint64) for _ in range(3)))
        if isinstance(right, Number):
            compare_number(self._number(left), right.value, *found)
        else:
            compare_columns(self._number(left), self._number(right), *found)
        return found

    def _number(self, node: Node) -> Float64:
        return (
            self._column(node.reference)
            if isinstance(node, Column)
            else self._worked_out_once(node)
        )

    def _worked_out_once(self, node: Node) -> Float64:
        return self._numbers.get(node, self._worked_out)

    def _worked_out(self, node: Node) -> Float64:
        references = columns_of(node)
        assembler = Assembler(references)
        assembler.store(0, node, Kind.NUMBER)
        program = assembler.program()
        columns = np.empty((len(references), self._rows))
        for place, reference in enumerate(references):
            columns[place] = self._column(reference)
        out, stack = np.empty(self._rows), np.empty((program.stack_depth, BLOCK))
        number_rows(program.code, program.constants, columns, self._firsts, stack, out)
        return out


def _ordered(operator: str, compared: Compared) -> Truth:
    above, below, equal = compared
    if operator in ("<", ">="):
        below, other = below, above | equal
        return Truth(below, other) if operator == "<" else Truth(other, below)
    if operator in (">", "<="):
        above, other = above, below | equal
        return Truth(above, other) if operator == ">" else Truth(other, above)
    other = above | below
    return Truth(equal, other) if operator == "==" else Truth(other, equal)


def _both(left: Truth, right: Truth) -> Truth:
    return Truth(left.holds & right.holds, left.fails | right.fails)


def _either(left: Truth, right: Truth) -> Truth:
    return Truth(left.holds | right.holds, left.fails & right.fails)


def _unknown_before(node: Node) -> bool:
    """Return whether a number is unknown wherever every column is."""
    if isinstance(node, Column):
        return True
    if isinstance(node, Negate | Arithmetic) or (
        isinstance(node, Call) and node.function in ("abs", "min", "max")
    ):
        return any(_unknown_before(child) for child in children(node))
    return False
