"""What a venue's own process needs of the stores."""

from __future__ import annotations

from pathlib import Path

from tidewright.storage.venue_log import SqliteVenueLog


def open_venue_log(home: Path) -> SqliteVenueLog:
    """Open the durable log of a paper venue in a folder, made when it does not exist."""
    home.mkdir(parents=True, exist_ok=True)
    return SqliteVenueLog(home / "venue.sqlite3")
