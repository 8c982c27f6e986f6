"""Whatever is written, committed and crashed in whatever order: a prefix stays, and it verifies."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.journal_rows import quiet_outcome, quiet_slice
from tidewright.engine.encoding import encode_outcome, encode_slice
from tidewright.storage.journal import SqliteJournal
from tidewright.storage.memory_journal import MemoryJournal

STEPS = st.lists(
    st.sampled_from(["append", "record", "record", "flush", "sync", "crash", "close", "snapshot"]),
    max_size=60,
)


class Machine:
    """A journal under test beside what must have survived of it."""

    def __init__(self, folder: Path, flush_rows: int) -> None:
        self.folder, self.flush_rows, self.crashes = folder, flush_rows, 0
        self.path = folder / "j0"
        self.safe = 0
        self.journal = SqliteJournal(self.path, flush_rows=flush_rows)

    def run(self, step: str) -> None:
        journal = self.journal
        if step == "append" and journal.pending is None:
            journal.append(quiet_slice(journal.last_sequence + 1))
        elif step == "record":
            if journal.pending is None:
                journal.append(quiet_slice(journal.last_sequence + 1))
            journal.record(quiet_outcome(journal.last_sequence))
        elif step in ("flush", "sync"):
            journal.commit(durable=step == "sync")
            self.safe = journal.last_sequence
        elif step == "snapshot" and journal.pending is None and journal.last_sequence:
            journal.save_snapshot(journal.last_sequence, "build", b"state")
            self.safe = journal.last_sequence
        elif step == "crash":
            self._crash()
        elif step == "close":
            journal.close()
            self.safe = journal.last_sequence
            self.journal = SqliteJournal(self.path, flush_rows=self.flush_rows)

    def _crash(self) -> None:
        self.crashes += 1
        target = self.folder / f"j{self.crashes}"
        for end in ("", "-wal"):
            if Path(f"{self.path}{end}").exists():
                shutil.copy(f"{self.path}{end}", f"{target}{end}")
        reached = self.journal.last_sequence
        self.journal.close()
        self.path = target
        self.journal = SqliteJournal(target, flush_rows=self.flush_rows)
        assert self.safe <= self.journal.last_sequence <= reached


@settings(max_examples=60)
@given(steps=STEPS, flush_rows=st.sampled_from([1, 3, 512]))
def test_any_history_of_writes_and_crashes_keeps_a_prefix(
    steps: list[str], flush_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), flush_rows)
        for step in steps:
            machine.run(step)
            assert machine.journal.last_sequence >= machine.safe
        report = machine.journal.verify()
        assert report.ok, report
        expected = MemoryJournal()
        for entry in machine.journal.entries():
            expected.append(quiet_slice(entry.sequence))
            assert entry.payload == encode_slice(quiet_slice(entry.sequence))
            if entry.outcome is None:
                assert entry.sequence == machine.journal.last_sequence
                break
            expected.record(quiet_outcome(entry.sequence))
            assert entry.outcome == encode_outcome(quiet_outcome(entry.sequence))
        assert machine.journal.chain_hash == expected.chain_hash
        machine.journal.close()
