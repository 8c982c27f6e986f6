from __future__ import annotations

import orjson
import pytest

from fakes.orders import START, bar, intent, submit
from tidewright.domain.codec import SCHEMA_VERSION
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import ClockTick, FeedStatus, Slice
from tidewright.domain.facts import (
    AlertLogged,
    CancelOrder,
    Outcome,
    RecordedSubmission,
    Severity,
)
from tidewright.engine.encoding import decode_outcome, decode_slice, encode_outcome, encode_slice

SLICE = Slice(START, (FeedStatus(True, "ok"), ClockTick(), bar(1, 1, 3, 1, 2)))
COMMAND = submit(intent("h-1-e", 1))
OUTCOME = Outcome(
    7,
    START,
    123,
    (AlertLogged(Severity.INFO, "CODE", "words", "X"),),
    (COMMAND, CancelOrder("h-1-e", "X")),
    START + 5,
)


def test_slice_reads_back() -> None:
    assert decode_slice(encode_slice(SLICE)) == SLICE


def test_outcome_reads_back_with_submissions_as_records() -> None:
    back = decode_outcome(7, encode_outcome(OUTCOME))
    assert back.commands == (RecordedSubmission(COMMAND.order.intent, ()), OUTCOME.commands[1])
    assert (back.sequence, back.ts_known, back.equity) == (7, START, 123)
    assert (back.facts, back.next_timer) == (OUTCOME.facts, START + 5)


def test_equal_outcomes_give_equal_bytes_whatever_their_sequence() -> None:
    again = decode_outcome(8, encode_outcome(OUTCOME))
    assert encode_outcome(again) == encode_outcome(OUTCOME)
    quiet = Outcome(1, START, 5)
    assert orjson.loads(encode_outcome(quiet)) == [SCHEMA_VERSION, START, 5, [], [], 0]


@pytest.mark.parametrize("payload", [b"", b"{", b"{}", b"[]", b"[1,2,3,4]", b"7", b"\xff"])
def test_bytes_that_are_no_record_are_refused(payload: bytes) -> None:
    with pytest.raises(DataIntegrityError, match="record was"):
        decode_slice(payload)
    with pytest.raises(DataIntegrityError, match="record was"):
        decode_outcome(1, payload)


def test_record_of_a_newer_build_is_refused() -> None:
    payload = orjson.dumps([SCHEMA_VERSION + 1, START, [["ClockTick", {}]]])
    with pytest.raises(DataIntegrityError, match="newer build"):
        decode_slice(payload)
