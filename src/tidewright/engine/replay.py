"""Decide the past again and compare: the proof that a run was decided by its inputs alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidewright.engine.core import Engine
from tidewright.engine.encoding import decode_slice, encode_outcome


@dataclass(frozen=True, slots=True)
class Difference:
    """An input whose recorded outcome is not what the engine decides.

    Parameters
    ----------
    sequence : int
        Journal sequence of the input.
    recorded, decided : bytes
        The two outcomes as written.
    """

    sequence: int
    recorded: bytes
    decided: bytes


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found.

    Parameters
    ----------
    inputs : int
        Inputs decided again.
    differences : tuple of Difference
        Every input whose outcome differed, the first 100.
    unrecorded : tuple of int
        Inputs stored without an outcome: the process died between the two.
    """

    inputs: int
    differences: tuple[Difference, ...]
    unrecorded: tuple[int, ...]


def verify_decisions(
    engine: Engine, entries: Iterable[tuple[int, bytes, bytes | None]]
) -> ReplayReport:
    """Step an engine through recorded inputs and compare each outcome byte by byte.

    Parameters
    ----------
    engine : Engine
        At the state before the first entry.
    entries : iterable of (sequence, payload, outcome)
        As the journal holds them, in order.

    Returns
    -------
    ReplayReport
        Empty `differences` mean that every decision is identical.
    """
    inputs = 0
    differences: list[Difference] = []
    unrecorded: list[int] = []
    for sequence, payload, recorded in entries:
        decided = encode_outcome(engine.step(sequence, decode_slice(payload)))
        inputs += 1
        if recorded is None:
            unrecorded.append(sequence)
        elif decided != recorded and len(differences) < 100:
            differences.append(Difference(sequence, recorded, decided))
    return ReplayReport(inputs, tuple(differences), tuple(unrecorded))
