"""The first screen of a report in a terminal: the same words as the page."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tidewright.app.report_page.words import (
    MEANINGS,
    TONES,
    first_screen,
    path_taken,
    percent,
    span,
)
from tidewright.research.report.values import Report

_COLOURS = {
    "danger": "bold red",
    "down": "bold red",
    "warning": "bold yellow",
    "accent": "bold blue",
    "up": "bold green",
}
_WIDTH = 92


def show_report(report: Report, console: Console | None = None) -> None:
    """Print the verdict, the answers to a newcomer's questions, the checks and what is suspicious.

    Parameters
    ----------
    report : Report
        What was found.
    console : Console or None
        Where to; standard output by default.
    """
    out = console or Console()
    width = min(out.width, _WIDTH)
    subject, word = report.subject, report.ruling.word
    where = ", ".join(subject.instruments[:6]) or subject.kind
    bars = f", {subject.timeframe} bars" if subject.timeframe else ""
    out.print(Text(f"{subject.name}: {where}{bars}, {span(report)}", style="dim"), width=width)
    if taken := path_taken(report):
        out.print(Text(taken, style="dim"), width=width)
    out.print()
    out.print(Text(word, style=_COLOURS.get(TONES.get(word, ""), "bold")))
    out.print(MEANINGS.get(word, ""), width=width, highlight=False)
    if report.ruling.reasons:
        out.print(Text(report.ruling.reasons[0], style="dim"), width=width)
    out.print()
    out.print(_answers(report), width=width)
    out.print(_checks(report), width=width)
    if report.findings:
        out.print()
        out.print(Text("Suspicious about this backtest", style="bold"))
        for finding in sorted(report.findings, key=lambda one: -one.weight):
            out.print(Padding(f"- {finding.text}", (0, 0, 0, 2)), width=width, highlight=False)


def _answers(report: Report) -> Table:
    table = Table.grid(padding=(0, 3, 1, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for answer in first_screen(report):
        text = Text(_breakable(answer.answer), style="bold")
        for line in answer.evidence:
            text.append(f"\n{_breakable(line)}", style="not bold")
        table.add_row(answer.question, text)
    return table


def _breakable(text: str) -> str:
    """Return a text whose percentages are one word: a terminal breaks at any kind of space."""
    return text.replace("\N{NO-BREAK SPACE}", "")


def _checks(report: Report) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    words = {True: ("passed", "green"), False: ("failed", "red"), None: ("not run", "dim")}
    for check in report.checks:
        text, style = words[check.passed]
        table.add_row(Text(text, style=style), f"{check.name}: {check.detail}".removesuffix(": "))
    return table


def show_scenarios(report: Report, console: Console) -> None:
    """Print the result under other costs and delays."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "result", "beyond holding, a year", "trades"):
        table.add_column(name, justify="right" if name else "left")
    for one in report.scenarios:
        table.add_row(one.name, percent(one.net), percent(one.excess_year), f"{one.trades:,}")
    console.print(table)
