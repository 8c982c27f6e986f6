"""Commands about the registry of everything that was ever tried."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidewright.cli.failures import ExitCode
from tidewright.cli.output import print_json, print_table
from tidewright.domain.time import iso

app = typer.Typer(no_args_is_help=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_trials(json_output: JsonFlag = False) -> None:
    """List what was scored, when, and on which data."""
    from tidewright.app.trials import open_trials, trials_path
    from tidewright.research.judging.trials import DATA, TRIALS, data_of, run_of

    if not trials_path().is_file():
        print_table((), (), f"nothing was tried yet; tries will be kept in {trials_path()}")
        return
    with open_trials(read_only=True) as store:
        runs = [(record.ts, run_of(record)) for record in store.records(TRIALS)]
        known = {one.fingerprint: one for one in map(data_of, store.records(DATA))}
    if json_output:
        print_json([{"ts": ts, **run.to_body()} for ts, run in runs])
        return
    rows = [
        (
            iso(ts)[:16].replace("T", " "),
            run.command,
            run.label,
            run.family,
            run.configurations,
            " ".join(known[run.data].symbols[:4]) if run.data in known else run.data,
            iso(run.seen_until)[:10],
        )
        for ts, run in runs
    ]
    headings = ("when", "by", "strategy", "family", "tries", "data", "seen until")
    print_table(headings, rows, "nothing was tried yet")
    print(f"\n{sum(run.configurations for _, run in runs):,} configurations in {trials_path()}")


@app.command("verify")
def verify(json_output: JsonFlag = False) -> int:
    """Check that nothing in the registry was changed or removed."""
    from tidewright.app.trials import open_trials

    with open_trials(read_only=True) as store:
        report = store.verify()
    if json_output:
        print_json({"ok": report.ok, "entries": report.rows, "faults": report.faults})
    else:
        print(f"{report.rows:,} entries, chain {'unbroken' if report.ok else 'broken'}")
        for fault in report.faults:
            print(f"  entry {fault.sequence}: {fault.damage.value}: {fault.detail}")
    return ExitCode.OK if report.ok else ExitCode.INTEGRITY


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="File of JSON lines to write.")],
) -> None:
    """Write the whole registry to a file, to carry it to another machine or person."""
    from tidewright.app.trials import open_trials

    with open_trials(read_only=True) as store:
        print(f"{store.export(file):,} entries written to {file}")


@app.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="File that `trials export` wrote.")],
) -> None:
    """Add the entries of an exported file; those that are there already stay as they are."""
    from tidewright.app.trials import open_trials

    with open_trials() as store:
        print(f"{store.take_in(file):,} entries added from {file}")
