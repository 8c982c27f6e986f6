"""Print a venue's ledger, from its file or from the venue itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tidewright.cli.failures import ExitCode
from tidewright.cli.output import print_json, print_table
from tidewright.domain.errors import ConfigError, Transient
from tidewright.domain.time import iso
from tidewright.servers.venue.ledger_file import FAULT, LEDGER_PATH, read_lines
from tidewright.servers.venue.writers import Json

_SECONDS = 10.0


def show(file: Path | None, url: str, *, account: str, last: int, as_json: bool) -> int:
    """Print the rows of a ledger.

    Raises
    ------
    ConfigError
        If neither file nor address was given, or both, or the file cannot be read.
    Transient
        If no venue answers at the address.
    DataIntegrityError
        If a line of the file is no row.
    """
    if (file is None) == (not url):
        raise ConfigError("expected either a file or --url")
    data = _read(file) if file is not None else _fetch(url)
    rows = [row for row in read_lines(data, str(file or url)) if account in ("", row["account"])]
    rows = rows[-last:]
    if as_json:
        print_json(rows)
        return ExitCode.OK
    headings = ("when", "account", "what", "symbol", "order", "side", "quantity", "price", "how")
    print_table(headings, list(map(_cells, rows)), "nothing happened yet")
    return ExitCode.OK


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"ledger {file} cannot be read: {error.strerror}") from error


def _fetch(url: str) -> bytes:
    """Return the lines of a running venue."""
    import httpx

    parts = urlsplit(url if "//" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"url was {url!r}; expected one such as http://127.0.0.1:8089")
    address = f"{parts.scheme}://{parts.netloc}{LEDGER_PATH}"
    try:
        answer = httpx.get(address, timeout=_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Transient(f"no venue's ledger at {address}: {error}") from error
    return answer.content


def _cells(row: Json) -> tuple[object, ...]:
    time = row["time"]
    return (
        iso(time)[:23].rstrip("Z").replace("T", " ") if isinstance(time, int) else None,
        row["account"],
        row["entry"],
        row.get("symbol") or row.get("asset"),
        row.get("order"),
        row.get("side"),
        row.get("quantity"),
        row.get("price"),
        " ".join(_how(row)),
    )


def _how(row: Json) -> Iterator[str]:
    """Yield what else there is to say of a row, in short."""
    if row["entry"] == FAULT:
        did = row["did"]
        verbs = ", ".join(did) if isinstance(did, list) else did
        yield f"{row['rule']}: {verbs}; met {row['met']}"
    elif row["entry"] == "filled":
        yield f"trade {row['trade']}, {'maker' if row['maker'] else 'taker'},"
        yield f"fee {row['fee']} {row['fee_asset']}"
    elif row["entry"] != "deposited":
        yield f"{row['type']} {row['status']}, executed {row['executed']}, {row['client_id']}"
