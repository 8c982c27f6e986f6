"""Orders that are open, and what an account can look up of those that are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tidewright.exchange.spot.values import (
    NewOrder,
    OrderList,
    Prevention,
    SpotFill,
    SpotOrder,
    Status,
)

T = TypeVar("T")

KEPT = 10_000
"""Finished orders of an account that can be looked up, and fills and the like of each symbol."""


@dataclass(slots=True)
class OpenOrder:
    """An order that may still change; fields as in `SpotOrder`.

    Parameters
    ----------
    handle : int
        What the compiled book calls it; 0 before it got there.
    amends : int
        How often it was made smaller.
    """

    id: int
    account: int
    terms: NewOrder
    quantity: int
    placed: int
    updated: int
    handle: int = 0
    status: Status = Status.NEW
    list_id: int = -1
    executed: int = 0
    spent: int = 0
    working: bool = False
    working_since: int = 0
    prevented: int = 0
    prevented_match: int = 0
    stop_price: int = 0
    trailing_since: int = 0
    amends: int = 0

    @property
    def left(self) -> int:
        """Quantity that may still trade."""
        return self.quantity - self.executed - self.prevented

    def view(self) -> SpotOrder:
        """Return it as it stands now."""
        return SpotOrder(
            self.id,
            self.account,
            self.terms,
            self.quantity,
            self.status,
            self.placed,
            self.updated,
            self.list_id,
            self.executed,
            self.spent,
            self.working,
            self.working_since,
            self.prevented,
            self.prevented_match,
            self.stop_price,
            self.trailing_since,
        )


class Recent(Generic[T]):
    """The newest things of their kind; older ones are forgotten in batches."""

    __slots__ = ("_items", "_most")

    def __init__(self, most: int = KEPT) -> None:
        self._items: list[T] = []
        self._most = most

    def add(self, item: T) -> None:
        """Keep one more."""
        self._items.append(item)
        if len(self._items) >= 2 * self._most:
            del self._items[: -self._most]

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)


@dataclass(slots=True)
class Shelf:
    """What one account has, and had, in one symbol."""

    open: dict[int, OpenOrder] = field(default_factory=dict)
    by_client: dict[str, OpenOrder] = field(default_factory=dict)
    finished: dict[int, SpotOrder] = field(default_factory=dict)
    finished_by_client: dict[str, int] = field(default_factory=dict)
    fills: Recent[SpotFill] = field(default_factory=Recent)
    preventions: Recent[Prevention] = field(default_factory=Recent)
    algos: int = 0
    icebergs: int = 0
    lists: int = 0

    def put(self, order: OpenOrder) -> None:
        """Add an open order."""
        self.open[order.id] = order
        self.by_client[order.terms.client_id] = order
        self._count(order, 1)

    def rename(self, order: OpenOrder, terms: NewOrder) -> None:
        """Give an open order terms with another client id."""
        del self.by_client[order.terms.client_id]
        order.terms = terms
        self.by_client[terms.client_id] = order

    def finish(self, order: OpenOrder, final: SpotOrder) -> None:
        """Move an order to those that are finished."""
        del self.open[order.id]
        del self.by_client[order.terms.client_id]
        self._count(order, -1)
        self.finished[order.id] = final
        self.finished_by_client[order.terms.client_id] = order.id

    def forget(self, number: int) -> None:
        """Remember a finished order no more."""
        order = self.finished.pop(number)
        if self.finished_by_client.get(order.terms.client_id) == number:
            del self.finished_by_client[order.terms.client_id]

    def _count(self, order: OpenOrder, by: int) -> None:
        if order.terms.kind.waits:
            self.algos += by
        if order.terms.iceberg_quantity:
            self.icebergs += by


class Shelves:
    """Every account's orders, by symbol.

    Parameters
    ----------
    accounts : int
        How many there are.
    symbols : tuple of str
        What they trade.
    """

    def __init__(self, accounts: int, symbols: tuple[str, ...]) -> None:
        self.of_account = [{symbol: Shelf() for symbol in symbols} for _ in range(accounts)]
        self._finished: list[deque[tuple[Shelf, int]]] = [deque() for _ in range(accounts)]

    def at(self, account: int, symbol: str) -> Shelf:
        """Return what an account has in a symbol."""
        return self.of_account[account][symbol]

    def finish(self, order: OpenOrder) -> SpotOrder:
        """Move an order to those that are finished, of which the newest `KEPT` remain."""
        final = order.view()
        shelf = self.of_account[order.account][order.terms.symbol]
        shelf.finish(order, final)
        finished = self._finished[order.account]
        finished.append((shelf, order.id))
        if len(finished) > KEPT:
            oldest, number = finished.popleft()
            oldest.forget(number)
        return final


@dataclass(slots=True)
class OpenList:
    """An order list that may still change."""

    value: OrderList
    orders: tuple[OpenOrder, ...]
