"""The counter of one symbol: words become messages to its compiled book, answers become words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.orders import OpenOrder
from tidewright.exchange.spot.values import (
    Kind,
    NewOrder,
    Reason,
    Refusal,
    SelfTrade,
    TimeInForce,
)
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.run import process

MOST_ICEBERGS = 200
"""Iceberg orders in one book, so that the log has room for all their parts."""
MOST_ORDERS = 16_000
"""Orders in one book, so that the log has room for what one message may do to all of them."""

_GUARDS: Mapping[SelfTrade, int] = MappingProxyType(
    {
        SelfTrade.NONE: at.NO_GUARD,
        SelfTrade.EXPIRE_TAKER: at.EXPIRE_TAKER,
        SelfTrade.EXPIRE_MAKER: at.EXPIRE_MAKER,
        SelfTrade.EXPIRE_BOTH: at.EXPIRE_BOTH,
        SelfTrade.DECREMENT: at.DECREMENT,
    }
)
_KINDS: Mapping[TimeInForce, int] = MappingProxyType(
    {
        TimeInForce.GTC: at.LIMIT,
        TimeInForce.IOC: at.IMMEDIATE,
        TimeInForce.FOK: at.ALL_OR_NONE,
    }
)
_MARKET_KINDS = frozenset({Kind.MARKET, Kind.STOP_LOSS, Kind.TAKE_PROFIT})
_REFUSALS: Mapping[int, tuple[Reason, str]] = MappingProxyType(
    {
        at.UNKNOWN_ORDER: (Reason.UNKNOWN_ORDER, ""),
        at.BAD_PRICE: (Reason.FILTER, "PRICE_FILTER"),
        at.BAD_LOTS: (Reason.FILTER, "LOT_SIZE"),
        at.NO_BALANCE: (Reason.NO_BALANCE, ""),
        at.WOULD_TAKE: (Reason.WOULD_TAKE, ""),
        at.WOULD_TRIGGER: (Reason.WOULD_TRIGGER, ""),
        at.BOOK_FULL: (Reason.BOOK_FULL, ""),
        at.NO_LIQUIDITY: (Reason.NO_LIQUIDITY, ""),
        at.BAD_ACCOUNT: (Reason.NOT_ALLOWED, "account"),
        at.BAD_KIND: (Reason.NOT_ALLOWED, "kind"),
    }
)


def rises(order: NewOrder) -> int:
    """Return 1 for an order that waits for a price above, -1 for one below."""
    stops = order.kind in (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT)
    return order.side.sign if stops else -order.side.sign


class Desk:
    """Sends what accounts ask for to one book.

    Parameters
    ----------
    listing : Listing
        What is traded.
    book, accounts, log : int64 arrays
        As `kernels.matching.run.process` takes them.
    first_user : int
        Row of account 0.

    Attributes
    ----------
    words : memoryview
        The book, to read and write single numbers.
    by_handle : dict
        The users' orders in the book, by the book's name for them.
    next_order, next_prevention : int
        Ids to be given next.
    """

    def __init__(
        self, listing: Listing, book: Int64, accounts: Int64, log: Int64, first_user: int
    ) -> None:
        self.listing = listing
        self.book = book
        # A memory view gives plain integers in a fraction of the time that an array takes.
        self.words = book.data
        self.log = log
        self.first_user = first_user
        self.by_handle: dict[int, OpenOrder] = {}
        self.next_order = 1
        self.next_prevention = 1
        self._accounts = accounts
        self._message = np.zeros((1, at.N_MESSAGE), np.int64)
        self._answer = np.zeros(1, np.int64)

    @property
    def last(self) -> int:
        """The last price, units; the start price before the first trade."""
        return int(self.words[at.LAST] * self.listing.tick)

    def place(self, account: int, order: NewOrder, time: int) -> int:
        """Send an order and return its handle; its rows are in the log.

        Raises
        ------
        Refusal
            If the book did not take it.
        """
        waits = order.kind.waits
        self._make_room(order.iceberg_quantity > 0)
        return self._send(
            time,
            (
                at.PLACE,
                self.first_user + account,
                order.side.sign,
                self._kind(order),
                order.price // self.listing.tick,
                order.quantity // self.listing.step,
                order.stop_price // self.listing.tick if waits else 0,
                order.iceberg_quantity // self.listing.step,
                order.trailing_delta if waits else 0,
                _GUARDS[order.self_trade],
                0,
                0,
                order.money,
                rises(order) if waits else 0,
            ),
        )

    def place_pair(self, account: int, limit: NewOrder, stop: NewOrder, time: int) -> int:
        """Send a limit order and a stop of which one ends the other; return the first's handle."""
        listing = self.listing
        self._make_room(limit.iceberg_quantity > 0)
        return self._send(
            time,
            (
                at.PLACE_PAIR,
                self.first_user + account,
                limit.side.sign,
                at.POST_ONLY,
                limit.price // listing.tick,
                limit.quantity // listing.step,
                stop.stop_price // listing.tick,
                limit.iceberg_quantity // listing.step,
                0,
                _GUARDS[limit.self_trade],
                0,
                stop.price // listing.tick,
                0,
                0,
            ),
        )

    def cancel(self, order: OpenOrder, time: int) -> None:
        """End an order."""
        self._send(
            time,
            (at.CANCEL, self.first_user + order.account, *(0,) * 8, order.handle, 0, 0, 0),
        )

    def reduce(self, order: OpenOrder, left: int, time: int) -> None:
        """Make what is left of a resting order smaller where it stands."""
        lots = left // self.listing.step
        account = self.first_user + order.account
        self._send(time, (at.REDUCE, account, 0, 0, 0, lots, 0, 0, 0, 0, order.handle, 0, 0, 0))

    def rows(self) -> list[list[int]]:
        """Return the log's rows without emptying it."""
        count = self.words[at.LOG_ROWS]
        if not count:
            return []
        found: list[list[int]] = self.log[:count].tolist()
        return found

    def stop_of(self, order: OpenOrder) -> int:
        """Return the price for which an order waits now."""
        row = at.HEADER + (order.handle & (self.words[at.CAPACITY] - 1)) * at.N_ORDER
        if self.words[row + at.HANDLE] != order.handle:
            return order.stop_price
        return int(self.words[row + at.STOP] * self.listing.tick) or order.stop_price

    def _make_room(self, iceberg: bool) -> None:
        """Refuse an order for which there may be no room."""
        if self.words[at.LIVE] >= MOST_ORDERS:
            raise Refusal(Reason.BOOK_FULL, f"{MOST_ORDERS} orders")
        if iceberg and self.words[at.ICEBERGS] >= MOST_ICEBERGS:
            raise Refusal(Reason.BOOK_FULL, f"{MOST_ICEBERGS} iceberg orders")

    def _send(self, time: int, fields: tuple[int, ...]) -> int:
        self._message[0] = fields
        self.words[at.NOW] = time
        done = process(self.book, self._accounts, self.log, self._message, self._answer, 0)
        answer = int(self._answer[0]) if done else at.BOOK_FULL
        if answer < 0:
            reason, detail = _REFUSALS[answer]
            raise Refusal(reason, detail)
        return answer

    def _kind(self, order: NewOrder) -> int:
        if order.kind in _MARKET_KINDS:
            return at.MARKET
        if order.kind is Kind.LIMIT_MAKER:
            return at.POST_ONLY
        return _KINDS[order.time_in_force]
