"""Open a venue from the words of a command line, and tell how to reach it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tidewright.domain.time import HOUR
from tidewright.exchange.agents.population import Population
from tidewright.servers.venue.accounts import SeededAccount, read_accounts, seeded_account
from tidewright.servers.venue.faults.reading import read_script
from tidewright.servers.venue.limits import LimitSettings
from tidewright.servers.venue.serve import (
    VenueServer,
    VenueSettings,
    assets_of,
    without_limits,
)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What was asked for on the command line."""

    port: int
    seed: int
    faults: Path | None
    accounts: Path | None
    speed: float
    history: float
    traders: bool
    limits: bool
    ledger: Path | None
    host: str
    public: bool


def run(options: ServeOptions) -> int:
    """Serve until a signal asks to stop."""
    limits = LimitSettings()
    own = None if options.accounts else seeded_account(options.seed, assets_of(()))
    settings = VenueSettings(
        accounts=read_accounts(options.accounts) if options.accounts else (),
        population=Population() if options.traders else None,
        limits=limits if options.limits else without_limits(limits),
        faults=read_script(options.faults) if options.faults else None,
        ledger=options.ledger,
        host=options.host,
        port=options.port,
        public=options.public,
        seed=options.seed,
        speed=options.speed,
        history=int(options.history * HOUR),
    )
    server = VenueServer(settings)
    server.run(lambda port: _tell(options, port, own))
    for rule, fired in server.faults.items():
        print(f"Fault fired {fired} times: {rule}")
    return 0


def _tell(options: ServeOptions, port: int, own: SeededAccount | None) -> None:
    address = f"{options.host}:{port}"
    lines = [
        f"REST:           http://{address}/api/v3",
        f"Market streams: ws://{address}/ws and ws://{address}/stream",
        f"WebSocket API:  ws://{address}/ws-api/v3",
    ]
    if own is not None:
        lines += [f"API key:        {own.api_key}", f"Secret:         {own.secret}"]
    print("\n".join(lines), flush=True)
