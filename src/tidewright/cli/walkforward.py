"""Choose on the past, trade what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tidewright.app.report_page.words import date, number, percent
from tidewright.app.validation.material import MarketOptions, load_material
from tidewright.app.validation.search import walk_forward, written
from tidewright.cli.output import print_json
from tidewright.cli.stages import Stages
from tidewright.research.walkforward import WalkForwardPlan


@dataclass(frozen=True, slots=True)
class _Row:
    """One step."""

    traded: str
    chosen: str
    before_a_year: float
    after_a_year: float


def run(market: MarketOptions, *, folds: int, rolling: bool, as_json: bool) -> int:
    """Run a walk-forward over the open part of the data and print each step."""
    with Stages() as stages:
        material = load_material(market, stages)
        plan = WalkForwardPlan(folds=folds, anchored=not rolling)
        found = walk_forward(material, stages, plan)
    total = float(found.results.daily_profit()[0].sum())
    a_year = material.calendar.days_per_year
    rows = [
        _Row(
            f"{date(fold.traded.first)} to {date(fold.traded.last)}",
            written(material, fold.place),
            fold.learned_profit * a_year,
            fold.traded_profit * a_year,
        )
        for fold in found.folds
    ]
    if as_json:
        print_json({"folds": rows, "profit": total, "efficiency": found.efficiency})
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("traded", "chosen", "before, a year", "after, a year"):
        table.add_column(name, justify="right" if "," in name else "left")
    for row in rows:
        table.add_row(row.traded, row.chosen, percent(row.before_a_year), percent(row.after_a_year))
    console = Console()
    console.print(table)
    console.print(
        f"On days it had not seen: {percent(total)}; {found.folds_with_profit} of "
        f"{len(found.folds)} steps gained. Of what the past promised, "
        f"{number(found.efficiency)} was kept (1 is all, 0 nothing).",
        highlight=False,
    )
    return 0
