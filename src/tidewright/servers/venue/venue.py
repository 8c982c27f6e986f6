"""The venue behind the wire: the exchange, its clock, its keys and its limits.

Whatever happened to accounts is told once, to everybody who listens, in the order in which it
happened: the count of unfilled orders, the ledger, the streams.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.values import Execution, OrderEvent, SpotEvent, SpotOrder
from tidewright.servers.venue.clock import Clock
from tidewright.servers.venue.limits import LimitSettings, OrderLimits, RequestLimits
from tidewright.servers.venue.signing import KeyRing

Listener = Callable[[Sequence[SpotEvent]], None]
Recorder = Callable[[], None]


def _nothing() -> None:
    """Stand in for a ledger that nobody keeps."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """An order's quantity that was lowered."""

    id: int
    before: SpotOrder
    after: SpotOrder


class Venue:
    """What every request is answered from.

    Parameters
    ----------
    exchange : SpotExchange
        The market.
    clock : Clock
        The venue's time.
    keys : KeyRing
        Who may ask.
    limits : LimitSettings
        How much they may ask.
    told : Clock, optional
        The time that clients are told and measured by, where it is not the market's own.
    other_clocks : sequence of callable
        Further clocks that the timestamps of requests may follow, nanoseconds.
    record : callable
        Writes down what the exchange's ledger has new; called before a trader is answered.
    """

    def __init__(
        self,
        exchange: SpotExchange,
        clock: Clock,
        keys: KeyRing,
        limits: LimitSettings | None = None,
        *,
        told: Clock | None = None,
        other_clocks: Sequence[Callable[[], int]] = (),
        record: Recorder = _nothing,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.keys = keys
        self.limits = limits or LimitSettings()
        self.record = record
        self.requests = RequestLimits(self.limits)
        self.orders = OrderLimits(self.limits)
        self.told = told or clock
        self._clocks = (self.told.now, *other_clocks)
        self._listeners: list[Listener] = []
        self._amendments: dict[tuple[int, str, int], list[Amendment]] = {}
        self._amended = 0

    def times(self) -> tuple[int, ...]:
        """Return what its clocks say."""
        return tuple(now() for now in self._clocks)

    def listen(self, listener: Listener) -> None:
        """Tell somebody of everything that happens to accounts from now on."""
        self._listeners.append(listener)

    def publish(self) -> None:
        """Tell what happened since the last call, and write it down before."""
        self.record()
        events = self.exchange.take_events()
        if not events:
            return
        for event in events:
            if isinstance(event, OrderEvent):
                self._count(event)
        for listener in self._listeners:
            listener(events)

    def amended(self, before: SpotOrder, after: SpotOrder) -> Amendment:
        """Remember that an order's quantity was lowered."""
        self._amended += 1
        amendment = Amendment(self._amended, before, after)
        key = after.account, after.terms.symbol, after.id
        self._amendments.setdefault(key, []).append(amendment)
        return amendment

    def amendments(self, account: int, symbol: str, order_id: int) -> tuple[Amendment, ...]:
        """Return how an order's quantity was lowered, oldest first."""
        return tuple(self._amendments.get((account, symbol, order_id), ()))

    def _count(self, event: OrderEvent) -> None:
        fill = event.fill
        if event.execution is Execution.TRADE and fill and fill.quantity == event.order.executed:
            self.orders.first_fill(event.order.account, self.clock.now(), rested=fill.makes)
