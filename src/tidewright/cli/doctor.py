"""Check this machine and installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidewright.cli.output import print_json


def doctor(
    home: Annotated[
        Path, typer.Option("--home", help="Folder of the trader that is looked at.")
    ] = Path("home") / "agents",
    config: Annotated[Path | None, typer.Option("--config", help="Settings file (YAML).")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Check versions, indicators, kernel cache, disk, clock, port, home and settings.

    Exit code 1 when something keeps a trader from running; warnings alone give 0.
    """
    from tidewright.app.doctor import Health, examine
    from tidewright.app.settings import load_settings

    checks = examine(load_settings(config), home)
    if json_output:
        print_json(checks)
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"{check.health:<7}  {check.name:<{width}}  {check.detail}")
    return 1 if any(check.health is Health.FAILED for check in checks) else 0
