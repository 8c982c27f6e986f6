"""Ports: what the core and the assemblies need from the outside, as Protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from tidewright.domain.events import AccountReported, Slice, VenueEvent
from tidewright.domain.facts import Command, Outcome
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar


class MarketFeed(Protocol):
    """A source of market slices."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """Instruments that the feed carries, by id."""

    @property
    def timeframe(self) -> str:
        """Timeframe of its bars."""

    @property
    def description(self) -> str:
        """One line for a person: source, range, anything inferred."""

    def slices(self, after: int) -> Iterator[Slice]:
        """Yield slices of bars and defects with ``ts_known`` above ``after``, in time order.

        Parameters
        ----------
        after : int
            Nanoseconds UTC; 0 starts at the beginning. The same ``after`` gives the same slices.
        """


class Broker(Protocol):
    """A venue as the trader sees it; every answer is an event."""

    def observe(self, bars: Sequence[Bar]) -> Sequence[VenueEvent]:
        """Return what happened at the venue up to and including these bars.

        A simulated venue meets the bars here, before the strategy does; a real one returns what
        its streams delivered. Bars that the venue has already met change nothing.
        """

    def execute(self, command: Command) -> Sequence[VenueEvent]:
        """Carry out one command and return its answer.

        A lost answer is an `AnswerLost` event, never an exception; the command is not repeated.
        """

    def events_since(self, venue_sequence: int) -> Sequence[VenueEvent]:
        """Return the venue's events with a sequence above the given one, in order."""

    def account(self) -> AccountReported:
        """Return what the venue holds for the account.

        Raises
        ------
        Transient
            If the venue cannot be asked now.
        """

    def close(self) -> None:
        """Release what the connection holds."""


class Journal(Protocol):
    """The append-only record of inputs and outcomes."""

    def append(self, slice_: Slice) -> int:
        """Write an input and return its sequence; not durable before `commit`."""

    def record(self, outcome: Outcome) -> None:
        """Write the digest, facts and commands of the input last appended."""

    def commit(self, *, durable: bool) -> None:
        """End the transaction; with ``durable`` it is on disk when the call returns."""

    def close(self) -> None:
        """Commit durably and release the store."""


class VenueLog(Protocol):
    """A simulated venue's own durable log, written before it answers."""

    def load(self) -> Sequence[Mapping[str, object]]:
        """Return every record in the order in which they were written."""

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        """Write records; they survive a crash of the process when the call returns."""

    def close(self) -> None:
        """Release the store."""


class OutcomeSink(Protocol):
    """Anything that is told what was decided, after it was committed."""

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        """Take note of one step; must not block and must not raise for what it cannot use."""
