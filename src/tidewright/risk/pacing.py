"""What was approved lately: the order rate, repeated intents, and orders not yet in the account."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.orders import Leg, OrderIntent, Side
from tidewright.domain.time import MINUTE, SECOND
from tidewright.risk.settings import RiskSettings


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that still matters.

    Parameters
    ----------
    ts : int
        When it was given, nanoseconds UTC.
    client_id, strategy, instrument : str
        Of the order.
    side : Side
        Buy or sell.
    lots : int
        Quantity.
    price : int
        Highest price in ticks that the order may trade or be valued at.
    entry : bool
        Whether it may make the position larger.
    """

    ts: int
    client_id: str
    strategy: str
    instrument: str
    side: Side
    lots: int
    price: int
    entry: bool


class Pacing:
    """Approvals of the last minute, or of the duplicate window where that is longer."""

    def __init__(self, settings: RiskSettings) -> None:
        self._window = settings.duplicate_window_seconds * SECOND
        self._span = max(self._window, MINUTE)
        self._recent: deque[Approval] = deque()

    def note(self, intent: OrderIntent, ts: int, price: int) -> None:
        """Remember an approval."""
        self._recent.append(
            Approval(
                ts,
                intent.client_id,
                intent.strategy,
                intent.instrument,
                intent.side,
                intent.lots,
                price,
                intent.leg is Leg.ENTRY,
            )
        )

    def forget(self, ts: int) -> None:
        """Drop what no rule looks at any more."""
        recent = self._recent
        while recent and recent[0].ts <= ts - self._span:
            recent.popleft()

    def within_minute(self, ts: int) -> int:
        """Return how many orders were approved within the 60 s that end at a time."""
        return sum(1 for approval in self._recent if approval.ts > ts - MINUTE)

    def same_entry(self, intent: OrderIntent, ts: int) -> Approval | None:
        """Return an approval that an entry repeats: equal id, or equal in all that matters."""
        for approval in reversed(self._recent):
            if approval.client_id == intent.client_id:
                return approval
            if (
                approval.entry
                and approval.ts > ts - self._window
                and approval.instrument == intent.instrument
                and approval.strategy == intent.strategy
                and approval.side is intent.side
                and approval.lots == intent.lots
            ):
                return approval
        return None

    def approved_at(self, ts: int) -> Iterator[Approval]:
        """Yield approvals of a moment: the account of that moment may not hold them yet."""
        for approval in reversed(self._recent):
            if approval.ts != ts:
                return
            yield approval

    def snapshot(self) -> list[list[object]]:
        """Return the approvals as JSON-able rows."""
        return [list(astuple(approval)) for approval in self._recent]

    def restore(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take over the rows of a snapshot.

        Raises
        ------
        DataIntegrityError
            If they are none.
        """
        try:
            self._recent = deque(_approval(*row) for row in rows)
        except (TypeError, ValueError) as error:
            raise DataIntegrityError(f"risk snapshot cannot be read: {error!r}") from error


def _approval(
    ts: int,
    client_id: str,
    strategy: str,
    instrument: str,
    side: str,
    lots: int,
    price: int,
    entry: bool,
) -> Approval:
    return Approval(ts, client_id, strategy, instrument, Side(side), lots, price, entry)
