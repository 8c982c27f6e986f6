"""Commands that ask whether a result means anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.run import (
    ConfigOption,
    FromOption,
    SetOption,
    SymbolOption,
    TimeframeOption,
    ToOption,
    chosen_symbols,
)

if TYPE_CHECKING:
    from tidewright.app.validation.material import MarketOptions

_BARS = "Parquet or CSV file, a folder of them, or the bars folder that `data fetch` fills."
_NAME = "Library name, FILE.yaml or FILE.py:CLASS."
DataArgument = Annotated[Path | None, typer.Option("--data", help=_BARS)]
GridOption = Annotated[
    str,
    typer.Option("--grid", help="Numbers to search: 'fast=5:20 slow=30:90:10'."),
]
WhereOption = Annotated[
    str, typer.Option("--where", help="Condition on those numbers: 'fast < slow'.")
]
SurrogatesOption = Annotated[
    int,
    typer.Option("--surrogates", min=20, help="Patternless copies of the market, at most."),
]
ProcessesOption = Annotated[
    int, typer.Option("--processes", min=1, help="Processes that work at the same time.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of every draw.")]
HtmlFile = Annotated[Path | None, typer.Option("--html", help="Write the report as one page.")]
JsonReport = Annotated[
    Path | None, typer.Option("--json", help="Write the report as JSON, for `report`.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Ask Monte Carlo every question.")]
StrategiesArgument = Annotated[
    list[str] | None,
    typer.Argument(help=f"{_NAME} Several share one account."),
]
NoiseMinutesOption = Annotated[
    float,
    typer.Option(
        "--noise-minutes",
        min=0,
        help="How long these copies may take where every bar is a step of the engine.",
    ),
]
ReturnsOption = Annotated[
    Path | None,
    typer.Option("--returns", help="Daily returns or equity of any tool, instead of a rule."),
]
TradesOption = Annotated[
    Path | None,
    typer.Option("--trades", help="Trades of any tool, or an exported freqtrade backtest."),
]
TriesOption = Annotated[
    int | None,
    typer.Option("--tries", min=1, help="Configurations tried elsewhere to get there."),
]
HistoryOption = Annotated[
    str,
    typer.Option("--history", help="unknown: nobody knows how much was tried elsewhere."),
]
OpenHoldoutOption = Annotated[
    bool,
    typer.Option("--open-holdout", help="Look at the closed last fifth; once per idea."),
]
InitialOption = Annotated[
    float | None, typer.Option("--initial", help="Money at the start, for trades in amounts.")
]
NameOption = Annotated[str, typer.Option("--name", help="Strategy of a file that holds several.")]


def market_options(
    strategy: str,
    data: Path,
    symbol: list[str] | None,
    timeframe: str,
    start: str,
    end: str,
    config: Path | None,
    overrides: list[str] | None,
    grid: str = "",
    where: str = "",
    beside: Sequence[str] = (),
) -> MarketOptions:
    """Return what a person typed as the application takes it."""
    from tidewright.app.validation.material import MarketOptions

    return MarketOptions(
        strategy=strategy,
        data=data,
        symbols=chosen_symbols(symbol),
        timeframe=timeframe,
        start=start,
        end=end,
        config=config,
        overrides=tuple(overrides or ()),
        grid=grid,
        where=where,
        beside=tuple(beside),
    )


def validate(
    strategies: StrategiesArgument = None,
    data: DataArgument = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    start: FromOption = "",
    end: ToOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    grid: GridOption = "",
    where: WhereOption = "",
    surrogates: SurrogatesOption = 200,
    noise_minutes: NoiseMinutesOption = 15.0,
    processes: ProcessesOption = 2,
    seed: SeedOption = 0,
    returns: ReturnsOption = None,
    trades: TradesOption = None,
    tries: TriesOption = None,
    history: HistoryOption = "",
    open_holdout: OpenHoldoutOption = False,
    initial: InitialOption = None,
    name: NameOption = "",
    html: HtmlFile = None,
    json_file: JsonReport = None,
    everything: AllOption = False,
) -> int:
    """Say whether a result means anything: is it luck, what can be lost, what to do now.

    A strategy is run over the open part of the data (the last fifth stays closed) and over
    patternless copies of it; results of other tools, and strategies whose copies would take too
    long, are judged by the number of tries behind them.
    """
    from tidewright.cli.validate import Asked, run

    first, *beside = strategies or [""]
    market = None
    if data is not None:
        market = market_options(
            first, data, symbol, timeframe, start, end, config, overrides, grid, where, beside
        )
    return run(
        Asked(
            strategies=tuple(strategies or ()),
            market=market,
            surrogates=surrogates,
            processes=processes,
            seed=seed,
            everything=everything,
            returns=returns,
            trades=trades,
            tries=tries,
            initial=initial,
            name=name,
            html=html,
            json_file=json_file,
            history=history,
            open_holdout=open_holdout,
            minutes=noise_minutes,
        )
    )


def report(
    source: Annotated[Path, typer.Argument(help="JSON that `validate --json` wrote.")],
    html: HtmlFile = None,
) -> int:
    """Show a saved report again, or write it as one page."""
    from tidewright.cli.report import run

    return run(source, html)


def compare(
    sources: Annotated[
        list[str], typer.Argument(help="Strategies, or JSON files of reports; at least two.")
    ],
    data: DataArgument = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    start: FromOption = "",
    end: ToOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Set strategies side by side, and say whether their days differ by more than chance."""
    from tidewright.cli.compare import run

    market = None
    if data is not None:
        market = market_options("", data, symbol, timeframe, start, end, config, overrides)
    return run(sources, market, as_json=json_output)


def walkforward(
    strategy: Annotated[str, typer.Argument(help=_NAME)],
    data: Annotated[Path, typer.Option("--data", help=_BARS)],
    grid: Annotated[str, typer.Option("--grid", help="Numbers to choose among, as `validate`.")],
    where: WhereOption = "",
    folds: Annotated[int, typer.Option("--folds", min=1, help="Stretches that are traded.")] = 5,
    rolling: Annotated[
        bool, typer.Option("--rolling", help="Learn from as many days as at first, not from all.")
    ] = False,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    start: FromOption = "",
    end: ToOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Choose settings on the past, trade what comes next, and say what that earned."""
    from tidewright.cli.walkforward import run

    market = market_options(
        strategy, data, symbol, timeframe, start, end, config, overrides, grid, where
    )
    return run(market, folds=folds, rolling=rolling, as_json=json_output)


def montecarlo(
    strategy: Annotated[str, typer.Argument(help=_NAME)],
    data: Annotated[Path, typer.Option("--data", help=_BARS)],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    start: FromOption = "",
    end: ToOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    seed: SeedOption = 0,
    everything: AllOption = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Ask how bad a year can get, whether random entries would do, what skipping trades costs."""
    from tidewright.cli.montecarlo import run

    market = market_options(strategy, data, symbol, timeframe, start, end, config, overrides)
    return run(market, seed=seed, everything=everything, as_json=json_output)
