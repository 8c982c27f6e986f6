"""The exchange's ledger as lines of JSON: in a file that outlives the venue, or over HTTP.

Each line tells of one order taken, changed or ended, one fill, one deposit, or one fault of a
script. It is in the file before the client that caused it is answered. Amounts are texts with eight
decimal places, times nanoseconds UTC.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import orjson

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.exchange.faults import Firing
from tidewright.exchange.spot.ledger import Ledger, LedgerRow
from tidewright.exchange.spot.values import DepositEvent, SpotFill, SpotOrder
from tidewright.servers.venue.writers import Json, amount, side

LEDGER_PATH = "/tidewright/ledger"
"""Where a running venue shows its ledger."""
FAULT = "fault"
"""Entry of a row that tells of a fault and not of the exchange."""


class LedgerFile:
    """Appends what a ledger has new to a file.

    Parameters
    ----------
    path : Path
        A file that does not exist, or is empty.
    ledger : Ledger
        What is written down.
    names : sequence of str
        The accounts' names, by number.

    Raises
    ------
    ConfigError
        If the file cannot be written or holds another venue's ledger.
    """

    def __init__(self, path: Path, ledger: Ledger, names: Sequence[str]) -> None:
        self._ledger = ledger
        self._names = tuple(names)
        self._last = self._fired = 0
        self._firings: Callable[[int], Sequence[Firing]] = _no_firings
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            self._file = os.open(path, flags, 0o644)
        except OSError as error:
            raise ConfigError(f"ledger {path} cannot be written: {error.strerror}") from error
        if os.fstat(self._file).st_size:
            os.close(self._file)
            raise ConfigError(f"ledger {path} was there before; expected a file of its own")

    def follow(self, firings: Callable[[int], Sequence[Firing]]) -> None:
        """Write faults down too.

        Parameters
        ----------
        firings : callable
            Returns those after a number.
        """
        self._firings = firings

    def record(self) -> None:
        """Write what came since the last call: first what went wrong, then what was done."""
        rows, firings = self._ledger.rows(self._last), self._firings(self._fired)
        if firings:
            self._fired = firings[-1].number
        if rows:
            self._last = rows[-1].number
        if firings or rows:
            os.write(self._file, fault_lines(firings) + lines(rows, self._names))

    def close(self) -> None:
        """Write what is left, down to the disk, and let go of the file."""
        self.record()
        os.fsync(self._file)
        os.close(self._file)


def lines(rows: Iterable[LedgerRow], names: Sequence[str]) -> bytes:
    """Return rows as lines of JSON."""
    return b"".join(
        orjson.dumps(write_row(row, names), option=orjson.OPT_APPEND_NEWLINE) for row in rows
    )


def fault_lines(firings: Iterable[Firing]) -> bytes:
    """Return faults as lines of JSON."""
    return b"".join(
        orjson.dumps(write_firing(firing), option=orjson.OPT_APPEND_NEWLINE) for firing in firings
    )


def with_faults(data: bytes, firings: Iterable[Firing]) -> bytes:
    """Return a ledger's lines with those of faults among them, by time."""
    both = [*fault_lines(firings).splitlines(), *data.splitlines()]
    return b"".join(line + b"\n" for line in sorted(both, key=_time_of))


def _time_of(line: bytes) -> int:
    return int(orjson.loads(line)["time"])


def read_lines(data: bytes, source: str) -> Iterator[Json]:
    """Yield the rows of a ledger's lines; an unfinished last one is left out.

    Raises
    ------
    DataIntegrityError
        If a line is no row.
    """
    whole = data[: data.rfind(b"\n") + 1]
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataIntegrityError(
                f"{source}, line {number}: expected JSON, was {line[:80]!r}"
            ) from error
        if not isinstance(row, dict) or "entry" not in row:
            raise DataIntegrityError(f"{source}, line {number}: expected a row, was {line[:80]!r}")
        yield row


def write_firing(firing: Firing) -> Json:
    """Write a fault that came true."""
    return {
        "number": firing.number,
        "entry": FAULT,
        "time": firing.time,
        "account": firing.account,
        "rule": firing.rule,
        "did": firing.verbs,
        "met": firing.what,
        "count": firing.count,
    }


def write_row(row: LedgerRow, names: Sequence[str]) -> Json:
    """Write a row of the ledger."""
    told: Json = {"number": row.number, "entry": row.entry.value, "time": row.time}
    value = row.value
    told["account"] = names[value.account]
    if isinstance(value, SpotOrder):
        return told | _order(value)
    if isinstance(value, SpotFill):
        return told | _fill(value)
    return told | _deposit(value)


def _order(order: SpotOrder) -> Json:
    terms = order.terms
    return {
        "symbol": terms.symbol,
        "order": order.id,
        "client_id": terms.client_id,
        "list": order.list_id,
        "side": side(terms.side),
        "type": terms.kind.value,
        "time_in_force": terms.time_in_force.value,
        "price": amount(terms.price),
        "stop_price": amount(order.stop_price or terms.stop_price),
        "quantity": amount(order.quantity),
        "executed": amount(order.executed),
        "spent": amount(order.spent),
        "status": order.status.value,
    }


def _fill(fill: SpotFill) -> Json:
    return {
        "symbol": fill.symbol,
        "order": fill.order_id,
        "trade": fill.trade_id,
        "side": "BUY" if fill.buys else "SELL",
        "price": amount(fill.price),
        "quantity": amount(fill.quantity),
        "money": amount(fill.money),
        "fee": amount(fill.fee),
        "fee_asset": fill.fee_asset,
        "maker": fill.makes,
    }


def _deposit(event: DepositEvent) -> Json:
    return {"asset": event.asset, "quantity": amount(event.amount)}


def _no_firings(number: int) -> Sequence[Firing]:
    """Stand in for a venue where nothing goes wrong."""
    return ()
