"""Freezing a strategy as a command."""

from __future__ import annotations

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
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import iso

if TYPE_CHECKING:
    from tidewright.app.freeze import FreezeAnswer
    from tidewright.research.judging.freeze import ForwardResult, Frozen


def freeze(
    strategy: Annotated[
        str, typer.Argument(help="Library name, FILE.yaml or FILE.py:CLASS.", show_default=False)
    ] = "",
    data: Annotated[
        Path | None, typer.Option("--data", help="Data as `backtest` takes it.")
    ] = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    list_all: Annotated[bool, typer.Option("--list", help="List what is frozen.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fix a strategy, its costs and settings by hash, and start its forward clock.

    Only what comes afterwards counts as forward evidence. Given again with newer data, it says how
    the strategy did since; after any edit the clock starts again.
    """
    if list_all:
        _list(json_output)
        return
    if not strategy or data is None:
        raise ConfigError("freeze needs STRATEGY and --data, or --list")
    from rich.console import Console

    from tidewright.app.freeze import freeze as freeze_strategy
    from tidewright.app.launch import choose_settings, choose_strategies, open_data
    from tidewright.app.universe import settle_universe

    console = Console(stderr=True)
    symbols = chosen_symbols(symbol)
    settings = choose_settings(config, overrides or (), symbols)
    (chosen,) = choose_strategies((strategy,), settings)
    with console.status(f"Loading {data}"):
        feed, notes = open_data(data, symbols, timeframe, settings.bar_rules())
    settings = settle_universe(settings, feed.instruments, [chosen])
    for note in (feed.description, *notes):
        console.print(note, style="dim", highlight=False)
    with console.status(f"Running {strategy}"):
        answer = freeze_strategy(chosen, feed, settings)
    if json_output:
        print_json(_data(answer.frozen, answer.forward) | {"fresh": answer.fresh})
    else:
        _print(answer)


def _list(json_output: bool) -> None:
    import time

    from tidewright.app.freeze import list_freezes
    from tidewright.app.trials import open_trials
    from tidewright.research.judging.freeze import days_since, latest_forward

    found = list_freezes()
    forward: dict[str, ForwardResult | None] = {}
    if found:
        with open_trials(read_only=True) as store:
            forward = {one.digest: latest_forward(store, one.digest) for one in found}
    if json_output:
        print_json([_data(one, forward[one.digest]) for one in found])
        return
    newest = {one.name: one for one in found}
    now = time.time_ns()
    rows = [
        (
            one.name,
            one.digest[:8],
            iso(one.ts)[:16].replace("T", " "),
            days_since(one, now),
            "runs" if newest[one.name] is one else "ended by an edit",
            _told(forward[one.digest]),
        )
        for one in found
    ]
    headings = ("strategy", "freeze", "since", "days", "clock", "forward result")
    print_table(headings, rows, "nothing is frozen")


def _print(answer: FreezeAnswer) -> None:
    frozen = answer.frozen
    when = iso(frozen.ts)[:16].replace("T", " ")
    if answer.fresh:
        if answer.edited:
            print(f"Edited since the last freeze: {', '.join(answer.edited)}. Its clock ended.")
        print(
            f"{frozen.name} is frozen as {frozen.digest[:8]}; its forward clock runs from {when}."
        )
        print("Only bars known after that are forward evidence; any edit starts the clock again.")
        return
    print(f"{frozen.name} is frozen as {frozen.digest[:8]} since {when}, unchanged.")
    if answer.other_build:
        print("Another build of Tidewright froze it; the clock runs on.")
    print(f"Forward result: {_told(answer.forward)}")


def _told(result: ForwardResult | None) -> str:
    if result is None:
        return "none yet"
    return (
        f"{_percent(result.profit)} in {result.days} days, better than "
        f"{100.0 * result.percentile:.0f} % of the forecast "
        f"({_percent(result.low)} to {_percent(result.high)})"
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:+.2f} %"


def _data(frozen: Frozen, forward: ForwardResult | None) -> dict[str, object]:
    return {
        "strategy": frozen.name,
        "family": frozen.family,
        "digest": frozen.digest,
        "parts": dict(frozen.parts),
        "since": iso(frozen.ts),
        "forward": forward,
    }
