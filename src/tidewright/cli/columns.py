"""Commands about columns: what expressions and models can read, and values of it as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.output import print_json, print_table

if TYPE_CHECKING:
    from tidewright.features.declarations import ColumnDeclaration

app = typer.Typer(no_args_is_help=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Set of columns: 10, 22 or all.")
]


@app.command("list")
def list_columns(
    family: Annotated[
        str, typer.Option("--family", help="Only this family, such as trend or volume.")
    ] = "",
    sets: SetOption = None,
    json_output: JsonFlag = False,
) -> None:
    """List the columns with their default parameters, or the features of a set."""
    from tidewright.features.declarations import declarations

    if sets:
        _list_sets(sets, json_output)
        return
    columns = [item for item in declarations().values() if not family or item.family == family]
    if not columns:
        _refuse_family(family)
    if json_output:
        print_json([_outline(item) for item in columns])
        return
    rows = [
        (item.default().label, item.family.value, item.unit, item.description) for item in columns
    ]
    print_table(("column", "family", "unit", "meaning"), rows, "no columns")


def _list_sets(names: list[str], json_output: bool) -> None:
    from tidewright.features.sets import feature_set

    found = [feature_set(name) for name in names]
    if json_output:
        print_json(
            [
                {
                    "name": one.name,
                    "description": one.description,
                    "columns": {name: reference.label for name, reference in one.columns},
                    "supplied": one.supplied,
                }
                for one in found
            ]
        )
        return
    rows = [(one.name, name, reference.label) for one in found for name, reference in one.columns]
    rows += [(one.name, name, "supplied by the caller") for one in found for name in one.supplied]
    print_table(("set", "feature", "column"), rows, "no columns")


def _refuse_family(family: str) -> None:
    from tidewright.domain.errors import ConfigError, nearest
    from tidewright.features.declarations import Family

    names = [item.value for item in Family]
    raise ConfigError(
        f"family was {family!r}; expected one of {', '.join(names)}{nearest(family, names)}"
    )


def _outline(item: ColumnDeclaration) -> dict[str, object]:
    reference = item.default()
    return {
        "name": item.name,
        "family": item.family,
        "kind": item.kind,
        "unit": item.unit,
        "description": item.description,
        "version": item.version,
        "dtype": item.dtype,
        "nan_means": item.nan_means,
        "inputs": item.inputs,
        "parameters": [
            {
                "name": parameter.name,
                "default": parameter.default,
                "minimum": parameter.minimum,
                "maximum": parameter.maximum,
                "whole": parameter.whole,
            }
            for parameter in item.parameters
        ],
        "default": reference.label,
        "lookback": item.lookback(reference.parameters),
    }


@app.command("export")
def export(
    data: Annotated[Path, typer.Argument(help="Parquet or CSV file of bars, or a folder.")],
    target: Annotated[Path, typer.Argument(help="File ending in .parquet or .csv.")],
    sets: SetOption = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help='A column, such as "sma(10)".')
    ] = None,
    symbols: Annotated[list[str] | None, typer.Option("--symbol", help="Take this one.")] = None,
    timeframe: Annotated[
        str, typer.Option("--timeframe", help="Length of the bars, such as 1m; read from the file.")
    ] = "",
    bars_per_day: Annotated[
        int, typer.Option("--bars-per-day", min=1, help="Bars of a day for the changes of set 22.")
    ] = 1,
    json_output: JsonFlag = False,
) -> None:
    """Write columns of every bar to a file, one row a bar; an empty cell is not known yet."""
    from tidewright.app.columns import chosen_columns, export_columns

    chosen = chosen_columns(sets or (), columns or (), bars_per_day)
    report = export_columns(data, target, chosen, symbols or (), timeframe)
    if json_output:
        print_json(
            {
                "path": report.path,
                "rows": report.rows,
                "columns": report.columns,
                "supplied": report.supplied,
                "load": report.loaded.as_dict(),
            }
        )
        return
    for line in report.loaded.lines():
        print(line)
    print(f"{report.rows:,} rows of {len(report.columns)} columns written to {report.path}")
    for name in report.supplied:
        print(f"not in the file: {name}, which no bar determines")
