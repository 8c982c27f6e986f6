"""From a spec to a strategy that the engine can ask and research can run in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import ColumnReference
from tidewright.kernels.expressions import evaluate_row, evaluate_rows
from tidewright.strategy.expressions import Kind, Node, Number, columns_of
from tidewright.strategy.model import Expression, StrategySpec
from tidewright.strategy.outputs import DISTANCES, N_OUTPUTS, TIERS, Output
from tidewright.strategy.program import Assembler, Program

__all__ = [
    "N_OUTPUTS",
    "CompiledStrategy",
    "Evaluator",
    "Output",
    "compile_spec",
]

Float64 = NDArray[np.float64]
"""Array of float64."""


class Evaluator:
    """A compiled strategy bound to a row layout.

    Parameters
    ----------
    program : Program
        Written for that layout.
    """

    __slots__ = ("_code", "_constants", "_outputs", "_stack")

    def __init__(self, program: Program) -> None:
        self._code = program.code
        self._constants = program.constants
        self._stack = np.zeros(program.stack_depth)
        self._outputs = np.full(N_OUTPUTS, np.nan)

    def evaluate(self, current: Float64, previous: Float64) -> Float64:
        """Return the strategy's outputs for the newest row.

        Parameters
        ----------
        current, previous : float64 array of shape (n_columns,)
            The newest row and the one before it, NaN = unknown.

        Returns
        -------
        float64 array of shape (N_OUTPUTS,)
            Indexed by `Output`; the same array each time, overwritten by the next call.
        """
        outputs = self._outputs
        evaluate_row(self._code, self._constants, current, previous, self._stack, outputs)
        return outputs


@dataclass(frozen=True, slots=True)
class CompiledStrategy:
    """A spec ready to run.

    Parameters
    ----------
    spec : StrategySpec
        What it came from.
    references : tuple of ColumnReference
        Columns that it reads, each once.
    """

    spec: StrategySpec
    references: tuple[ColumnReference, ...]

    @property
    def name(self) -> str:
        """Name of the strategy."""
        return self.spec.name

    @property
    def reasons(self) -> Mapping[str, str]:
        """The text of each rule, by ``entry.long``, ``entry.short``, ``exit.long``, ..."""
        return self.spec.reasons

    def evaluator(self, columns: Sequence[ColumnReference]) -> Evaluator:
        """Return the strategy bound to a row layout.

        Raises
        ------
        ConfigError
            If the layout lacks a column that the strategy reads.
        """
        return Evaluator(_program(self.spec, columns))

    def program(self, columns: Sequence[ColumnReference] | None = None) -> Program:
        """Return what the interpreter runs, written for a row layout; None means ``references``."""
        return _program(self.spec, self.references if columns is None else columns)

    def rules(self) -> Mapping[Output, Node]:
        """Return the conditions of the four rules, without what an entry needs beside its rule.

        Wherever the whole program stores a true condition, the rule alone is true too.
        """
        trees = _trees(self.spec)
        return {output: tree for output in _CONDITIONS if (tree := trees[output]) is not None}

    @property
    def number_references(self) -> tuple[ColumnReference, ...]:
        """Columns that `numbers` reads, each once."""
        found = [
            reference
            for output, tree in _trees(self.spec).items()
            if output not in _CONDITIONS and tree is not None
            for reference in columns_of(tree)
        ]
        return tuple(dict.fromkeys(found))

    def numbers(self, columns: Sequence[ColumnReference] | None = None) -> Program:
        """Return a program of what an entry needs beside its rule.

        It is written for a row layout; None means ``references``.

        It expects 1.0 in the output of an entry whose rule holds, 0.0 in the other one's, and takes
        a 1.0 back where a number that the entry depends on is unknown: with the conditions it says
        of every entry what the whole program says.
        """
        assembler = Assembler(self.references if columns is None else columns)
        for output, tree in _trees(self.spec).items():
            if output not in _CONDITIONS and tree is not None:
                _store_number(assembler, output, tree)
        for output in (Output.ENTRY_LONG, Output.ENTRY_SHORT):
            _require_numbers(assembler, self.spec, output)
        return assembler.program()

    def evaluate_bulk(
        self, matrix: Float64, columns: Sequence[ColumnReference] | None = None
    ) -> Float64:
        """Return the outputs of every row; equals `Evaluator.evaluate` row by row, bit for bit.

        Parameters
        ----------
        matrix : float64 array of shape (n_bars, n_columns)
            Columns in time order.
        columns : sequence of ColumnReference or None
            Its layout; None means ``references``.

        Returns
        -------
        float64 array of shape (n_bars, N_OUTPUTS)
            Indexed by `Output`.
        """
        layout = self.references if columns is None else columns
        if matrix.ndim != 2 or matrix.shape[1] != len(layout):
            raise ConfigError(
                f"column matrix had shape {matrix.shape}; expected (n_bars, {len(layout)})"
            )
        program = _program(self.spec, layout)
        outputs = np.full((len(matrix), N_OUTPUTS), np.nan)
        evaluate_rows(
            program.code,
            program.constants,
            np.ascontiguousarray(matrix, np.float64),
            np.zeros(program.stack_depth),
            outputs,
        )
        return outputs


def compile_spec(spec: StrategySpec) -> CompiledStrategy:
    """Return a spec ready to run.

    Raises
    ------
    ConfigError
        If one of its expressions is of the wrong kind.
    """
    trees = [tree for tree in _trees(spec).values() if tree is not None]
    references = {column: None for tree in trees for column in columns_of(tree)}
    compiled = CompiledStrategy(spec, tuple(references))
    _program(spec, compiled.references)
    return compiled


def _trees(spec: StrategySpec) -> Mapping[Output, Node | None]:
    def rule(expression: Expression | None) -> Node | None:
        return None if expression is None else expression.tree

    stops, offset = spec.stops, spec.entry_order.offset
    tiers: dict[Output, Node | None] = {}
    for tier, (stop, target) in zip(spec.tiers, TIERS, strict=False):
        tiers[stop], tiers[target] = tier.stop_loss.tree(), tier.take_profit.tree()
    trees: dict[Output, Node | None] = {
        Output.STOP_DISTANCE: stops.stop_loss.tree() if stops.stop_loss else None,
        Output.TARGET_DISTANCE: stops.take_profit.tree() if stops.take_profit else None,
        Output.TRAIL_DISTANCE: stops.trailing.tree() if stops.trailing else None,
        Output.LIMIT_OFFSET: offset.tree() if offset else None,
        Output.SIZE: spec.sizing.deviation(),
        Output.CONFIDENCE: spec.confidence.tree,
        Output.ENTRY_LONG: rule(spec.entry.long),
        Output.EXIT_LONG: rule(spec.exit.long),
        Output.ENTRY_SHORT: rule(spec.entry.short),
        Output.EXIT_SHORT: rule(spec.exit.short),
    }
    # Distances before rules: a rule asks whether they are known.
    return {**tiers, **{key: tree for key, tree in trees.items() if key not in tiers}}


_CONDITIONS = frozenset(
    {Output.ENTRY_LONG, Output.EXIT_LONG, Output.ENTRY_SHORT, Output.EXIT_SHORT}
)


def _program(spec: StrategySpec, columns: Sequence[ColumnReference]) -> Program:
    assembler = Assembler(columns)
    for output, tree in _trees(spec).items():
        is_condition = output in _CONDITIONS
        if tree is None:
            assembler.store_constant(output, 0.0 if is_condition else np.nan)
        elif is_condition:
            assembler.store(output, tree, Kind.CONDITION)
        else:
            _store_number(assembler, output, tree)
        if tree is not None and output in (Output.ENTRY_LONG, Output.ENTRY_SHORT):
            _require_numbers(assembler, spec, output)
    return assembler.program()


def _store_number(assembler: Assembler, output: Output, tree: Node) -> None:
    assembler.store(output, tree, Kind.NUMBER)
    if output is Output.CONFIDENCE and not isinstance(tree, Number):
        assembler.clamp_to_unit(output)


def _require_numbers(assembler: Assembler, spec: StrategySpec, output: Output) -> None:
    # A stop that cannot be computed must not read as "no stop".
    trees = _trees(spec)
    for distance in DISTANCES:
        if trees.get(distance) is not None:
            assembler.require_positive(output, distance)
    if not isinstance(spec.confidence.tree, Number):
        assembler.require_known(output, Output.CONFIDENCE)
