"""The loop that backtest, paper and live share: feed, venue, journal, engine, sinks.

Each slice is written before it is handled; its outcome is written before any command leaves; the
answers of the commands form a slice of their own at the same moment. Nothing here knows which of
the three assemblies it serves.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidewright.domain.events import Event, Slice, slice_rank
from tidewright.domain.facts import Outcome
from tidewright.domain.market import Bar
from tidewright.domain.ports import Broker, Journal, OutcomeSink
from tidewright.engine.core import Engine


class Driver:
    """One engine between one feed, one venue and one journal.

    Parameters
    ----------
    engine : Engine
        Decides.
    journal : Journal
        Remembers.
    broker : Broker
        Carries out.
    sinks : sequence of OutcomeSink
        Are told after the commit, never before.
    batch : int
        Slices without commands that share one commit.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        broker: Broker,
        sinks: Sequence[OutcomeSink],
        batch: int = 1,
    ) -> None:
        self.engine = engine
        self.journal = journal
        self.broker = broker
        self.sinks = tuple(sinks)
        self.batch = batch
        self._untold: list[tuple[Slice, Outcome]] = []

    def market(self, slice_: Slice) -> Outcome:
        """Handle a slice of the feed: the venue meets its bars first."""
        events = slice_.events
        if type(events[0]) is Bar:
            answers = self.broker.observe(events)  # type: ignore[arg-type]
        else:
            answers = self.broker.observe([event for event in events if type(event) is Bar])
        if answers:
            slice_ = Slice(slice_.ts_known, tuple(sorted((*answers, *events), key=slice_rank)))
        return self.handle(slice_)

    def control(self, ts_known: int, events: Sequence[Event]) -> Outcome:
        """Handle events that came from a person, the configuration, a timer or the venue."""
        return self.handle(Slice(ts_known, tuple(sorted(events, key=slice_rank))))

    def handle(self, slice_: Slice) -> Outcome:
        """Write a slice, decide, write the outcome, commit, tell, carry out."""
        sequence = self.journal.append(slice_)
        outcome = self.engine.step(sequence, slice_)
        self.journal.record(outcome)
        untold = self._untold
        untold.append((slice_, outcome))
        if outcome.commands:
            self.flush(durable=True)
            self._carry_out(outcome)
        elif len(untold) >= self.batch:
            self.flush(durable=False)
        return outcome

    def flush(self, *, durable: bool) -> None:
        """Commit what was decided and tell the sinks."""
        self.journal.commit(durable=durable)
        untold, self._untold = self._untold, []
        for slice_, outcome in untold:
            for sink in self.sinks:
                sink.publish(slice_, outcome)

    def _carry_out(self, outcome: Outcome) -> None:
        answers = [
            answer for command in outcome.commands for answer in self.broker.execute(command)
        ]
        if answers:
            self.control(outcome.ts_known, answers)
