"""Who is told of which account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from tidewright.exchange.spot.values import SpotEvent
from tidewright.servers.venue.clock import Clock
from tidewright.servers.venue.streams.account_events import AccountEvents, account_of, terminated
from tidewright.servers.venue.streams.market import Listener


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One connection's wish to be told of an account.

    Parameters
    ----------
    number : int
        Its id on the connection, from 0; never used again there.
    account : int
        Number of the account.
    listener : Listener
        The connection.
    by_session : bool
        Whether it rests on the connection's log-on and ends with it.
    """

    number: int
    account: int
    listener: Listener
    by_session: bool


class AccountStreams:
    """Tells the owners of accounts what happens to them, in the order in which it happened.

    Parameters
    ----------
    events : AccountEvents
        Writes what is told.
    clock : Clock
        The time that events carry.
    """

    def __init__(self, events: AccountEvents, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._subscriptions: dict[int, dict[Subscription, None]] = {}
        self._told = 0

    @property
    def subscriptions(self) -> int:
        """How many there are."""
        return sum(len(of_account) for of_account in self._subscriptions.values())

    def begin(self, subscription: Subscription) -> None:
        """Tell a connection of an account from now on."""
        self._subscriptions.setdefault(subscription.account, {})[subscription] = None

    def end(self, subscription: Subscription) -> None:
        """Tell a connection no more."""
        of_account = self._subscriptions.get(subscription.account, {})
        of_account.pop(subscription, None)
        if not of_account:
            self._subscriptions.pop(subscription.account, None)

    def tell(self, events: Iterable[SpotEvent]) -> None:
        """Tell of events; each is written once for each unit of time that is wanted."""
        now = self._clock.now()
        for event in events:
            # Counted whoever listens, so that the numbers do not depend on it.
            self._told += 1
            written: dict[int, bytes] = {}
            for one in tuple(self._subscriptions.get(account_of(event), ())):
                unit = one.listener.unit
                if unit not in written:
                    written[unit] = orjson.dumps(self._events.write(event, self._told, now, unit))
                one.listener.send(_wrapped(one, written[unit]))


def say_terminated(subscription: Subscription, now: int) -> None:
    """Tell a connection that one of its subscriptions ended."""
    event = orjson.dumps(terminated(now, subscription.listener.unit))
    subscription.listener.send(_wrapped(subscription, event))


def _wrapped(subscription: Subscription, event: bytes) -> bytes:
    return b'{"subscriptionId":%d,"event":%b}' % (subscription.number, event)
