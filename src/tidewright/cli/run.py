"""Commands that run strategies: the trader itself, backtests, replays, the paper venue."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

StrategyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy", "-s", help="Library name, FILE.yaml or FILE.py:CLASS; repeat for several."
    ),
]
_DATA_HELP = "Parquet or CSV file, a folder of them, or the bars folder that `data fetch` fills."
DataOption = Annotated[Path | None, typer.Option("--data", help=_DATA_HELP)]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file (YAML).")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override one setting: risk.max_drawdown_percent=20."),
]
SymbolOption = Annotated[
    list[str] | None,
    typer.Option(
        "--symbol",
        "--symbols",
        "--asset",
        "--assets",
        help="Trade this symbol only; several with commas, or repeated.",
    ),
]
TimeframeOption = Annotated[
    str, typer.Option("--timeframe", help="Length of the bars, where the data holds several.")
]
FromOption = Annotated[str, typer.Option("--from", help="Trade from this date (ISO 8601).")]
ToOption = Annotated[str, typer.Option("--to", help="Trade until this date (ISO 8601).")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")]


def chosen_symbols(written: list[str] | None) -> tuple[str, ...]:
    """Return each symbol once, as they were written: with commas, repeated, or both."""
    parts = (part.strip() for text in written or () for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


class EngineKind(StrEnum):
    """What runs a backtest; both give the same result to the last unit."""

    BULK = "bulk"
    EVENT = "event"


class FeedKind(StrEnum):
    """Where bars come from."""

    AGENTS = "agents"
    SIMULATED = "simulated"
    REPLAY = "replay"


def up(
    feed: Annotated[FeedKind, typer.Option("--feed", help="Source of bars.")] = FeedKind.AGENTS,
    data: DataOption = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    strategy: StrategyOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the page.")] = None,
    for_seconds: Annotated[
        float | None, typer.Option("--for", help="Stop after this many seconds.")
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Print no login link; the page is still served.")
    ] = False,
    speed: Annotated[
        str, typer.Option("--speed", help="Market seconds per second, or max.")
    ] = "60",
    home: Annotated[Path | None, typer.Option("--home", help="Folder of the trader.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the simulation.")] = None,
    venue: Annotated[
        str, typer.Option("--venue", help="127.0.0.1:PORT of a paper venue in its own process.")
    ] = "",
    start: FromOption = "",
    end: ToOption = "",
    json_file: JsonFile = None,
) -> int:
    """Start the trader: market, strategies, limits, paper venue and page, with one command.

    Without options it trades six symbols in a market of simulated traders, sixty times faster than
    life, with no account and no internet. Stop it with Ctrl+C; start it again and it goes on where
    it was.
    """
    from tidewright.app.up import UpOptions
    from tidewright.cli.up import run_up

    return run_up(
        UpOptions(
            feed=feed.value,
            data=data,
            symbols=chosen_symbols(symbol),
            timeframe=timeframe,
            strategies=tuple(strategy or ()),
            config=config,
            overrides=tuple(overrides or ()),
            port=port,
            for_seconds=for_seconds,
            headless=headless,
            speed=speed,
            home=home,
            seed=seed,
            venue=venue,
            start=start,
            end=end,
            json_file=json_file,
        )
    )


def backtest(
    strategy: Annotated[str, typer.Argument(help="Library name, FILE.yaml or FILE.py:CLASS.")],
    data: Annotated[Path, typer.Option("--data", help=_DATA_HELP)],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = "",
    start: FromOption = "",
    end: ToOption = "",
    config: ConfigOption = None,
    overrides: SetOption = None,
    json_file: JsonFile = None,
    engine: Annotated[
        EngineKind,
        typer.Option(
            "--engine", help="A compiled loop over all bars, or one engine step per moment as `up`."
        ),
    ] = EngineKind.BULK,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, help="Time the median of so many runs.")
    ] = 1,
) -> int:
    """Run a strategy over stored data, with the same rules, limits and venue as `up`."""
    from tidewright.cli.backtest import BacktestOptions, run

    return run(
        BacktestOptions(
            strategy=strategy,
            data=data,
            symbols=chosen_symbols(symbol),
            timeframe=timeframe,
            start=start,
            end=end,
            config=config,
            overrides=tuple(overrides or ()),
            json_file=json_file,
            bulk=engine is EngineKind.BULK,
            repeat=repeat,
        )
    )


def replay(
    home: Annotated[Path, typer.Argument(help="Folder of a trader.")],
    verify: Annotated[
        bool,
        typer.Option(
            "--verify/--chain-only", help="Decide every input again, or check the record only."
        ),
    ] = True,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Check the record of a run and decide every input again, byte by byte.

    Exit code 0: whole and identical. 1: a decision differs. 4: the record is damaged.
    """
    from tidewright.cli.replay import run

    return run(home, verify=verify, as_json=json_output)


def paper_venue(
    home: Annotated[Path, typer.Option("--home", help="Folder of the venue.")],
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    feed: Annotated[FeedKind, typer.Option("--feed", help="Whose instruments.")] = FeedKind.AGENTS,
    data: DataOption = None,
    symbol: SymbolOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the simulation.")] = None,
) -> int:
    """Serve the paper venue as its own process, which survives the trader's."""
    from tidewright.cli.paper_venue import run

    return run(
        home, port, feed.value, data, chosen_symbols(symbol), config, tuple(overrides or ()), seed
    )
