"""Run a strategy with many choices of its numbers, and show which did what."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.failures import ExitCode
from tidewright.cli.run import (
    ConfigOption,
    FromOption,
    JsonFile,
    SetOption,
    SymbolOption,
    TimeframeOption,
    ToOption,
    chosen_symbols,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tidewright.app.sweep import Sweep
    from tidewright.research.report.sweep_table import SweepTable
    from tidewright.research.report.values import SweepMap
    from tidewright.research.results import DailyResults

_SHADES = ("#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#d1e5f0", "#92c5de", "#4393c3", "#2166ac")
"""From the worst to the best; red and blue are told apart by colour-blind eyes too."""


def sweep(
    strategy: Annotated[str, typer.Argument(help="Library name or FILE.yaml.")],
    data: Annotated[Path, typer.Option("--data", help="Data as `backtest` takes it.")],
    grid: Annotated[
        list[str],
        typer.Option(
            "--grid", help='Numbers to vary: "fast=5:54 slow=60:193:7"; or "stop=1,1.5,2".'
        ),
    ],
    where: Annotated[
        str, typer.Option("--where", help='Only sets for which this holds: "fast < slow".')
    ] = "",
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Processes that share the work.")
    ] = 1,
    sort: Annotated[
        str, typer.Option("--sort", help="Measure to sort by: t, excess, return, sharpe, ...")
    ] = "t",
    top: Annotated[int, typer.Option("--top", min=1, help="Sets to show.")] = 20,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Go on from the sets in this file; they are kept there."),
    ] = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    start: FromOption = "",
    end: ToOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    json_file: JsonFile = None,
) -> int:
    """Run a strategy with every choice of its named numbers over stored data.

    The last fifth of the data stays closed, and every set counts as a try. Ctrl+C keeps the sets
    that are done; --resume goes on from there.
    """
    from rich.console import Console

    from tidewright.app.holdout import without_closed_part
    from tidewright.app.launch import choose_settings, choose_strategies, choose_window, open_data
    from tidewright.app.sweep import prepare_sweep
    from tidewright.app.universe import settle_universe
    from tidewright.research.report.sweep_table import check_measure

    check_measure(sort)
    console = Console(stderr=True)
    symbols = chosen_symbols(symbol)
    settings = choose_settings(config, overrides or (), symbols)
    chosen = choose_strategies((strategy,), settings)
    with console.status(f"Loading {data}"):
        whole, notes = open_data(data, symbols, timeframe, settings.bar_rules())
        feed, closed = without_closed_part(whole)
    settings = settle_universe(settings, feed.instruments, chosen)
    for note in (feed.description, *notes, *settings.notes, closed):
        console.print(note, style="dim", highlight=False)
    window = choose_window(feed, start, end)
    with console.status("Reading the sets"):
        asked = prepare_sweep(strategy, " ".join(grid), where, feed, settings, window)
    results, whole_sweep = _run(asked, processes, resume, console)
    if not len(results):
        return ExitCode.INTERRUPTED
    table = asked.table(results)
    _write_down(asked, results, console)
    _show(table, sort, top)
    if json_file is not None:
        from tidewright.app.report import write_json

        write_json(json_file, table.to_dict(sort))
    return ExitCode.OK if whole_sweep else ExitCode.INTERRUPTED


def _run(
    asked: Sweep, processes: int, resume: Path | None, console: Console
) -> tuple[DailyResults, bool]:
    """Return the results of the sets that were done, and whether these are all."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from tidewright.app.processes import ProcessExecutor
    from tidewright.app.sweep import joined, load_results, run_parts, save_results

    parts, digest = [], asked.digest if resume is not None else ""
    if resume is not None and resume.exists():
        parts.append(load_results(resume, digest))
    done = parts[0] if parts else None
    columns = ("Sets", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    executor = ProcessExecutor(processes) if processes > 1 else None
    total = len(asked.points)
    try:
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=total, completed=len(done) if done is not None else 0)
            for part in run_parts(
                asked.request,
                executor,
                processes=processes,
                done=done,
                progress=lambda count, _: bar.update(task, completed=count),
            ):
                parts.append(part)
    except KeyboardInterrupt:
        console.print("interrupted")
    finally:
        if executor is not None:
            executor.close()
    results = joined(parts) if parts else asked.nothing()
    whole = len(results) == total
    if len(results) and (resume is not None or not whole):
        digest = digest or asked.digest
        path = resume or Path(f"sweep-{asked.base.setup.strategy.name}-{digest[:8]}.npz")
        save_results(path, digest, results)
        if not whole:
            console.print(
                f"{len(results):,} of {total:,} sets are kept; go on with --resume {path}",
                highlight=False,
            )
    return results, whole


def _write_down(asked: Sweep, results: DailyResults, console: Console) -> None:
    """Count every set that was scored as a try."""
    from tidewright.app.trials import record_trials

    base = asked.request.base
    span = (base.window.start, base.window.end)
    count = record_trials(asked.scored(results), base.series, span=span, tell=console.print)
    if count is not None:
        console.print(
            f"Tries on this market so far: {count.on_data:,}, of this idea: {count.in_family:,}.",
            style="dim",
            highlight=False,
        )


def _show(table: SweepTable, sort: str, top: int) -> None:
    from rich.console import Console

    console = Console()
    console.print(_table(table, sort, top))
    if len(table) > top:
        console.print(f"{top:,} of {len(table):,} sets, by {sort}", style="dim", highlight=False)
    shown = table.map(sort)
    if shown is not None and len(shown.x) * len(shown.y) > 1:
        console.print(_map(shown, sort), highlight=False)
    console.print(
        f"The best of {len(table):,} sets looks good by luck alone; `tidewright validate` says "
        "how good luck gets.",
        style="dim",
        highlight=False,
    )


_PERCENT = frozenset({"excess", "return", "drawdown", "exposure", "fees"})
_SHOWN = ("t", "excess", "return", "sharpe", "drawdown", "trades", "exposure", "fees")


def _table(table: SweepTable, sort: str, top: int) -> Table:
    from rich.table import Table

    measures = [*_SHOWN, *(() if sort in _SHOWN else (sort,))]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in (*table.names, *measures):
        shown.add_column(name, justify="right", no_wrap=True)
    for place in table.order(sort)[:top].tolist():
        numbers = [f"{value:g}" for value in table.points[place].tolist()]
        figures = [_figure(name, float(table.measures[name][place])) for name in measures]
        shown.add_row(*numbers, *figures)
    return shown


def _figure(name: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    if name == "trades":
        return f"{value:,.0f}"
    return f"{100.0 * value:+,.1f} %" if name in _PERCENT else f"{value:,.2f}"


def _map(shown: SweepMap, measure: str) -> Text:
    """Return the map as rows of coloured blocks, shades by rank, with what they stand for."""
    from rich.text import Text

    ranked = sorted(value for row in shown.score for value in row if value is not None)
    text = Text(f"\n{measure} by {shown.x_name} (across)")
    if shown.y_name:
        text.append(f" and {shown.y_name} (down)")
    labels = [f"{value:g}" if shown.y_name else "" for value in shown.y]
    width = max(map(len, labels))
    for label, row in zip(labels, shown.score, strict=True):
        text.append(f"\n{label.rjust(width)} ")
        for value in row:
            text.append("██" if value is not None else "··", _shade(value, ranked))
    across = f"{shown.x[0]:g} .. {shown.x[-1]:g}"
    text.append(f"\n{' ' * width} {across}\n{' ' * width} ")
    if ranked:
        text.append("██", _SHADES[0])
        text.append(f" {ranked[0]:,.4g} .. {ranked[-1]:,.4g} ")
        text.append("██", _SHADES[-1])
    return text


def _shade(value: float | None, ranked: list[float]) -> str:
    from bisect import bisect_left

    if value is None or len(ranked) < 2:
        return "dim" if value is None else _SHADES[-1]
    share = bisect_left(ranked, value) / (len(ranked) - 1)
    return _SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)]
