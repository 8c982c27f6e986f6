"""Strategies written in Python, for what an expression cannot say.

Such a strategy is a pure class: what it answers depends on the two rows that it is shown and on
nothing else, neither a clock, nor a random number, nor anything remembered from earlier bars. So it
runs bar by bar on the engine in every command, and row by row in research, with the same answers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import ColumnReference
from tidewright.strategy.expressions import Column, parse_number
from tidewright.strategy.model import NAME_EXPECTED, SizingMethod, SizingSpec, is_name
from tidewright.strategy.outputs import DISTANCES, N_OUTPUTS, Output

__all__ = ["N_OUTPUTS", "Output", "PythonEvaluator", "PythonStrategy", "columns"]

Float64 = NDArray[np.float64]
"""Array of float64."""

_CONDITIONS = (Output.ENTRY_LONG, Output.EXIT_LONG, Output.ENTRY_SHORT, Output.EXIT_SHORT)


def columns(*texts: str) -> tuple[ColumnReference, ...]:
    """Return columns as the expression language writes them, such as ``"sma(10)"``.

    Raises
    ------
    ConfigError
        If a text is not one declared column.
    """
    references = []
    for text in texts:
        tree = parse_number(text)
        if not isinstance(tree, Column):
            raise ConfigError(f"column was {text!r}; expected one column such as sma(10)")
        references.append(tree.reference)
    return tuple(references)


class PythonStrategy(ABC):
    """Base of strategies written in Python.

    Attributes
    ----------
    name : str
        Unique name, as in a spec; subclasses state it.
    references : tuple of ColumnReference
        Columns that `evaluate` is shown, in this order; subclasses state them.
    sizing : SizingSpec
        How large a position is.
    timeframe : str
        Length of its bars; empty means the feed's own.
    symbols : frozenset of str or None
        Instruments that it trades; None means every one of the feed.
    time_stop_bars : int
        Leave after this many bars; 0 means never.
    expire_after_bars : int
        A working limit entry is cancelled after this many bars.
    confidence : float
        In [0, 1]; taken where `evaluate` gives none.
    reasons : mapping of str to str
        Words for ``entry.long``, ``entry.short``, ``exit.long`` and ``exit.short``.
    accepts_unknown : bool
        Whether `evaluate` is asked although a column is unknown (NaN). Python's comparisons take
        NaN for false and its opposite for true, so by default it is not asked: everything stays
        unknown, and unknown never trades.
    """

    name: ClassVar[str]
    references: ClassVar[tuple[ColumnReference, ...]]
    sizing: ClassVar[SizingSpec] = SizingSpec(SizingMethod.PERCENT_OF_EQUITY, Decimal(5))
    timeframe: ClassVar[str] = ""
    symbols: ClassVar[frozenset[str] | None] = None
    time_stop_bars: ClassVar[int] = 0
    expire_after_bars: ClassVar[int] = 0
    confidence: ClassVar[float] = 0.6
    reasons: ClassVar[Mapping[str, str]] = MappingProxyType({})
    accepts_unknown: ClassVar[bool] = False

    @abstractmethod
    def evaluate(self, current: Float64, previous: Float64) -> Mapping[Output, float]:
        """Return what the strategy says of the newest bar; what is left out is false or none.

        Parameters
        ----------
        current, previous : float64 array of shape (len(references),), read-only
            The newest row and the one before it.
        """

    def evaluator(self, columns: Sequence[ColumnReference]) -> PythonEvaluator:
        """Return the strategy bound to a row layout.

        Raises
        ------
        ConfigError
            If the layout lacks a column that the strategy reads, or its name cannot be used.
        """
        return PythonEvaluator(self, columns)

    def evaluate_bulk(
        self, matrix: Float64, columns: Sequence[ColumnReference] | None = None
    ) -> Float64:
        """Return the outputs of every row, asked one by one as the engine asks.

        Parameters
        ----------
        matrix : float64 array of shape (n_bars, n_columns)
            Columns in time order; before the first row everything is unknown.
        columns : sequence of ColumnReference or None
            Its layout; None means ``references``.

        Returns
        -------
        float64 array of shape (n_bars, N_OUTPUTS)
            Indexed by `Output`.
        """
        evaluator = self.evaluator(self.references if columns is None else columns)
        outputs = np.empty((len(matrix), N_OUTPUTS))
        previous = np.full(matrix.shape[1], np.nan)
        for row, current in enumerate(matrix):
            outputs[row] = evaluator.evaluate(current, previous)
            previous = current
        return outputs


class PythonEvaluator:
    """A Python strategy bound to a row layout.

    Parameters
    ----------
    strategy : PythonStrategy
        What is asked.
    layout : sequence of ColumnReference
        Columns of the rows.
    """

    __slots__ = ("_outputs", "_places", "_strategy")

    def __init__(self, strategy: PythonStrategy, layout: Sequence[ColumnReference]) -> None:
        name = getattr(strategy, "name", "")
        if not is_name(name):
            raise ConfigError(
                f"name of {type(strategy).__name__} was {name!r}; expected {NAME_EXPECTED}"
            )
        known = {reference: place for place, reference in enumerate(layout)}
        missing = [column.label for column in strategy.references if column not in known]
        if missing:
            raise ConfigError(
                f"{name} reads {', '.join(missing)}; expected only columns that the rows have"
            )
        self._strategy = strategy
        self._places = np.array([known[column] for column in strategy.references], np.intp)
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

        Raises
        ------
        ConfigError
            If the strategy answered something that is no output.
        """
        now, before = current[self._places], previous[self._places]
        now.flags.writeable = before.flags.writeable = False
        outputs = self._outputs
        outputs[:] = np.nan
        known = not (np.isnan(now).any() or np.isnan(before).any())
        if known or self._strategy.accepts_unknown:
            self._take(self._strategy.evaluate(now, before))
        return outputs

    def _take(self, answer: Mapping[Output, float]) -> None:
        name, outputs = self._strategy.name, self._outputs
        for output in _CONDITIONS:
            value = float(answer.get(output, 0.0))
            if value not in (0.0, 1.0) and not math.isnan(value):
                raise ConfigError(f"{name}: {output.name} was {value}; expected 1, 0 or NaN")
            outputs[output] = value
        confidence = float(answer.get(Output.CONFIDENCE, self._strategy.confidence))
        outputs[Output.CONFIDENCE] = min(max(confidence, 0.0), 1.0)
        if math.isnan(confidence):
            outputs[Output.ENTRY_LONG] = outputs[Output.ENTRY_SHORT] = math.nan
        for output in DISTANCES:
            distance = float(answer.get(output, math.nan))
            if output in answer and not 0 < distance < math.inf:
                # A stop that cannot be computed must not read as "no stop".
                distance = math.nan
                outputs[Output.ENTRY_LONG] = outputs[Output.ENTRY_SHORT] = math.nan
            outputs[output] = distance
        if unknown := set(answer) - set(Output):
            raise ConfigError(f"{name}: answered {unknown!r}; expected members of Output")
