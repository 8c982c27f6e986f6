"""The hash chain of the journal: how rows are linked, and how damage is found and named.

Each row's hash covers the hash of the row before it, its own sequence and time, its payload and
its outcome. A row whose outcome is not known yet is linked with a mark in place of the outcome's
length, and linked anew when the outcome arrives; only the last row may be in that state.

The chain finds damage by accident or by hand editing. It is no signature: whoever can rewrite the
whole file can also recompute it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from struct import Struct

HASH_SIZE = 16
"""Bytes of one link."""
GENESIS = bytes(HASH_SIZE)
"""What the first row is linked to."""

_PENDING = 0xFFFF_FFFF
_pack = Struct("<QqII").pack
_SUSPECTS = 48


def link(
    previous: bytes, sequence: int, ts_known: int, payload: bytes, outcome: bytes | None
) -> bytes:
    """Return the hash of a row.

    Parameters
    ----------
    previous : bytes
        Hash of the row before it, `GENESIS` for the first.
    sequence, ts_known : int
        Of the row.
    payload : bytes
        Written input.
    outcome : bytes or None
        Written outcome; None while the input has not been stepped.
    """
    if outcome is None:
        head = _pack(sequence, ts_known, len(payload), _PENDING)
        return blake2b(previous + head + payload, digest_size=HASH_SIZE).digest()
    head = _pack(sequence, ts_known, len(payload), len(outcome))
    return blake2b(previous + head + payload + outcome, digest_size=HASH_SIZE).digest()


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One row of the journal.

    Parameters
    ----------
    sequence : int
        Place in the journal, from 1, without holes.
    ts_known : int
        Time of the slice, nanoseconds UTC.
    payload : bytes
        Written slice.
    outcome : bytes or None
        Written outcome; None when the process ended before the input was stepped.
    """

    sequence: int
    ts_known: int
    payload: bytes
    outcome: bytes | None


class Damage(StrEnum):
    """What is wrong with a row."""

    ALTERED = "altered"
    HASH_ALTERED = "hash altered"
    DROPPED = "dropped"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    SNAPSHOT = "snapshot altered"
    HISTORY = "history altered"


@dataclass(frozen=True, slots=True)
class JournalFault:
    """One damage that was found.

    Parameters
    ----------
    sequence : int
        First row concerned; 0 for the file as a whole.
    damage : Damage
        What is wrong with it.
    detail : str
        One sentence for a person.
    """

    sequence: int
    damage: Damage
    detail: str


@dataclass(frozen=True, slots=True)
class JournalReport:
    """What a check of the whole journal found.

    Parameters
    ----------
    rows : int
        Rows read.
    last_sequence : int
        Sequence of the last row, 0 when there is none.
    faults : tuple of JournalFault
        By sequence; empty when everything is as it was written.
    """

    rows: int
    last_sequence: int
    faults: tuple[JournalFault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no damage was found."""
        return not self.faults

    @property
    def first_bad(self) -> int | None:
        """Sequence of the first row concerned, None when nothing is wrong."""
        return self.faults[0].sequence if self.faults else None


Row = tuple[int, int, bytes, bytes | None, bytes]
"""Sequence, known time, payload, outcome, hash: a row as it is stored."""


@dataclass(frozen=True, slots=True)
class _Suspect:
    row: Row
    previous: bytes


class ChainCheck:
    """Reads rows in order and collects what is wrong with them.

    A mismatch is explained after the last row: a row that fits the chain at another place was
    moved there, a row whose successor fits the recomputed hash has a changed hash, any other was
    altered.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.last_sequence = 0
        self.last_hash = GENESIS
        self._recomputed = GENESIS
        self._complete = True
        self._faults: list[JournalFault] = []
        self._suspects: dict[int, _Suspect] = {}

    def read(self, rows: Iterable[Row]) -> None:
        """Hold rows, in stored order, against the chain."""
        for row in rows:
            self.rows += 1
            if self._well_formed(row):
                self._read_one(row)

    def _well_formed(self, row: Row) -> bool:
        sequence, ts_known, payload, outcome, stored = row
        if sequence <= self.last_sequence:
            detail = f"row {sequence} stands after row {self.last_sequence}"
            self._fault(sequence, Damage.REORDERED, detail)
            return False
        blobs = (payload, stored) if outcome is None else (payload, outcome, stored)
        if all(isinstance(blob, bytes) for blob in blobs) and isinstance(ts_known, int):
            return True
        self._fault(sequence, Damage.ALTERED, "a column is of another type than was written")
        self.last_sequence, self.last_hash = sequence, stored if type(stored) is bytes else GENESIS
        self._recomputed = self.last_hash
        return False

    def _read_one(self, row: Row) -> None:
        sequence, stored = row[0], row[4]
        expected = self.last_sequence + 1
        if sequence != expected:
            self._dropped(expected, sequence - 1)
            computed = stored
        else:
            computed = self._compare(row, link(self.last_hash, *row[:4]))
        self.last_sequence, self.last_hash, self._recomputed = sequence, stored, computed

    def _compare(self, row: Row, computed: bytes) -> bytes:
        sequence, stored = row[0], row[4]
        if computed == stored:
            return computed
        if self._recomputed != self.last_hash and link(self._recomputed, *row[:4]) == stored:
            self._suspects.pop(sequence - 1, None)
            self._fault(sequence - 1, Damage.HASH_ALTERED, "its content fits, its hash does not")
            return stored
        self._suspects[sequence] = _Suspect(row, self.last_hash)
        return computed

    def _dropped(self, first: int, last: int) -> None:
        which = f"row {first} is" if first == last else f"rows {first} to {last} are"
        self._fault(first, Damage.DROPPED, f"{which} missing")

    def _fault(self, sequence: int, damage: Damage, detail: str) -> None:
        self._faults.append(JournalFault(sequence, damage, detail))

    def unreadable(self, reason: str) -> None:
        """Take note that the store gave up after the rows read so far."""
        self._complete = False
        self._fault(
            self.last_sequence + 1, Damage.UNREADABLE, f"the store cannot read on: {reason}"
        )

    def expect_last(self, sequence: int, witness: str) -> None:
        """Hold the last sequence read against one that is known to have been written."""
        if self._complete and sequence > self.last_sequence:
            self._complete = False
            first = self.last_sequence + 1
            self._fault(
                first,
                Damage.TRUNCATED,
                f"rows {first} to {sequence} are missing at the end: {witness} proves them",
            )

    def note(self, fault: JournalFault) -> None:
        """Add a fault found outside the rows."""
        self._faults.append(fault)

    def report(self) -> JournalReport:
        """Explain the mismatches and return everything found."""
        explained = [*self._faults, *self._explain()]
        explained.sort(key=lambda fault: fault.sequence)
        return JournalReport(self.rows, self.last_sequence, tuple(explained))

    def _explain(self) -> list[JournalFault]:
        faults: list[JournalFault] = []
        moved: dict[int, int] = {}
        if len(self._suspects) <= _SUSPECTS:
            moved = {at: home for at in self._suspects if (home := self._home_of(at))}
        displaced = {neighbour + 1 for neighbour in moved}
        for sequence in self._suspects:
            if sequence in moved:
                detail = f"row {sequence} holds what was written as row {moved[sequence]}"
                faults.append(JournalFault(sequence, Damage.REORDERED, detail))
            elif sequence not in displaced:
                detail = "time, payload, outcome or hash differ from what was written"
                faults.append(JournalFault(sequence, Damage.ALTERED, detail))
        return faults

    def _home_of(self, at: int) -> int:
        """Return the sequence under which the content at a place was written, 0 if unknown."""
        _, ts_known, payload, outcome, _ = self._suspects[at].row
        hashes = {suspect.row[4] for suspect in self._suspects.values()}
        links = hashes | {suspect.previous for suspect in self._suspects.values()}
        for home in self._suspects:
            if home != at and any(
                link(previous, home, ts_known, payload, outcome) in hashes for previous in links
            ):
                return home
        return 0
