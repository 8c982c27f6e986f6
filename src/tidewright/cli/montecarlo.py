"""Other ways the same strategy could have gone."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tidewright.app.report_page.words import percent
from tidewright.app.validation.figures import ask_luck
from tidewright.app.validation.material import MarketOptions, load_material
from tidewright.app.validation.runs import run_rule
from tidewright.cli.output import print_json
from tidewright.cli.stages import Stages
from tidewright.domain.errors import ConfigError
from tidewright.research.chance.montecarlo import MonteCarlo, Resampled


def run(market: MarketOptions, *, seed: int, everything: bool, as_json: bool) -> int:
    """Run a strategy over the open part of the data and ask what else could have happened."""
    with Stages() as stages:
        material = load_material(market, stages)
        stages("Running the rule", 0, 1)
        real = run_rule(material, material.request())
        stages("Drawing other ways", 0, 1)
        answer, _ = ask_luck(material, real, seed=seed, everything=everything)
    if answer is None:
        raise ConfigError(f"there were {len(real.profit)} days; expected at least 20")
    if as_json:
        print_json(_values(answer))
    else:
        _show(answer)
    return 0


_ROWS = (
    ("skipped", "profit without every tenth trade"),
    ("shuffled", "largest fall with the trades in another order"),
    ("costs", "profit with costs that differ from trade to trade"),
    ("starts", "profit of a year begun on any day"),
)


def _values(answer: MonteCarlo) -> dict[str, object]:
    drawn = answer.drawdown
    found: dict[str, object] = {
        "paths": drawn.paths,
        "days": drawn.days,
        "worst_drawdown_95": drawn.worst,
        "typical_drawdown": drawn.typical,
        "seen_drawdown": drawn.seen,
        "share_losing": drawn.share_losing,
    }
    if answer.entries is not None:
        found["random_entries"] = {
            "seen": answer.entries.seen,
            "median": answer.entries.median,
            "p_value": answer.entries.p_value,
        }
    for name, _ in _ROWS:
        if getattr(answer, name) is not None:
            found[name] = getattr(answer, name)
    return found


def _show(answer: MonteCarlo) -> None:
    console, drawn = Console(), answer.drawdown
    console.print(
        f"Largest fall within a year: {percent(-drawn.worst)} (one year in twenty is worse), "
        f"usually {percent(-drawn.typical)}; seen {percent(-drawn.seen)}.",
        highlight=False,
    )
    if answer.entries is not None:
        console.print(
            f"The same trades at random times made {percent(answer.entries.median)} (median); "
            f"{percent(answer.entries.seen)} is better than "
            f"{percent(answer.entries.percentile, 0, signed=False)} of them.",
            highlight=False,
        )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "as it was", "1 in 20 below", "median", "1 in 20 above", "with profit"):
        table.add_column(name, justify="right" if name else "left")
    for name, words in _ROWS:
        one = getattr(answer, name)
        if isinstance(one, Resampled):
            table.add_row(
                words,
                percent(one.seen),
                percent(one.low),
                percent(one.median),
                percent(one.high),
                percent(one.share_with_profit, 0, signed=False),
            )
    if table.row_count:
        console.print(table)
