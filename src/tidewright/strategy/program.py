"""From trees to the flat arrays that the compiled interpreter runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import ColumnReference
from tidewright.kernels import expressions as machine
from tidewright.strategy.expressions import (
    Arithmetic,
    Call,
    Column,
    Comparison,
    Kind,
    Logic,
    Node,
    Not,
    Number,
    check,
    children,
    print_number,
)

_CODES: Mapping[str, int] = MappingProxyType(
    {
        "+": machine.ADD,
        "-": machine.SUBTRACT,
        "*": machine.MULTIPLY,
        "/": machine.DIVIDE,
        "<": machine.LESS,
        "<=": machine.LESS_EQUAL,
        ">": machine.GREATER,
        ">=": machine.GREATER_EQUAL,
        "==": machine.EQUAL,
        "!=": machine.NOT_EQUAL,
        "and": machine.AND,
        "or": machine.OR,
        "abs": machine.ABSOLUTE,
        "min": machine.MINIMUM,
        "max": machine.MAXIMUM,
        "between": machine.BETWEEN,
        "crosses_above": machine.CROSSES_ABOVE,
        "crosses_below": machine.CROSSES_BELOW,
        "when": machine.WHEN,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """What the interpreter runs.

    Parameters
    ----------
    code : int64 array
        Columns needed, then pairs of opcode and argument.
    constants : float64 array
        Numbers that the code loads.
    stack_depth : int
        Most values on the stack at once.
    """

    code: NDArray[np.int64]
    constants: NDArray[np.float64]
    stack_depth: int


class Assembler:
    """Writes a program, one output after the other.

    Parameters
    ----------
    columns : sequence of ColumnReference
        Layout of the rows that the program will read.
    """

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        self._columns = tuple(columns)
        self._places = {reference: place for place, reference in enumerate(self._columns)}
        self._code: list[int] = [len(self._columns)]
        self._constants: list[float] = []
        self._depth = 0
        self._deepest = 1

    def store(self, output: int, tree: Node, kind: Kind) -> None:
        """Write code that evaluates a tree and stores it as an output.

        Raises
        ------
        ConfigError
            If the tree is not of the kind, or reads a column that the rows do not have.
        """
        check(tree, kind)
        self._tree(tree, machine.CURRENT)
        self._write(machine.STORE, output, -1)

    def store_constant(self, output: int, value: float) -> None:
        """Write code that stores a number, NaN included."""
        self._constant(value)
        self._write(machine.STORE, output, -1)

    def require_positive(self, output: int, needed: int) -> None:
        """Write code that makes a stored condition unknown or false unless an output is above 0."""
        self._require(output, needed, machine.GREATER)

    def require_known(self, output: int, needed: int) -> None:
        """Write code that makes a stored condition unknown or false where an output >= 0 is NaN."""
        self._require(output, needed, machine.GREATER_EQUAL)

    def clamp_to_unit(self, output: int) -> None:
        """Write code that cuts a stored number to [0, 1]."""
        self._write(machine.OUTPUT, output, 1)
        self._constant(0.0)
        self._write(machine.MAXIMUM, 0, -1)
        self._constant(1.0)
        self._write(machine.MINIMUM, 0, -1)
        self._write(machine.STORE, output, -1)

    def program(self) -> Program:
        """Return what has been written."""
        return Program(
            np.array(self._code, np.int64),
            np.array(self._constants or [math.nan], np.float64),
            self._deepest,
        )

    def _require(self, output: int, needed: int, comparison: int) -> None:
        self._write(machine.OUTPUT, output, 1)
        self._write(machine.OUTPUT, needed, 1)
        self._constant(0.0)
        self._write(comparison, 0, -1)
        self._write(machine.AND, 0, -1)
        self._write(machine.STORE, output, -1)

    def _write(self, operation: int, argument: int, growth: int) -> None:
        self._code += (operation, argument)
        self._depth += growth
        self._deepest = max(self._deepest, self._depth)

    def _constant(self, value: float) -> None:
        # Compared as text: NaN equals itself there, and -0.0 differs from 0.0.
        known = [repr(constant) for constant in self._constants]
        if repr(value) not in known:
            self._constants.append(value)
            known.append(repr(value))
        self._write(machine.CONSTANT, known.index(repr(value)), 1)

    def _tree(self, node: Node, moment: int) -> None:
        if isinstance(node, Number):
            self._constant(node.value)
        elif isinstance(node, Column):
            self._write(moment, self._place(node.reference), 1)
        elif isinstance(node, Call):
            self._call(node, moment)
        else:
            for child in children(node):
                self._tree(child, moment)
            if isinstance(node, Arithmetic | Comparison | Logic):
                self._write(_CODES[node.operator], 0, -1)
            else:
                self._write(machine.NOT if isinstance(node, Not) else machine.NEGATE, 0, 0)

    def _call(self, node: Call, moment: int) -> None:
        if node.function == "previous":
            self._tree(node.arguments[0], machine.PREVIOUS)
            return
        taken = len(node.arguments)
        if node.function in ("crosses_above", "crosses_below"):
            taken *= 2
            for argument in node.arguments:
                self._tree(argument, machine.PREVIOUS)
        for argument in node.arguments:
            self._tree(argument, moment)
        self._write(_CODES[node.function], 0, 1 - taken)

    def _place(self, reference: ColumnReference) -> int:
        place = self._places.get(reference)
        if place is None:
            parameters = ", ".join(print_number(value) for value in reference.parameters)
            raise ConfigError(
                f"column {reference.name}({parameters}) was not among the columns given; "
                f"expected one of {', '.join(column.label for column in self._columns)}"
            )
        return place
