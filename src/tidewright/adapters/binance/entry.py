"""An order is sent once; after that it is only asked about, until what became of it is certain.

``-2013 Order does not exist`` is not certain at first: the request may still be on its way, and the
venue's questions are answered from a store that lags behind its matching engine. It counts as the
truth only when it was said twice, the second time so late that the venue would refuse the request
for its age and that its store has caught up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from tidewright.adapters.binance.calls import NewOrder
from tidewright.adapters.binance.parse import VenueFill, VenueOrder
from tidewright.domain.errors import ConfigError, Rejected, Transient, UnknownOutcome
from tidewright.domain.time import SECOND

_NO_SUCH_ORDER = "-2013"
_NEEDED_MISSES = 2


class Venue(Protocol):
    """What is needed of a client."""

    @property
    def now(self) -> int:
        """The venue's time, nanoseconds UTC."""

    def place(self, new: NewOrder) -> VenueOrder:
        """Place an order, once."""

    def order(self, symbol: str, client_id: str) -> VenueOrder:
        """Return one order."""

    def fills_of_order(self, symbol: str, order_id: int) -> tuple[VenueFill, ...]:
        """Return the executions of one order."""


@dataclass(frozen=True, slots=True)
class Found:
    """The venue holds, or held, the order.

    Parameters
    ----------
    order : VenueOrder
        Where it stands.
    fills : tuple of VenueFill
        All that it executed, which together are ``order.executed``.
    """

    order: VenueOrder
    fills: tuple[VenueFill, ...]


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """The venue never took the order, and never will.

    Parameters
    ----------
    code, reason : str
        The venue's code, where it gave one, and words.
    """

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows yet; pass this to `OrderEntry.resolve` later.

    Parameters
    ----------
    symbol, client_id : str
        The order.
    sent : int
        Latest time at which it may have been sent, of the venue's clock, nanoseconds UTC.
    detail : str
        Why it is not known.
    misses : int
        How often the venue did not find it.
    """

    symbol: str
    client_id: str
    sent: int
    detail: str
    misses: int = 0


@dataclass(frozen=True, slots=True)
class EntrySettings:
    """When a missing order counts as never placed.

    Parameters
    ----------
    receive_window_seconds : float
        Age at which the venue refuses a request; at least the client's own.
    grace_seconds : float
        How far the venue's store may lag behind.
    """

    receive_window_seconds: float = 60.0
    grace_seconds: float = 30.0


class OrderEntry:
    """Places orders through a client.

    Parameters
    ----------
    venue : Venue
        The client.
    settings : EntrySettings, optional
        When a missing order counts as never placed.
    """

    def __init__(self, venue: Venue, settings: EntrySettings | None = None) -> None:
        self._venue = venue
        self._settings = settings or EntrySettings()

    def submit(self, new: NewOrder) -> Found | NotPlaced | Unknown:
        """Send an order whose id is committed, once.

        Parameters
        ----------
        new : NewOrder
            The order; nobody may pass the same id again.
        """
        try:
            order = self._venue.place(new)
        except UnknownOutcome as error:
            return Unknown(new.symbol, new.client_id, self._venue.now, str(error))
        except Rejected as error:
            return NotPlaced(error.code, str(error))
        except (ConfigError, Transient) as error:
            return NotPlaced("", str(error))
        return Found(order, order.fills)

    def resolve(self, unknown: Unknown) -> Found | NotPlaced | Unknown:
        """Ask what became of an order; never sends it.

        Parameters
        ----------
        unknown : Unknown
            What `submit` or an earlier question left open. After a restart, one whose ``sent`` is
            the time of the start.

        Raises
        ------
        DataIntegrityError
            If the venue contradicts itself.
        """
        try:
            order = self._venue.order(unknown.symbol, unknown.client_id)
            fills = self._fills(order)
        except Rejected as error:
            if error.code != _NO_SUCH_ORDER:
                return replace(unknown, detail=str(error))
            return self._missed(unknown, str(error))
        except (ConfigError, Transient) as error:
            return replace(unknown, detail=str(error))
        if sum(fill.quantity for fill in fills) != order.executed:
            return replace(unknown, detail=f"trades of {order.client_id} were not all told yet")
        return Found(order, fills)

    def _fills(self, order: VenueOrder) -> tuple[VenueFill, ...]:
        if not order.executed:
            return ()
        return self._venue.fills_of_order(order.symbol, order.order_id)

    def _missed(self, unknown: Unknown, said: str) -> NotPlaced | Unknown:
        missed = replace(unknown, misses=unknown.misses + 1, detail=said)
        late = self._settings.receive_window_seconds + self._settings.grace_seconds
        certain = self._venue.now - unknown.sent > round(late * SECOND)
        if certain and missed.misses >= _NEEDED_MISSES:
            return NotPlaced(
                _NO_SUCH_ORDER, f"{said} after {late:g} s and {missed.misses} questions"
            )
        return missed
