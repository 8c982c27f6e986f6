"""From paper to a pilot and further, as commands."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.failures import ExitCode
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
    from tidewright.app.promotion import Examined
    from tidewright.research.promotion.ladder import Step
    from tidewright.research.promotion.paper_gate import PaperReport

app = typer.Typer(no_args_is_help=True)

StrategyWord = Annotated[str, typer.Argument(help="Library name, FILE.yaml or FILE.py:CLASS.")]
DataOption = Annotated[Path, typer.Option("--data", help="Data as `backtest` takes it.")]
EquityOption = Annotated[
    str, typer.Option("--equity", help="Equity of the account; account.initial_balance by default.")
]
PaperHome = Annotated[
    Path | None, typer.Option("--paper-home", help="Folder of the trader that ran it on paper.")
]
PilotHome = Annotated[
    Path | None, typer.Option("--pilot-home", help="Folder of the trader that runs its pilot.")
]
OverrideOption = Annotated[
    str, typer.Option("--override", help="Why failed checks are set aside; stays on the record.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("status")
def status(
    strategy: Annotated[
        str, typer.Argument(help="Strategy to look at closely; all that were promoted without.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option("--data", help="Data as `backtest` takes it.")
    ] = None,
    equity: EquityOption = "",
    paper_home: PaperHome = None,
    pilot_home: PilotHome = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    json_output: JsonFlag = False,
) -> None:
    """Say where strategies stand, and what a strategy lacks for its next step."""
    if not strategy:
        _standings(json_output)
        return
    if data is None:
        raise ConfigError("promote status STRATEGY needs --data, to know what exactly would run")
    from tidewright.app.promotion import told

    chosen = _Chosen(strategy, data, chosen_symbols(symbol), timeframe, config, overrides or ())
    examined = _examined(chosen, equity, paper_home, pilot_home)

    if json_output:
        print_json(_data(examined))
    else:
        print("\n".join(told(examined)))


@app.command("pilot")
def pilot(
    strategy: StrategyWord,
    data: DataOption,
    equity: EquityOption = "",
    paper_home: PaperHome = None,
    confirm: Annotated[
        str, typer.Option("--confirm", help="The sentence that is asked for, typed beforehand.")
    ] = "",
    override: OverrideOption = "",
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Begin a pilot with real money, after safety checks and a typed confirmation.

    It may lose 1 % of the account and then stops for good.
    """
    from tidewright.app.promotion import begin_pilot, told

    chosen = _Chosen(strategy, data, chosen_symbols(symbol), timeframe, config, overrides or ())
    examined = _examined(chosen, equity, paper_home)
    print("\n".join(told(examined)))
    typed = confirm
    if not typed and examined.pilot.granted(override) and sys.stdin.isatty():
        typed = typer.prompt(f"Type '{examined.candidate.confirmation}' to begin")
    _say(begin_pilot(examined, typed, override, _actor()))


@app.command("scale")
def scale(
    strategy: StrategyWord,
    data: DataOption,
    equity: EquityOption = "",
    pilot_home: PilotHome = None,
    override: OverrideOption = "",
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Scale a pilot whose verdict is SUPPORTED, sized on the lower end of what is plausible."""
    from tidewright.app.promotion import scale as scale_pilot

    chosen = _Chosen(strategy, data, chosen_symbols(symbol), timeframe, config, overrides or ())
    examined = _examined(chosen, equity, pilot_home=pilot_home)
    _say(scale_pilot(examined, override, _actor()))


@app.command("demote")
def demote(
    name: Annotated[str, typer.Argument(help="Name of the strategy.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    spent: Annotated[
        bool, typer.Option("--spent", help="Its loss budget is spent: no pilot of it any more.")
    ] = False,
) -> None:
    """Take a strategy back to paper."""
    from tidewright.app.promotion import demote as demote_strategy

    _say(demote_strategy(name, reason, _actor(), spent=spent))


def paper_gate(
    home: Annotated[Path, typer.Argument(help="Folder of the trader that ran on paper.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Complete data of the time, to count misses.")
    ] = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    json_output: JsonFlag = False,
) -> int:
    """Check what a paper run shows about fills, rejects, latency and missed signals.

    A gate for operations and costs, never for profit. Exit code 1 says that it is not passed.
    """
    from rich.console import Console

    from tidewright.app.launch import open_data
    from tidewright.app.paper_gate import examine_home

    console = Console(stderr=True)
    feed = None
    if data is not None:
        with console.status(f"Loading {data}"):
            feed, _ = open_data(data, chosen_symbols(symbol), timeframe)
    with console.status(f"Reading {home}"):
        report = examine_home(home, feed)
    if json_output:
        print_json({"passed": report.passed, "checks": report.checks, "profit": report.profit})
    else:
        _print_gate(report)
    return ExitCode.OK if report.passed else ExitCode.DIFFERENCE


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a person typed to say which strategy, data and settings are meant."""

    strategy: str
    data: Path
    symbols: tuple[str, ...]
    timeframe: str
    config: Path | None
    overrides: Sequence[str]


def _examined(
    chosen: _Chosen,
    equity: str,
    paper_home: Path | None = None,
    pilot_home: Path | None = None,
) -> Examined:
    from rich.console import Console

    from tidewright.app.launch import choose_settings, choose_strategies, open_data
    from tidewright.app.promotion import Candidate, examine
    from tidewright.app.universe import settle_universe
    from tidewright.domain.money import from_decimal

    console = Console(stderr=True)
    settings = choose_settings(chosen.config, chosen.overrides, chosen.symbols)
    (strategy,) = choose_strategies((chosen.strategy,), settings)
    with console.status(f"Loading {chosen.data}"):
        feed, _ = open_data(chosen.data, chosen.symbols, chosen.timeframe, settings.bar_rules())
    settings = settle_universe(settings, feed.instruments, [strategy])
    try:
        money = from_decimal(Decimal(equity) if equity else settings.account.initial_balance)
    except InvalidOperation as error:
        raise ConfigError(f"--equity was {equity!r}; expected an amount") from error
    with console.status(f"Examining {chosen.strategy}"):
        return examine(Candidate(strategy, feed, settings, money, paper_home, pilot_home))


def _standings(json_output: bool) -> None:
    from tidewright.app.promotion import every_standing

    found = every_standing()
    if json_output:
        print_json(found)
        return
    rows = [
        (
            one.name,
            one.stage.value,
            iso(one.since)[:16].replace("T", " "),
            one.last.actor if one.last else None,
            one.last.reason if one.last else None,
            len(one.overrides),
        )
        for one in found
    ]
    headings = ("strategy", "stage", "since", "by", "why", "set aside")
    print_table(headings, rows, "nothing was promoted; simulation and paper are always allowed")


def _data(examined: Examined) -> dict[str, object]:
    return {
        "strategy": examined.candidate.name,
        "stage": examined.standing.stage.value,
        "verdict": examined.verdict.label if examined.verdict is not None else None,
        "checks": [
            {"name": one.name, "passed": one.passed, "detail": one.detail}
            for one in examined.checks
        ],
        "pilot": examined.pilot,
        "scale": examined.scale,
        "share": examined.share,
        "confirmation": examined.candidate.confirmation,
        "overrides": examined.standing.overrides,
    }


def _actor() -> str:
    """Return who types, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "cli"


def _say(step: Step) -> None:
    print(f"{step.name}: {step.before.value} -> {step.after.value} ({step.reason})")
    if step.override:
        print(f"Set aside on the record: {step.override}")
    if step.budget:
        from tidewright.domain.money import to_decimal

        print(f"Loss budget: {to_decimal(step.budget):.2f}; it stops for good when that is lost.")


def _print_gate(report: PaperReport) -> None:
    words = {"passed": "passed ", "failed": "FAILED ", "not run": "unknown"}
    for one in report.checks:
        print(f"{words[one.check.outcome.value]}  {one.name}: {one.check.detail}")
    print(report.profit)
    print("The paper gate is passed." if report.passed else "The paper gate is not passed.")
