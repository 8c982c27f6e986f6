"""What faults do to the venue as a whole: its clock, its symbols, its address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Protocol

from tidewright.domain.errors import ConfigError, nearest
from tidewright.exchange.faults import FaultScript
from tidewright.exchange.faults.actions import (
    Clock,
    Filters,
    Restart,
    SetStatus,
    VenueAction,
)
from tidewright.exchange.spot.listing import Filter, Listing
from tidewright.exchange.spot.values import SymbolStatus
from tidewright.servers.venue import clock as clocks


class ShiftedClock:
    """The time that the venue tells its clients: the true time and a shift.

    Alarms measure lengths, and a shift changes none.

    Parameters
    ----------
    true : Clock
        The clock beneath.
    """

    def __init__(self, true: clocks.Clock) -> None:
        self._true = true
        self.shift = 0

    def now(self) -> int:
        """Return the time told, nanoseconds UTC."""
        return self._true.now() + self.shift

    def call_later(self, delay: float, call: Callable[[], None]) -> clocks.Alarm:
        """Call once after so many seconds of venue time."""
        return self._true.call_later(delay, call)


class Market(Protocol):
    """What faults change of an exchange."""

    @property
    def listings(self) -> Mapping[str, Listing]:
        """The symbols as they are now."""

    def set_status(self, symbol: str, status: SymbolStatus) -> None:
        """Change whether a symbol trades."""

    def set_filters(self, symbol: str, filters: tuple[Filter, ...]) -> None:
        """Change a symbol's filters."""


class Effects:
    """Carries out what happens to the venue.

    Parameters
    ----------
    clock : ShiftedClock
        The time that clients are told.
    market : Market
        The exchange.
    """

    def __init__(self, clock: ShiftedClock, market: Market) -> None:
        self._clock = clock
        self._market = market
        self._away_until = 0

    def is_away(self, now: int) -> bool:
        """Return whether the venue takes no connections at a true time."""
        return now < self._away_until

    def apply(self, action: VenueAction, now: int) -> bool:
        """Carry out one action; return whether every connection must be cut."""
        match action:
            case Clock():
                self._clock.shift = action.shift
            case SetStatus():
                self._market.set_status(action.symbol, action.status)
            case Filters():
                filters = changed_filters(self._market.listings[action.symbol], action)
                self._market.set_filters(action.symbol, filters)
            case Restart():
                self._away_until = max(self._away_until, now + action.time)
                return True
        return False


def changed_filters(listing: Listing, action: Filters) -> tuple[Filter, ...]:
    """Return a symbol's filters after a change.

    Raises
    ------
    ConfigError
        If the symbol has no such filter, or its tick or step would not be a whole number of those
        of its book.
    """
    found = {one.name: one for one in listing.filters}
    for name, field, value in action.changes:
        if name not in found:
            raise ConfigError(
                f"{listing.symbol} has no filter {name}; expected one of "
                f"{', '.join(found) or 'none'}{nearest(name, found)}"
            )
        grain = {"tick": listing.tick, "step": listing.step}.get(field, 1)
        if value % grain:
            raise ConfigError(
                f"{listing.symbol}: {name} {field} was {value}e-8; expected whole {grain}e-8, "
                "as its book has them"
            )
        found[name] = _changed(found[name], field, value)
    return tuple(found.values())


def _changed(one: Filter, field: str, value: int) -> Filter:
    parts = {part.name: getattr(one, part.name) for part in fields(one)}
    return type(one)(**{**parts, field: value})


def check_script(script: FaultScript, listings: Mapping[str, Listing]) -> None:
    """Refuse a script whose symbols or filters the exchange does not have.

    Raises
    ------
    ConfigError
        Naming the rule and what was expected.
    """
    for rule in script.rules:
        for action in rule.actions:
            if not isinstance(action, Filters | SetStatus):
                continue
            listing = listings.get(action.symbol)
            if listing is None:
                raise ConfigError(
                    f"rule {rule.name!r}: symbol {action.symbol!r} is not listed; expected one of "
                    f"{', '.join(listings)}{nearest(action.symbol, listings)}"
                )
            if isinstance(action, Filters):
                changed_filters(listing, action)
