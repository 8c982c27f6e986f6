"""Show a saved report."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from tidewright.app.report_files import read_report, write_report
from tidewright.cli.screen import show_report


def run(source: Path, html: Path | None) -> int:
    """Show a report again; with a file, write it as one page."""
    report = read_report(source)
    show_report(report)
    if html is not None:
        write_report(report, html=html)
        Console(stderr=True).print(f"Written: {html}", style="dim", highlight=False)
    return 0
