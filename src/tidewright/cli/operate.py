"""Commands for a trader that runs: say what it does, stop it, let it go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidewright.cli.output import print_json

if TYPE_CHECKING:
    from tidewright.app.operate import Answer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the trader; the only one below ./home by default."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


def halt(
    home: HomeOption = None,
    reason: ReasonOption = "halted from the command line",
    reduce: Annotated[
        bool, typer.Option("--reduce", help="Refuse entries only; keep working entries.")
    ] = False,
    json_output: JsonFlag = False,
) -> int:
    """Stop new trades now: working entries are cancelled, exits and stops stay in place.

    The state is latched: it survives restarts until `resume`. Works without the page, and before
    the trader is started.
    """
    from tidewright.app.operate import request_state
    from tidewright.domain.events import TradingState

    state = TradingState.REDUCING if reduce else TradingState.HALTED
    answer = request_state(home, state, "cli", reason)
    _say(answer, as_json=json_output)
    return 0


def resume(
    home: HomeOption = None,
    reason: ReasonOption = "resumed from the command line",
    json_output: JsonFlag = False,
) -> int:
    """Allow new trades again after a halt, a drawdown stop or a mismatch."""
    from tidewright.app.operate import request_state
    from tidewright.domain.events import TradingState

    answer = request_state(home, TradingState.ACTIVE, "cli", reason)
    _say(answer, as_json=json_output)
    return 0


def status(home: HomeOption = None, json_output: JsonFlag = False) -> int:
    """Say what the trader in a home is doing, or was doing when it stopped."""
    from tidewright.app.operate import read_status

    answer = read_status(home)
    _say(answer, as_json=json_output)
    return 0


def _say(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer.data)
    else:
        print(answer.text)
