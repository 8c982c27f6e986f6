"""How much one address may ask and one account may order.

Windows begin with the clock: one of a minute at every whole minute. Requests are weighed by
address. Orders are counted by account while they are unfilled: the first fill takes an order off
the count again, and one that rested before it was filled takes five.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidewright.domain.time import DAY, MINUTE, SECOND
from tidewright.servers.venue import errors

_TAKEN_FOR_TAKING, _TAKEN_FOR_MAKING = 1, 5
_LETTERS = {SECOND: "S", MINUTE: "M", DAY: "D"}
_WORDS = {SECOND: "SECOND", MINUTE: "MINUTE", DAY: "DAY"}


@dataclass(frozen=True, slots=True)
class Limit:
    """So much of something in a window.

    Parameters
    ----------
    kind : str
        REQUEST_WEIGHT, RAW_REQUESTS or ORDERS.
    unit : int
        A second, a minute or a day, nanoseconds.
    count : int
        Units in the window.
    most : int
        How much fits into it.
    """

    kind: str
    unit: int
    count: int
    most: int

    @property
    def length(self) -> int:
        """Length of the window, nanoseconds."""
        return self.unit * self.count

    @property
    def letters(self) -> str:
        """Name of the window in headers, such as 10S."""
        return f"{self.count}{_LETTERS[self.unit]}"

    @property
    def interval(self) -> str:
        """Name of the unit, such as SECOND."""
        return _WORDS[self.unit]

    @property
    def words(self) -> str:
        """Name of the window in texts, such as 10 SECOND."""
        return f"{self.count} {self.interval}"


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """The venue's limits.

    Parameters
    ----------
    weight, raw : Limit
        Of requests, by address.
    orders : tuple of Limit
        Of unfilled orders, by account.
    patience : int
        After so many requests that ignored a 429, the address is banned.
    first_ban, longest_ban : int
        Each ban of an address is twice as long as the one before, nanoseconds.
    """

    weight: Limit = Limit("REQUEST_WEIGHT", MINUTE, 1, 6_000)
    raw: Limit = Limit("RAW_REQUESTS", MINUTE, 5, 61_000)
    orders: tuple[Limit, ...] = (
        Limit("ORDERS", SECOND, 10, 100),
        Limit("ORDERS", DAY, 1, 200_000),
    )
    patience: int = 10
    first_ban: int = 2 * MINUTE
    longest_ban: int = 3 * DAY

    @property
    def all(self) -> tuple[Limit, ...]:
        """Every limit, in the order in which the exchange lists them."""
        return (self.weight, *self.orders, self.raw)


class Tally:
    """Counts by name within windows of one length that follow each other without a gap."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._window = -1
        self._counts: dict[object, int] = {}

    def count(self, name: object, now: int) -> int:
        """Return a count in the window of a time."""
        self._move(now)
        return self._counts.get(name, 0)

    def add(self, name: object, amount: int, now: int) -> int:
        """Add to a count, which never falls below 0, and return it."""
        self._move(now)
        value = max(self._counts.get(name, 0) + amount, 0)
        self._counts[name] = value
        return value

    def seconds_left(self, now: int) -> int:
        """Return whole seconds until the next window, at least 1."""
        length = self.limit.length
        return max(-((now % length - length) // SECOND), 1)

    def _move(self, now: int) -> None:
        window = now // self.limit.length
        if window != self._window:
            self._window = window
            self._counts.clear()


@dataclass(slots=True)
class _Offender:
    ignored: int = 0
    bans: int = 0
    until: int = 0


class RequestLimits:
    """Weighs the requests of each address."""

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._weight = Tally(settings.weight)
        self._raw = Tally(settings.raw)
        self._offenders: dict[str, _Offender] = {}

    def spend(self, peer: str, weight: int, now: int) -> int:
        """Take the weight of a request; return how much the address used in this window.

        Raises
        ------
        errors.ApiError
            429 above a limit, 418 while the address is banned.
        """
        offender = self._offenders.get(peer)
        if offender is not None and now < offender.until:
            raise self._ban(offender, now)
        used = self._weight.add(peer, weight, now)
        for tally, total in ((self._weight, used), (self._raw, self._raw.add(peer, 1, now))):
            if total > tally.limit.most:
                raise self._refuse(peer, tally, now)
        if offender is not None:
            offender.ignored = 0
        return used

    def used(self, peer: str, now: int) -> int:
        """Return the weight that an address used in this window."""
        return self._weight.count(peer, now)

    def _refuse(self, peer: str, tally: Tally, now: int) -> errors.ApiError:
        offender = self._offenders.setdefault(peer, _Offender())
        offender.ignored += 1
        if offender.ignored > self._settings.patience:
            length = self._settings.first_ban * 2**offender.bans
            offender.until = now + min(length, self._settings.longest_ban)
            offender.bans += 1
            offender.ignored = 0
            return self._ban(offender, now)
        limit, left = tally.limit, tally.seconds_left(now)
        if tally is self._weight:
            return errors.too_much_weight(limit.most, limit.words, left)
        return errors.too_many_requests(limit.most, limit.words, left)

    def _ban(self, offender: _Offender, now: int) -> errors.ApiError:
        left = -((now - offender.until) // SECOND)
        return errors.banned(offender.until // 1_000_000, left)


class OrderLimits:
    """Counts the unfilled orders of each account."""

    def __init__(self, settings: LimitSettings) -> None:
        self._tallies = tuple(Tally(limit) for limit in settings.orders)

    def check(self, account: int, orders: int, now: int) -> None:
        """Refuse orders above a limit.

        Raises
        ------
        errors.ApiError
            429.
        """
        for tally in self._tallies:
            if tally.count(account, now) + orders > tally.limit.most:
                limit = tally.limit
                raise errors.too_many_orders(limit.most, limit.words, tally.seconds_left(now))

    def add(self, account: int, orders: int, now: int) -> None:
        """Count orders that were placed."""
        for tally in self._tallies:
            tally.add(account, orders, now)

    def first_fill(self, account: int, now: int, *, rested: bool) -> None:
        """Take an order off the count when it first trades."""
        taken = _TAKEN_FOR_MAKING if rested else _TAKEN_FOR_TAKING
        for tally in self._tallies:
            tally.add(account, -taken, now)

    def counts(self, account: int, now: int) -> tuple[tuple[Limit, int], ...]:
        """Return each limit and how much of it is used."""
        return tuple((tally.limit, tally.count(account, now)) for tally in self._tallies)
