"""Records of all orders that work and of the latest that ended, and the fills already booked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tidewright.domain.orders import Fill, OrderRecord, OrderState

KEPT = 512
"""Ended orders that are remembered; late news of older ones is reported and not booked."""


class OrderBook:
    """Orders by client id."""

    def __init__(self) -> None:
        self._live: dict[str, OrderRecord] = {}
        self._ended: dict[str, OrderRecord] = {}
        self._trades: set[tuple[str, str]] = set()
        self._trades_of: dict[str, list[str]] = {}
        self._working: tuple[OrderRecord, ...] | None = ()
        self._unknown: frozenset[str] | None = frozenset()

    def get(self, client_id: str) -> OrderRecord | None:
        """Return an order."""
        return self._live.get(client_id) or self._ended.get(client_id)

    def all(self) -> Iterator[OrderRecord]:
        """Yield every order that is remembered: ended ones as they ended, then the others."""
        yield from self._ended.values()
        yield from self._live.values()

    def store(self, record: OrderRecord) -> None:
        """Add an order or put it in the place of what was known of it."""
        client_id = record.intent.client_id
        self._working = self._unknown = None
        if record.state.is_final:
            self._live.pop(client_id, None)
            self._ended[client_id] = record
            if len(self._ended) > KEPT:
                self._forget(next(iter(self._ended)))
        else:
            self._ended.pop(client_id, None)
            self._live[client_id] = record

    def working(self) -> Sequence[OrderRecord]:
        """Return every order that is not final."""
        if self._working is None:
            self._working = tuple(self._live.values())
        return self._working

    def unknown_instruments(self) -> frozenset[str]:
        """Return the instruments that have an order of unknown outcome."""
        if self._unknown is None:
            self._unknown = frozenset(
                order.intent.instrument
                for order in self.working()
                if order.state is OrderState.UNKNOWN
            )
        return self._unknown

    def note_trade(self, fill: Fill) -> bool:
        """Return whether a fill is new, and remember it."""
        key = (fill.instrument, fill.trade_id)
        if key in self._trades:
            return False
        self._trades.add(key)
        self._trades_of.setdefault(fill.client_id, []).append(fill.trade_id)
        return True

    def trade_ids(self) -> dict[str, list[str]]:
        """Return the booked trade ids by client id."""
        return {client_id: list(ids) for client_id, ids in self._trades_of.items()}

    def restore_trades(self, trade_ids: Mapping[str, Sequence[str]]) -> None:
        """Take over booked trade ids; their orders must be known."""
        for client_id, ids in trade_ids.items():
            order = self.get(client_id)
            if order is None:
                raise KeyError(client_id)
            self._trades_of[client_id] = list(ids)
            self._trades.update((order.intent.instrument, trade_id) for trade_id in ids)

    def _forget(self, client_id: str) -> None:
        record = self._ended.pop(client_id)
        for trade_id in self._trades_of.pop(client_id, ()):
            self._trades.discard((record.intent.instrument, trade_id))
