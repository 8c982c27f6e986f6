"""Set strategies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tidewright.app.report_files import read_report
from tidewright.app.report_page.words import date, number, percent
from tidewright.app.validation.compare import Comparison, Difference, compare
from tidewright.app.validation.examine import ValidateOptions, quick_report
from tidewright.app.validation.material import MarketOptions
from tidewright.cli.output import print_json
from tidewright.cli.stages import Stages
from tidewright.domain.errors import ConfigError
from tidewright.research.report.values import Report


def run(sources: Sequence[str], market: MarketOptions | None, *, as_json: bool) -> int:
    """Compare strategies, run over the same data, or saved reports."""
    with Stages() as stages:
        reports = []
        for number_, source in enumerate(sources):
            stages("Running", number_, len(sources))
            reports.append(_report(source, market))
    found = compare(reports)
    if as_json:
        print_json(found)
    else:
        _show(found)
    return 0


def _report(source: str, market: MarketOptions | None) -> Report:
    path = Path(source)
    if path.suffix.lower() == ".json" and (market is None or path.is_file()):
        return read_report(path)
    if market is None:
        raise ConfigError(
            f"{source} is a strategy, and --data was not given; expected bars to run it over, or "
            "JSON files of reports"
        )
    return quick_report(ValidateOptions(replace(market, strategy=source)))


def _show(found: Comparison) -> None:
    console = Console()
    days = f"{date(found.first_day)} to {date(found.last_day)}, {found.days:,} days in common"
    console.print(days, style="dim", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "result", "Sharpe", "largest fall", "verdict"):
        table.add_column(name, justify="left" if name in {"", "verdict"} else "right")
    for row in found.rows:
        table.add_row(
            row.name,
            percent(row.net),
            number(row.sharpe),
            percent(-row.drawdown),
            row.verdict or "-",
        )
    console.print(table)
    for one in found.differences:
        console.print(_sentence(one), highlight=False)


def _sentence(one: Difference) -> str:
    words = "more" if one.a_year > 0 else "less"
    told = (
        f"{one.name} made {percent(abs(one.a_year), signed=False)} a year {words} than {one.other} "
        f"(90 %: {percent(one.low)} to {percent(one.high)}): "
    )
    return told + ("more than chance." if one.differs else "chance alone can make that difference.")
