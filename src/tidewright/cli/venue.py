"""Commands of the venue: a whole spot exchange on this machine, and its ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

_MOST_SHOWN = 1_000_000


@app.command("serve")
def serve(
    port: Annotated[int, typer.Option("--port", help="Port; 0 takes a free one.")] = 8089,
    seed: Annotated[int, typer.Option("--seed", help="Seed of traders, ids and faults.")] = 7,
    faults: Annotated[
        Path | None, typer.Option("--faults", help="Script of what shall go wrong (YAML).")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option("--accounts", help="Who trades and with which keys (YAML).")
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", help="Seconds of venue time in one real second.")
    ] = 1.0,
    history: Annotated[
        float, typer.Option("--history", min=0, help="Hours that its traders acted before.")
    ] = 1.0,
    traders: Annotated[
        bool, typer.Option("--traders/--empty", help="Fill the books with simulated traders.")
    ] = True,
    limits: Annotated[
        bool, typer.Option("--limits/--no-limits", help="Refuse what is asked too often.")
    ] = True,
    ledger: Annotated[
        Path | None, typer.Option("--ledger", help="New file for every order and fill.")
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    public: Annotated[
        bool, typer.Option("--public", help="Let other machines reach it; nothing is encrypted.")
    ] = False,
) -> int:
    """Serve a whole spot exchange that speaks Binance's protocol, with traders in it.

    Any client for Binance Spot trades here when its addresses point to this machine: no account, no
    internet, no money. Stop it with Ctrl+C.
    """
    from tidewright.cli.serve_venue import ServeOptions, run

    return run(
        ServeOptions(
            port=port,
            seed=seed,
            faults=faults,
            accounts=accounts,
            speed=speed,
            history=history,
            traders=traders,
            limits=limits,
            ledger=ledger,
            host=host,
            public=public,
        )
    )


@app.command("ledger")
def ledger(
    file: Annotated[Path | None, typer.Argument(help="File that `serve --ledger` wrote.")] = None,
    url: Annotated[
        str, typer.Option("--url", help="Address of a running venue: http://127.0.0.1:8089.")
    ] = "",
    account: Annotated[str, typer.Option("--account", help="Of this account only.")] = "",
    last: Annotated[
        int, typer.Option("--last", min=1, help="Only the last so many rows.")
    ] = _MOST_SHOWN,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Print what really happened at a venue: every order taken, every fill, every end.

    Whatever a client was told, or was not, this is the truth.
    """
    from tidewright.cli.venue_ledger import show

    return show(file, url, account=account, last=last, as_json=json_output)
