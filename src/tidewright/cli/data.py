"""Commands about stored market data: import, fetch, verify, list, export."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.output import print_json, print_table

if TYPE_CHECKING:
    from tidewright.app.data import MergeReport
    from tidewright.app.history import FetchReport, FetchRequest
    from tidewright.app.settings import Settings

app = typer.Typer(no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", help="Folder that holds the stored bars.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TimeframeOption = Annotated[
    str, typer.Option("--timeframe", help="Length of the bars, such as 1m; read from the file.")
]
HOME = Path("home")


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="Parquet or CSV file, or a folder of them.")],
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", help="Take this symbol only, or name a file that names none."),
    ] = None,
    timeframe: TimeframeOption = "",
    home: HomeOption = HOME,
    json_output: JsonFlag = False,
) -> None:
    """Add the bars of files to the store; whatever is unfit or inferred is reported."""
    from tidewright.app.bar_store import open_bar_store
    from tidewright.app.data import import_files
    from tidewright.app.declarations import carry

    report, merged = import_files(
        open_bar_store(home), path, symbol or (), timeframe=timeframe, now=time.time_ns()
    )
    carried = carry(report.declaration, home / "bars")
    if json_output:
        print_json({"load": report.as_dict(), "stored": merged, "declaration": carried})
        return
    for line in (*report.lines(), *filter(None, [carried])):
        print(line)
    _print_merged(merged)


def _print_merged(merged: list[MergeReport]) -> None:
    rows = [
        (one.instrument, one.timeframe, one.added, one.repeated, len(one.conflicts), one.bars)
        for one in merged
    ]
    print_table(
        ("instrument", "timeframe", "added", "repeated", "conflicts", "stored"), rows, "no bars"
    )


@app.command("fetch")
def fetch(
    symbols: Annotated[list[str], typer.Argument(help="Binance symbols, such as BTCUSDT.")],
    timeframe: Annotated[str, typer.Option("--timeframe", help="Length of the bars.")] = "1m",
    start: Annotated[str, typer.Option("--from", help="First date; a year ago by default.")] = "",
    end: Annotated[str, typer.Option("--to", help="Last date, exclusive; now by default.")] = "",
    home: HomeOption = HOME,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file (YAML).")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override one setting: NAME=VALUE.")
    ] = None,
    json_output: JsonFlag = False,
) -> None:
    """Fetch history from Binance; what is stored already is not fetched again."""
    from tidewright.app.history import FetchRequest
    from tidewright.app.settings import load_settings
    from tidewright.domain.time import parse_iso

    settings = load_settings(config, overrides=overrides or ())
    first = parse_iso(start) if start else 0
    last = parse_iso(end) if end else 0
    requests = [FetchRequest(symbol, timeframe, time.time_ns(), first, last) for symbol in symbols]
    reports = [_fetch_one(home, request, settings) for request in requests]
    if json_output:
        print_json(reports)
        return
    for report in reports:
        _print_fetched(report)


def _fetch_one(home: Path, request: FetchRequest, settings: Settings) -> FetchReport:
    from rich.console import Console
    from rich.progress import Progress

    from tidewright.app.bar_store import fetch_from_binance, open_bar_store

    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"{request.symbol} {request.timeframe}", total=None)
        return fetch_from_binance(
            open_bar_store(home),
            request,
            settings,
            lambda seen, expected: bar.update(task, completed=seen, total=max(expected, 1)),
        )


def _print_fetched(report: FetchReport) -> None:
    print(
        f"{report.instrument} {report.timeframe}: {report.added:,} bars added in "
        f"{report.pages:,} pages, {report.bars:,} stored"
    )
    if report.volumes_rounded:
        print(f"  {report.volumes_rounded:,} volumes were rounded to whole lots")
    if report.prices_rounded:
        print(f"  {report.prices_rounded:,} prices were rounded to eight decimals")
    for item in report.inferred:
        print(f"  inferred {item}")
    for defect in report.defects[:20]:
        print(f"  kept out: {defect.detail}")
    if len(report.defects) > 20:
        print(f"  and {len(report.defects) - 20:,} more")
    if report.gaps.gaps:
        print(f"  {report.gaps.summary()}")


@app.command("verify")
def verify(home: HomeOption = HOME, json_output: JsonFlag = False) -> int:
    """Check every stored bar; exit code 1 when one contradicts another or itself."""
    from tidewright.app.bar_store import open_bar_store
    from tidewright.app.data import verify as verify_store

    reports = verify_store(open_bar_store(home))
    if json_output:
        print_json([asdict(report) for report in reports])
    else:
        for report in reports:
            verdict = f"{len(report.faults)} faults" if report.faults else "sound"
            print(f"{report.instrument} {report.timeframe}: {report.bars:,} bars, {verdict}")
            for fault in report.faults[:20]:
                print(f"  {fault}")
            if report.gaps.gaps:
                print(f"  {report.gaps.summary()}")
        if not reports:
            print(f"no stored bars in {home}")
    return 1 if any(report.faults for report in reports) else 0


@app.command("list")
def list_series(home: HomeOption = HOME, json_output: JsonFlag = False) -> None:
    """List the stored series."""
    from tidewright.app.bar_store import open_bar_store
    from tidewright.app.data import list_series as list_stored
    from tidewright.app.declarations import read_declaration
    from tidewright.domain.time import iso

    found = list_stored(open_bar_store(home))
    if json_output:
        print_json(found)
        return
    rows = [
        (one.instrument, one.timeframe, one.bars, iso(one.first), iso(one.last), one.missing)
        for one in found
    ]
    print_table(
        ("instrument", "timeframe", "bars", "first", "last", "missing"),
        rows,
        f"no stored bars in {home}; `tidewright data import FILE` adds some",
    )
    for line in read_declaration(home / "bars").lines() if found else ():
        print(line)


@app.command("declare")
def declare(
    path: Annotated[Path, typer.Argument(help="Data file, or a folder; `home/bars` is one.")],
    adjustment: Annotated[
        str, typer.Option("--adjustment", help="none, split or split_dividend.")
    ] = "",
    adjusted: Annotated[
        str, typer.Option("--adjusted-as-of", help="Date on which prices were adjusted.")
    ] = "",
    universe: Annotated[
        str,
        typer.Option(
            "--universe-as-of", help="Date on which the symbols were chosen, or each_bar."
        ),
    ] = "",
    json_output: JsonFlag = False,
) -> None:
    """Say how prices were adjusted and when symbols were chosen; without options, show it."""
    from tidewright.app.declarations import declaration_path, read_declaration
    from tidewright.app.declarations import declare as write

    wanted = {
        "adjustment": adjustment,
        "adjusted_as_of": adjusted,
        "universe_as_of": universe,
    }
    given = {key: value for key, value in wanted.items() if value}
    found = write(path, given) if given else read_declaration(path)
    if json_output:
        print_json(found.as_dict())
        return
    print(f"declared in {found.source}" if found.source else f"no {declaration_path(path)}")
    for line in found.lines():
        print(line)


@app.command("export")
def export(
    instrument: Annotated[str, typer.Argument(help="Instrument id, such as BTCUSDT.")],
    timeframe: Annotated[str, typer.Argument(help="Timeframe, such as 1m.")],
    path: Annotated[Path, typer.Argument(help="File ending in .parquet or .csv.")],
    home: HomeOption = HOME,
) -> None:
    """Write a stored series as a file that `backtest` and `up` can read."""
    from tidewright.app.bar_store import open_bar_store
    from tidewright.app.data import export_series

    count = export_series(open_bar_store(home), instrument, timeframe, path)
    print(f"{count:,} bars written to {path}")
