"""How much may still be asked: windows of weight and orders, reserves, pauses.

Windows are aligned to the venue's clock: a minute's window begins with each minute. What is used
is what the venue says, when it says more than we counted, because others may share the address.

A part of every window is kept back: orders stop first, questions later, and cancels may use all of
it, so that a busy trader can always learn where it stands and take its orders back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from tidewright.domain.time import DAY, HOUR, MINUTE, SECOND


class Urgency(Enum):
    """What a request is for; the value is the share of a window that it leaves, in percent."""

    ORDER = 20
    QUERY = 10
    CANCEL = 0


class Kind(StrEnum):
    """What a window counts."""

    WEIGHT = "REQUEST_WEIGHT"
    ORDERS = "ORDERS"
    REQUESTS = "RAW_REQUESTS"


_UNITS = {"SECOND": SECOND, "MINUTE": MINUTE, "HOUR": HOUR, "DAY": DAY}
_HEADERS = {Kind.WEIGHT: "x-mbx-used-weight-", Kind.ORDERS: "x-mbx-order-count-"}


@dataclass(frozen=True, slots=True)
class Window:
    """One limit of the venue, and how much of it is used.

    Parameters
    ----------
    kind : Kind
        What is counted.
    unit : str
        ``SECOND``, ``MINUTE``, ``HOUR`` or ``DAY``.
    count : int
        Units in the window, > 0.
    limit : int
        Most that it may hold.
    number : int
        Which window the use is of, counted since 1970.
    used : int
        How much of it is used.
    """

    kind: Kind
    unit: str
    count: int
    limit: int
    number: int = 0
    used: int = 0

    @property
    def length(self) -> int:
        """Length in nanoseconds."""
        return self.count * _UNITS[self.unit]

    @property
    def header(self) -> str:
        """Name of the header that tells its use, in lower case; empty where none does."""
        start = _HEADERS.get(self.kind, "")
        return f"{start}{self.count}{self.unit[0].lower()}" if start else ""

    def at(self, now: int) -> Window:
        """Return the window as it is at a time of the venue: empty when a new one has begun."""
        number = now // self.length
        return self if number <= self.number else replace(self, number=number, used=0)

    def room(self, urgency: Urgency) -> int:
        """Return how much more a request of some urgency may use."""
        return self.limit - self.limit * urgency.value // 100 - self.used

    def rest(self, now: int) -> int:
        """Return nanoseconds until the next window begins."""
        return (self.number + 1) * self.length - now


DEFAULT_WINDOWS = (
    Window(Kind.WEIGHT, "MINUTE", 1, 6_000),
    Window(Kind.REQUESTS, "MINUTE", 5, 61_000),
    Window(Kind.ORDERS, "SECOND", 10, 50),
    Window(Kind.ORDERS, "DAY", 1, 160_000),
)
"""What holds until exchangeInfo was read."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be asked, at times of the venue's clock.

    Parameters
    ----------
    windows : tuple of Window
        The venue's limits.
    paused_until : int
        Nothing may be asked before, nanoseconds UTC.
    orders_paused_until : int
        No order may be placed before, nanoseconds UTC.
    """

    windows: tuple[Window, ...] = DEFAULT_WINDOWS
    paused_until: int = 0
    orders_paused_until: int = 0

    def wait(self, weight: int, orders: int, urgency: Urgency, now: int) -> int:
        """Return nanoseconds until a request may be sent; 0 when it may be sent now.

        Parameters
        ----------
        weight : int
            The request's weight.
        orders : int
            Orders that it places.
        urgency : Urgency
            What it is for.
        now : int
            The venue's time, nanoseconds UTC.
        """
        waits = [self.paused_until - now]
        if orders:
            waits.append(self.orders_paused_until - now)
        for window in self.windows:
            current = window.at(now)
            cost = _cost(current.kind, weight, orders)
            if cost and cost > current.room(urgency):
                waits.append(current.rest(now))
        return max(0, *waits)

    def spent(self, weight: int, orders: int, now: int) -> Budget:
        """Return the budget after a request was sent; what is never answered counts too."""
        windows = tuple(_add(window.at(now), weight, orders) for window in self.windows)
        return replace(self, windows=windows)

    def heard(self, headers: Mapping[str, str], now: int) -> Budget:
        """Return the budget after an answer's headers; the larger of two counts is believed.

        Orders are the exception: the venue takes filled ones off its count, so what it says holds.

        Parameters
        ----------
        headers : mapping of str to str
            Names in lower case.
        now : int
            The venue's time when the answer came, nanoseconds UTC.
        """
        return replace(self, windows=tuple(_told(one.at(now), headers) for one in self.windows))

    def paused(self, seconds: float, now: int) -> Budget:
        """Return the budget after 429 or 418; no pause gets shorter."""
        return replace(self, paused_until=max(self.paused_until, now + round(seconds * SECOND)))

    def orders_paused(self, seconds: float, now: int) -> Budget:
        """Return the budget after too many orders; questions and cancels go on."""
        until = now + round(seconds * SECOND)
        return replace(self, orders_paused_until=max(self.orders_paused_until, until))

    def limited(self, windows: Sequence[Window]) -> Budget:
        """Return the budget under limits read from exchangeInfo; what is used stays used."""
        old = {(one.kind, one.unit, one.count): one for one in self.windows}
        return replace(self, windows=tuple(_carried(one, old) for one in windows) or self.windows)


def _cost(kind: Kind, weight: int, orders: int) -> int:
    return {Kind.WEIGHT: weight, Kind.ORDERS: orders, Kind.REQUESTS: 1}[kind]


def _add(window: Window, weight: int, orders: int) -> Window:
    return replace(window, used=window.used + _cost(window.kind, weight, orders))


def _told(window: Window, headers: Mapping[str, str]) -> Window:
    said = headers.get(window.header, "") if window.header else ""
    if not (said.isascii() and said.isdigit()):
        return window
    used = int(said) if window.kind is Kind.ORDERS else max(window.used, int(said))
    return replace(window, used=used)


def _carried(window: Window, old: Mapping[tuple[Kind, str, int], Window]) -> Window:
    known = old.get((window.kind, window.unit, window.count))
    return window if known is None else replace(window, number=known.number, used=known.used)
