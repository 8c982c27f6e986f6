"""The look-ahead check as a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.output import print_json
from tidewright.cli.run import (
    ConfigOption,
    SetOption,
    SymbolOption,
    TimeframeOption,
    chosen_symbols,
)

if TYPE_CHECKING:
    from tidewright.research.lookahead.check import LookaheadReport


def lookahead(
    strategy: Annotated[str, typer.Argument(help="Library name, FILE.yaml or FILE.py:CLASS.")],
    data: Annotated[Path, typer.Option("--data", help="Data as `backtest` takes it.")],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    longer: Annotated[
        Path | None,
        typer.Option("--longer", help="File of longer bars, to check its times beside the data."),
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", min=2, help="Newest bars of each symbol to look at.")
    ] = 20_000,
    times: Annotated[
        int, typer.Option("--times", min=1, help="Times at which histories are cut.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the sampled times.")] = 0,
    config: ConfigOption = None,
    overrides: SetOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Check that a strategy knew at each time nothing that came later.

    Exit code 1 says that something did.
    """
    from rich.console import Console
    from rich.progress import Progress

    from tidewright.app.launch import choose_settings, choose_strategies, open_data
    from tidewright.app.lookahead import Sample, check_longer, check_strategy
    from tidewright.app.universe import settle_universe
    from tidewright.research.lookahead.check import joined_reports

    console = Console(stderr=True)
    sample = Sample(rows, times, seed)
    symbols = chosen_symbols(symbol)
    settings = choose_settings(config, overrides or (), symbols)
    (chosen,) = choose_strategies((strategy,), settings)
    with console.status(f"Loading {data}"):
        feed, notes = open_data(data, symbols, timeframe, settings.bar_rules())
    settings = settle_universe(settings, feed.instruments, [chosen])
    for note in (feed.description, *notes):
        console.print(note, style="dim", highlight=False)
    beside = None
    if longer is not None:
        with console.status(f"Loading {longer}"):
            beside, _ = open_data(longer, symbols, "", settings.bar_rules())
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Cutting histories", total=None)
        report = check_strategy(
            chosen,
            feed,
            settings,
            sample,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if beside is not None:
        own = check_longer(chosen, feed, beside, sample)
        report = joined_reports([report, own])
    refusal = report.refusal(feed.declaration)
    if json_output:
        print_json({**_outline(report), "refusal": refusal, "findings": report.findings})
    else:
        for line in report.lines():
            print(line)
        print(refusal or _said_of_scale(report))
    return 0 if report.clean and not refusal else 1


def _outline(report: LookaheadReport) -> dict[str, object]:
    return {
        "subject": report.subject,
        "clean": report.clean,
        "scale_free": report.scale_free,
        "checks": report.checks,
        "times": report.times,
        "rows": report.rows,
        "values": report.values,
    }


def _said_of_scale(report: LookaheadReport) -> str:
    if report.scale_free:
        return "Prices times k and volumes / k leave every decision as it is."
    return (
        "Decisions change with the unit of price: on data adjusted for later splits or dividends "
        "they depend on the future, so they are refused there. Is this data adjusted? "
        "`tidewright data declare` says so."
    )
