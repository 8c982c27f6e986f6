"""Decide a recorded run again and tell whether anything differs."""

from __future__ import annotations

from pathlib import Path

from tidewright.app.replay_home import HomeReport, verify_home
from tidewright.cli.failures import ExitCode
from tidewright.cli.output import print_json


def run(home: Path, *, verify: bool, as_json: bool) -> int:
    """Verify the chain of a home and every decision in it."""
    report = verify_home(home, decisions=verify)
    if as_json:
        print_json(_data(report))
    else:
        print(_text(report))
    if not report.journal.ok:
        return ExitCode.INTEGRITY
    return ExitCode.OK if report.ok else ExitCode.DIFFERENCE


def _data(report: HomeReport) -> dict[str, object]:
    decisions = report.decisions
    return {
        "ok": report.ok,
        "rows": report.journal.rows,
        "damage": [
            {"sequence": fault.sequence, "kind": fault.damage.value, "detail": fault.detail}
            for fault in report.journal.faults
        ],
        "decided_again": decisions.inputs if decisions else 0,
        "differences": [
            {
                "sequence": item.sequence,
                "recorded": item.recorded.decode(),
                "decided": item.decided.decode(),
            }
            for item in (decisions.differences if decisions else ())
        ],
        "other_builds": report.other_builds,
    }


def _text(report: HomeReport) -> str:
    lines = [f"Record: {report.journal.rows:,} inputs, " + _chain(report)]
    lines += [
        f"  input {fault.sequence}: {fault.damage.value}: {fault.detail}"
        for fault in report.journal.faults
    ]
    decisions = report.decisions
    if decisions is not None:
        found = len(decisions.differences)
        lines.append(
            f"Decisions: {decisions.inputs:,} decided again, "
            + ("every one identical" if not found else f"{found} differ")
        )
        lines += [f"  input {item.sequence} differs" for item in decisions.differences[:20]]
    if report.other_builds:
        lines.append(
            f"{report.other_builds:,} inputs were recorded by another build or configuration; "
            "their chain was checked, their decisions were not made again"
        )
    return "\n".join(lines)


def _chain(report: HomeReport) -> str:
    return "unbroken" if report.journal.ok else f"{len(report.journal.faults)} damages"
