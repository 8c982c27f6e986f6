"""The paper venue as a process of its own."""

from __future__ import annotations

from pathlib import Path

from tidewright.app.launch import choose_feed, choose_settings
from tidewright.app.venue import open_venue_log
from tidewright.exchange.paper import PaperVenue
from tidewright.servers.paper.server import LOOPBACK, serve


def run(
    home: Path,
    port: int,
    feed: str,
    data: Path | None,
    symbols: tuple[str, ...],
    config: Path | None,
    overrides: tuple[str, ...],
    seed: int | None,
) -> int:
    """Serve until a signal asks to stop; everything is in the log by then."""
    settings = choose_settings(config, overrides, symbols, seed)
    chosen = choose_feed(feed, data, symbols, settings.seed, rules=settings.bar_rules())
    log = open_venue_log(home)
    venue = PaperVenue(list(chosen.feed.instruments), settings.paper_settings(), log, settings.seed)
    try:
        serve(venue, LOOPBACK, port, lambda taken: print(f"Venue: {LOOPBACK}:{taken}", flush=True))
    finally:
        log.close()
    return 0
