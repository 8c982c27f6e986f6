"""What a column tells of later returns, as a command."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.output import print_json, print_table
from tidewright.cli.run import (
    ConfigOption,
    SetOption,
    SymbolOption,
    TimeframeOption,
    chosen_symbols,
)

if TYPE_CHECKING:
    from tidewright.research.factor import FactorReport, Float64


def factor(
    column: Annotated[str, typer.Argument(help='A column, such as "change(20)".')],
    data: Annotated[Path, typer.Option("--data", help="Data as `backtest` takes it.")],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    rows: Annotated[
        str, typer.Option("--rows", help="Length of a row; days unless the bars are longer.")
    ] = "",
    horizons: Annotated[
        list[int] | None, typer.Option("--horizon", min=1, help="Rows of a return; repeat.")
    ] = None,
    quantiles: Annotated[int, typer.Option("--quantiles", min=2, help="Parts to cut into.")] = 5,
    hold: Annotated[int, typer.Option("--hold", min=1, help="Rows a choice is held.")] = 1,
    delay: Annotated[
        int, typer.Option("--delay", min=0, help="Rows between a value and its return.")
    ] = 0,
    cost: Annotated[
        float | None,
        typer.Option("--cost", min=0, help="Percent of a trade; the settings' costs otherwise."),
    ] = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how a column orders later returns across the symbols of a data set."""
    from rich.console import Console

    from tidewright.app.factor import cost_of, factor_column, factor_panel
    from tidewright.app.launch import choose_settings, open_data
    from tidewright.research.factor import HORIZONS, measure_factor

    console = Console(stderr=True)
    reference = factor_column(column)
    settings = choose_settings(config, overrides or ())
    with console.status(f"Loading {data}"):
        feed, _ = open_data(data, chosen_symbols(symbol), timeframe, settings.bar_rules())
    notes = [feed.description, *feed.declaration.lines(feed.first_known)]
    for note in notes:
        console.print(note, style="dim", highlight=False)
    with console.status(f"Measuring {reference.label}"):
        report = measure_factor(
            factor_panel(feed, reference, rows),
            reference.label,
            horizons=horizons or HORIZONS,
            quantiles=quantiles,
            hold=hold,
            delay=delay,
            cost_rate=cost_of(feed, settings) if cost is None else cost / 100,
        )
    if json_output:
        print_json({**_outline(report), "notes": notes})
        return
    _print(report)


def _print(report: FactorReport) -> None:
    print(
        f"{report.column}: {report.symbols} symbols, {report.moments:,} rows, value known for "
        f"{report.coverage:.1%} of their bars"
    )
    print_table(
        ("horizon", "rank IC", "90 % low", "90 % high", "t", "positive", "rows"),
        [
            (
                one.horizon,
                f"{one.mean:+.4f}",
                f"{one.low:+.4f}",
                f"{one.high:+.4f}",
                f"{one.t:+.1f}",
                f"{one.positive:.1%}",
                one.moments,
            )
            for one in report.coefficients
        ],
        "no horizon",
    )
    spread = report.spread
    parts = "  ".join(f"{_basis(value)}" for value in spread.quantiles)
    print(f"mean return of a row by quantile, lowest first, in 0.01 %: {parts}")
    print(
        f"highest minus lowest: {_basis(spread.gross)} gross, turnover {spread.turnover:.2f}, "
        f"{_basis(spread.net)} net of {spread.cost_rate:.3%} a trade "
        f"(90 %: {_basis(spread.low)} to {_basis(spread.high)})"
    )


def _basis(value: float) -> str:
    return "-" if math.isnan(value) else f"{value * 1e4:+.2f}"


def _plain(values: Float64) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _outline(report: FactorReport) -> dict[str, object]:
    spread = report.spread
    return {
        "column": report.column,
        "symbols": report.symbols,
        "rows": report.moments,
        "coverage": report.coverage,
        "times": report.times.tolist(),
        "coefficients": [
            {
                "horizon": one.horizon,
                "mean": one.mean,
                "standard_error": one.standard_error,
                "low": one.low,
                "high": one.high,
                "t": one.t,
                "positive": one.positive,
                "rows": one.moments,
                "series": _plain(one.series),
            }
            for one in report.coefficients
        ],
        "spread": {
            "quantiles": _plain(spread.quantiles),
            "gross": spread.gross,
            "net": spread.net,
            "low": spread.low,
            "high": spread.high,
            "turnover": spread.turnover,
            "cost_rate": spread.cost_rate,
            "series": _plain(spread.series),
        },
    }
