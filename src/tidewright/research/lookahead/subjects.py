"""What a look-ahead check can look at: columns, strategies, models, as functions of bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.engine.config import StrategySetup
from tidewright.features.declarations import ColumnReference
from tidewright.features.timeframes import row_table
from tidewright.market.arrays import BarArrays, Int64
from tidewright.research.bulk.columns import instrument_rows
from tidewright.research.lookahead.check import Float64, Observation, Sources, Subject
from tidewright.strategy.compile import CompiledStrategy
from tidewright.strategy.outputs import DISTANCES, Output
from tidewright.strategy.python_strategy import PythonStrategy

SCALE = 4
"""What prices are multiplied and volumes divided by; a power of two keeps every float exact."""


def columns_subject(
    references: Sequence[ColumnReference], instruments: Sequence[Instrument]
) -> Subject:
    """Return declared columns as a subject; sources are bars of the instruments, by id.

    Parameters
    ----------
    references : sequence of ColumnReference
        Columns.
    instruments : sequence of Instrument
        What the bars are of.
    """

    def subject(sources: Sources) -> list[Observation]:
        return [
            Observation(
                source_name(one),
                known,
                {column.label: matrix[:, n] for n, column in enumerate(references)},
            )
            for one, known, matrix in _rows(sources, references, instruments)
        ]

    return subject


def longer_subject(
    references: Sequence[ColumnReference], instruments: Sequence[Instrument]
) -> Subject:
    """Return columns of longer bars from a file of their own, beside rows of the feed.

    Parameters
    ----------
    references : sequence of ColumnReference
        Columns, such as ``sma(10)@1h``, none of them a cross-section.
    instruments : sequence of Instrument
        What the bars are of. Sources are the feed's bars of each, then the longer ones of each.
    """
    by_id = {one.id: one for one in instruments}

    def subject(sources: Sources) -> list[Observation]:
        feeds, longer = sources[: len(instruments)], sources[len(instruments) :]
        found = []
        for one in feeds:
            own = [other for other in longer if other.instrument == one.instrument]
            table = row_table(references, one, one, by_id[one.instrument], own)
            values = {column.label: table[n] for n, column in enumerate(references)}
            found.append(Observation(source_name(one), one.ts_known, values))
        return found

    return subject


def strategy_subject(setup: StrategySetup, instruments: Sequence[Instrument]) -> Subject:
    """Return a strategy's columns and everything that it answers as a subject.

    Raises
    ------
    ConfigError
        If the strategy cannot answer for a matrix of rows.
    """
    strategy = _bulk(setup)

    def subject(sources: Sources) -> list[Observation]:
        found = []
        for one, known, matrix in _rows(sources, strategy.references, instruments, setup):
            outputs = strategy.evaluate_bulk(matrix)
            values = {column.label: matrix[:, n] for n, column in enumerate(strategy.references)}
            values |= {f"output {output.name.lower()}": outputs[:, output] for output in Output}
            found.append(Observation(source_name(one), known, values))
        return found

    return subject


def decisions(
    setup: StrategySetup, instruments: Sequence[Instrument], sources: Sources
) -> list[Observation]:
    """Return what a strategy decides, without distances, which are in units of price."""
    wanted = [output for output in Output if output not in DISTANCES]
    strategy = _bulk(setup)
    found = []
    for one, known, matrix in _rows(sources, strategy.references, instruments, setup):
        outputs = strategy.evaluate_bulk(matrix)
        values = {output.name.lower(): outputs[:, output] for output in wanted}
        found.append(Observation(source_name(one), known, values))
    return found


def scaled(instruments: Sequence[Instrument]) -> list[Instrument]:
    """Return instruments whose prices are times k and volumes / k, k different by symbol.

    The bars stay as they are, in ticks and lots: what a tick and a lot are changes.
    """
    factors = (Decimal(SCALE), Decimal(1) / SCALE, Decimal(SCALE) ** 2)
    return [
        replace(
            one,
            tick_size=one.tick_size * factors[place % len(factors)],
            lot_size=one.lot_size / factors[place % len(factors)],
        )
        for place, one in enumerate(instruments)
    ]


def callable_subject(
    compute: Callable[[BarArrays], Mapping[str, Float64]], name: str = ""
) -> Subject:
    """Return a function from the bars of one instrument to named columns as a subject.

    Parameters
    ----------
    compute : callable
        Given bars, returns float64 arrays of shape (n_bars,): a model's scores, for one.
    name : str
        Put before the source's own name.
    """

    def subject(sources: Sources) -> list[Observation]:
        return [
            Observation(f"{name} {source_name(one)}".strip(), one.ts_known, compute(one))
            for one in sources
        ]

    return subject


def source_name(bars: BarArrays) -> str:
    """Return what a report calls a series."""
    return f"{bars.instrument} {bars.timeframe}"


def _bulk(setup: StrategySetup) -> CompiledStrategy | PythonStrategy:
    strategy = setup.strategy
    if not isinstance(strategy, CompiledStrategy | PythonStrategy):
        raise ConfigError(
            f"strategy {strategy.name!r} answers bar by bar only; expected a written strategy or "
            "a PythonStrategy"
        )
    return strategy


def _rows(
    sources: Sources,
    references: Sequence[ColumnReference],
    instruments: Sequence[Instrument],
    setup: StrategySetup | None = None,
) -> list[tuple[BarArrays, Int64, Float64]]:
    """Return for each source when its rows were there, and the rows."""
    by_id = {one.id: one for one in instruments}
    timeframe, symbols = (setup.timeframe, setup.symbols) if setup is not None else ("", None)
    found = instrument_rows(
        sources,
        [by_id[one.instrument] for one in sources],
        references,
        timeframe,
        [symbols is None or one.instrument in symbols for one in sources],
    )
    return [
        (
            one,
            one.ts_known if rows.source_row is None else one.ts_known[rows.source_row],
            np.ascontiguousarray(rows.columns.T),
        )
        for one, rows in zip(sources, found, strict=True)
    ]
