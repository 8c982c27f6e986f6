"""Examine a strategy or results of another tool, show the first screen, write the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidewright.app.processes import ProcessExecutor
from tidewright.app.report_files import write_report
from tidewright.app.validation.chance import NOISE_MINUTES
from tidewright.app.validation.examine import ValidateOptions, validate
from tidewright.app.validation.freqtrade import is_export, read_export
from tidewright.app.validation.imported import validate_imported
from tidewright.app.validation.imports import Imported, read_returns, read_trades
from tidewright.app.validation.material import MarketOptions
from tidewright.app.validation.registry import Elsewhere
from tidewright.cli.screen import show_report
from tidewright.cli.stages import Stages
from tidewright.domain.errors import ConfigError, nearest
from tidewright.research.report.values import Report


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person typed after ``validate``; see the command's help."""

    strategies: tuple[str, ...]
    market: MarketOptions | None
    surrogates: int
    processes: int
    seed: int
    everything: bool
    returns: Path | None
    trades: Path | None
    tries: int | None
    initial: float | None
    name: str
    html: Path | None
    json_file: Path | None
    history: str = ""
    open_holdout: bool = False
    minutes: float = NOISE_MINUTES


def run(asked: Asked) -> int:
    """Examine, show and write; nothing is written before everything is known."""
    report = _examined(asked)
    show_report(report)
    write_report(report, html=asked.html, json=asked.json_file)
    note = Console(stderr=True)
    for path in (asked.html, asked.json_file):
        if path is not None:
            note.print(f"Written: {path}", style="dim", highlight=False)
    if asked.html is None:
        note.print("--html FILE shows all of it on one page.", style="dim", highlight=False)
    return 0


def _examined(asked: Asked) -> Report:
    given = [one for one in (asked.strategies, asked.returns, asked.trades) if one]
    if len(given) != 1:
        raise ConfigError(
            f"{len(given)} things to validate were given; expected one of STRATEGY with --data, "
            "--returns FILE or --trades FILE"
        )
    if not asked.strategies:
        imported = _imported(asked)
        return validate_imported(
            imported, asked.tries, seed=asked.seed, everything=asked.everything
        )
    if asked.market is None:
        raise ConfigError("--data was not given; expected the bars to run the strategy over")
    if asked.history not in ("", "recorded", "unknown"):
        words = ("recorded", "unknown")
        raise ConfigError(
            f"--history was {asked.history!r}; expected recorded or unknown"
            f"{nearest(asked.history, words)}"
        )
    options = ValidateOptions(
        asked.market,
        asked.surrogates,
        asked.seed,
        asked.everything,
        Elsewhere(asked.tries or 0, asked.history == "unknown"),
        asked.open_holdout,
        asked.minutes,
        asked.processes,
    )
    with Stages() as stages, ProcessExecutor(asked.processes) as executor:
        # Starting processes takes longer than what one of them has to do alone.
        several = asked.processes > 1
        return validate(options, executor=executor if several else None, watch=stages)


def _imported(asked: Asked) -> Imported:
    if asked.returns is not None:
        return read_returns(asked.returns)
    path = asked.trades
    if path is None:
        raise ConfigError("nothing to import was given; expected --returns or --trades")
    if is_export(path):
        return read_export(path, asked.name, asked.initial)
    return read_trades(path, asked.initial)
