"""Commands about strategies: what there is, what one says, whether a file can be used."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.output import print_json, print_table

if TYPE_CHECKING:
    from tidewright.strategy.model import StrategySpec

app = typer.Typer(no_args_is_help=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one strategy file can be used; ``error`` is empty when it can."""

    file: str
    name: str
    error: str


@app.command("list")
def list_strategies(json_output: JsonFlag = False) -> None:
    """List the strategies that ship with Tidewright."""
    from tidewright.strategy.library import library

    specs = list(library().values())
    if json_output:
        print_json([_outline(spec) for spec in specs])
        return
    rows = [(spec.name, spec.version, _sides(spec), _first_line(spec)) for spec in specs]
    print_table(("name", "version", "sides", "what it does"), rows, "no strategies")


@app.command("show")
def show(
    strategy: Annotated[str, typer.Argument(help="Library name or FILE.yaml.")],
    json_output: JsonFlag = False,
) -> None:
    """Print one strategy in full: a document that can be saved, changed and run."""
    from tidewright.strategy.spec import dump_spec

    spec = _load(strategy)
    if json_output:
        print_json({**_outline(spec), "document": dump_spec(spec)})
    else:
        print(dump_spec(spec), end="")


@app.command("validate")
def validate(
    files: Annotated[list[str], typer.Argument(help="FILE.yaml or library names.")],
    json_output: JsonFlag = False,
) -> int:
    """Check strategy files without running them; exit code 1 when one cannot be used."""
    verdicts = [_verdict(name) for name in files]
    if json_output:
        print_json(verdicts)
    else:
        _tell(verdicts)
    return 1 if any(verdict.error for verdict in verdicts) else 0


def _verdict(name: str) -> Verdict:
    from tidewright.domain.errors import ConfigError
    from tidewright.strategy.compile import compile_spec

    try:
        spec = _load(name)
        compile_spec(spec).evaluator(compile_spec(spec).references)
    except ConfigError as error:
        return Verdict(name, "", str(error))
    return Verdict(name, spec.name, "")


def _tell(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.error:
            print(f"{verdict.file}: cannot be used\n  {verdict.error}")
        else:
            print(f"{verdict.file}: valid ({verdict.name})")


def _load(name: str) -> StrategySpec:
    from tidewright.domain.errors import ConfigError
    from tidewright.strategy.library import named
    from tidewright.strategy.spec import load_spec

    if not name.endswith((".yaml", ".yml", ".json")):
        return named(name)
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"strategy file {name} cannot be read: {error}") from error
    return load_spec(text, name)


def _outline(spec: StrategySpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "version": spec.version,
        "description": spec.description,
        "timeframe": spec.timeframe,
        "symbols": sorted(spec.universe),
        "rules": dict(spec.reasons),
        "confidence": spec.confidence.text,
        "sizing": {"method": spec.sizing.method.value, "value": spec.sizing.value},
    }


def _sides(spec: StrategySpec) -> str:
    sides = {"long": spec.entry.long, "short": spec.entry.short}
    return ", ".join(side for side, rule in sides.items() if rule is not None)


def _first_line(spec: StrategySpec) -> str:
    text = spec.description.partition(". ")[0].replace("\n", " ")
    return textwrap.shorten(text, max(40, shutil.get_terminal_size().columns - 45), placeholder="…")
