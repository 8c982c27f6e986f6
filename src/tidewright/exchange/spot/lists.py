"""Order lists: one cancels the other, one triggers the other, one triggers a pair.

The two orders of a pair are tied together in the book. What waits for another order to be filled
waits here, and goes to the book in the same moment; while traders act, at most `STEP` later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidewright.domain.time import MILLISECOND
from tidewright.exchange.spot.orders import KEPT, OpenList, OpenOrder
from tidewright.exchange.spot.values import (
    Kind,
    ListKind,
    NewOrder,
    OrderList,
    Reason,
    Refusal,
    Status,
    TimeInForce,
)

STEP = 100 * MILLISECOND
"""How far the traders act at once while an order waits for another one to be filled."""

_COUNTS = {ListKind.OCO: 2, ListKind.OTO: 2, ListKind.OTOCO: 3}


def sound_list(kind: ListKind, orders: Sequence[NewOrder]) -> None:
    """Refuse orders that make no list of a kind.

    Raises
    ------
    Refusal
        With `Reason.BAD_LIST`, and what was expected.
    """
    if len(orders) != _COUNTS[kind]:
        raise _bad(f"{kind} had {len(orders)} orders; expected {_COUNTS[kind]}")
    if any(order.symbol != orders[0].symbol for order in orders):
        raise _bad("orders had different symbols; expected one")
    names = [order.client_id for order in orders if order.client_id]
    if len(set(names)) != len(names):
        raise Refusal(Reason.DUPLICATE, "client ids of one list were the same")
    if kind is not ListKind.OCO:
        if orders[0].kind not in (Kind.LIMIT, Kind.LIMIT_MAKER):
            raise _bad(f"the working order was {orders[0].kind}; expected LIMIT or LIMIT_MAKER")
        if any(order.money for order in orders):
            raise _bad("a pending order had money to spend; expected a quantity")
    if kind is not ListKind.OTO:
        split_pair(orders[-2:])


def split_pair(orders: Sequence[NewOrder]) -> tuple[NewOrder, NewOrder]:
    """Return the limit order and the stop of a pair.

    Raises
    ------
    Refusal
        With `Reason.BAD_LIST`, if the two are no pair.
    """
    limits = [order for order in orders if order.kind is Kind.LIMIT_MAKER]
    stops = [order for order in orders if order.kind in (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT)]
    if len(limits) != 1 or len(stops) != 1:
        kinds = " and ".join(order.kind for order in orders)
        raise _bad(f"a pair was {kinds}; expected LIMIT_MAKER and STOP_LOSS or STOP_LOSS_LIMIT")
    limit, stop = limits[0], stops[0]
    for name in ("side", "quantity", "iceberg_quantity", "self_trade"):
        one, other = getattr(limit, name), getattr(stop, name)
        if one != other:
            raise _bad(f"{name} was {one} and {other}; expected the same of both")
    if stop.trailing_delta or stop.time_in_force is not TimeInForce.GTC:
        raise _bad("the stop of a pair trailed or was not GTC")
    sign = limit.side.sign
    if (stop.stop_price - limit.price) * sign <= 0:
        raise _bad(f"prices were {limit.price} and {stop.stop_price}; expected the stop beyond")
    return limit, stop


class Lists:
    """The order lists of all accounts.

    Parameters
    ----------
    accounts : int
        How many there are.
    """

    def __init__(self, accounts: int) -> None:
        self.next_id = 1
        self.open: dict[int, OpenList] = {}
        self._known: list[dict[int, OrderList]] = [{} for _ in range(accounts)]

    @property
    def any_pending(self) -> bool:
        """Whether an order waits for another one."""
        return any(one.value.kind is not ListKind.OCO for one in self.open.values())

    def begin(self, value: OrderList, orders: Sequence[OpenOrder]) -> None:
        """Add a list whose orders were taken."""
        self.open[value.id] = OpenList(value, tuple(orders))
        known = self._known[value.account]
        known[value.id] = value
        if len(known) > KEPT:
            oldest = next((key for key, one in known.items() if one.done), None)
            if oldest is not None:
                del known[oldest]

    def finish_if_done(self, number: int) -> OrderList | None:
        """Return a list whose last order ended just now, else None."""
        one = self.open.get(number)
        if one is None or not all(order.status.is_final for order in one.orders):
            return None
        del self.open[number]
        done = replace(one.value, done=True)
        self._known[done.account][number] = done
        return done

    def pending(self, number: int) -> tuple[OpenOrder, ...]:
        """Return the orders of a list that still wait for its first one."""
        one = self.open.get(number)
        if one is None:
            return ()
        return tuple(order for order in one.orders if order.status is Status.PENDING_NEW)

    def find(self, account: int, number: int, client_id: str) -> OrderList:
        """Return an account's list by its id or its client id, the newest of that name.

        Raises
        ------
        Refusal
            If there is none.
        """
        known = self._known[account]
        found = known.get(number)
        if not number:
            found = next(
                (one for one in reversed(known.values()) if one.client_id == client_id), None
            )
        if found is None:
            raise Refusal(Reason.NO_SUCH_ORDER, "order list")
        return found

    def of(self, account: int) -> tuple[OrderList, ...]:
        """Return the lists of an account, oldest first."""
        return tuple(self._known[account].values())


def _bad(detail: str) -> Refusal:
    return Refusal(Reason.BAD_LIST, detail)
