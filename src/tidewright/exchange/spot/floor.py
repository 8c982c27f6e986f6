"""The trading floor: orders and order lists are checked, sent to the books and followed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tidewright.domain.time import SECOND
from tidewright.exchange.spot.accounts import SpotAccount, Wallets
from tidewright.exchange.spot.clerk import Clerk
from tidewright.exchange.spot.desk import Desk
from tidewright.exchange.spot.filters import Standing, check_filters, check_lists
from tidewright.exchange.spot.listing import CountFilter
from tidewright.exchange.spot.lists import Lists, sound_list, split_pair
from tidewright.exchange.spot.orders import OpenOrder, Shelf, Shelves
from tidewright.exchange.spot.tape import Tape
from tidewright.exchange.spot.values import (
    Execution,
    Kind,
    ListEvent,
    ListKind,
    NewOrder,
    OrderList,
    Placed,
    Reason,
    Refusal,
    SpotOrder,
    Status,
    SymbolStatus,
    TimeInForce,
)
from tidewright.kernels.matching import layout as at

_ICEBERG_KINDS = frozenset(
    {Kind.LIMIT, Kind.LIMIT_MAKER, Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT_LIMIT}
)


class Floor:
    """Carries out what accounts ask for at one moment.

    Parameters
    ----------
    desks : mapping of str to Desk
        The books, by symbol.
    accounts : sequence of SpotAccount
        Who may ask.
    shelves, wallets, clerk, tape
        Orders, balances, what keeps them true, and market data.
    filters : sequence of CountFilter
        Filters of the whole exchange.
    epoch : int
        When the books' time began, nanoseconds.

    Attributes
    ----------
    now : int
        The time of the request, nanoseconds UTC.
    """

    def __init__(
        self,
        desks: Mapping[str, Desk],
        accounts: Sequence[SpotAccount],
        parts: tuple[Shelves, Wallets, Clerk, Tape],
        filters: Sequence[CountFilter],
        epoch: int,
    ) -> None:
        self.desks = desks
        self.lists = Lists(len(accounts))
        self.now = epoch
        self.shelves, self.wallets, self.clerk, self.tape = parts
        self._accounts = accounts
        self._filters = filters
        self._epoch = epoch
        self._names = 0
        self._averages: dict[tuple[str, int], tuple[tuple[int, int], int]] = {}

    def desk(self, symbol: str) -> Desk:
        """Return a symbol's desk; raises `Refusal` where there is none."""
        found = self.desks.get(symbol)
        if found is None:
            raise Refusal(Reason.UNKNOWN_SYMBOL, symbol)
        return found

    def new_name(self) -> str:
        """Return a client id for a request that brought none."""
        self._names += 1
        return f"venue-{self._names:016d}"

    # checks

    def check(self, account: int, order: NewOrder, more: int = 0) -> Desk:
        """Refuse an order that may not go to its book, and return its desk.

        Parameters
        ----------
        account : int
            Who asks.
        order : NewOrder
            For what.
        more : int
            Orders of the same list that were checked before it.

        Raises
        ------
        Refusal
            If it may not.
        """
        desk = self.desk(order.symbol)
        listing, shelf = desk.listing, self.shelves.at(account, order.symbol)
        if listing.status is not SymbolStatus.TRADING:
            raise Refusal(Reason.MARKET_CLOSED, listing.status.value)
        if not self._accounts[account].may_trade:
            raise Refusal(Reason.NOT_ALLOWED, "account")
        if order.kind not in listing.kinds:
            raise Refusal(Reason.NOT_ALLOWED, order.kind.value)
        if order.self_trade not in listing.self_trades:
            raise Refusal(Reason.NOT_ALLOWED, f"self-trade prevention {order.self_trade}")
        _check_form(order)
        if order.client_id and order.client_id in shelf.by_client:
            raise Refusal(Reason.DUPLICATE, order.client_id)
        check_filters(listing, order, self._standing(account, desk, shelf, more), self._filters)
        return desk

    def _standing(self, account: int, desk: Desk, shelf: Shelf, more: int = 0) -> Standing:
        return Standing(
            shelf,
            lambda: tuple(self.shelves.of_account[account].values()),
            lambda: sum(self.wallets.of(account, desk.listing.base)),
            lambda minutes: self._average(desk, minutes),
            more,
        )

    def _average(self, desk: Desk, minutes: int) -> int:
        """Return the average price of some minutes, which lasts until a second or a trade later."""
        symbol = desk.listing.symbol
        mark = -(-self.now // SECOND), desk.words[at.TRADES]
        known = self._averages.get((symbol, minutes))
        if known is None or known[0] != mark:
            known = mark, self.tape.average(symbol, minutes, self.now)
            self._averages[symbol, minutes] = known
        return known[1]

    # orders

    def place(self, account: int, order: NewOrder) -> Placed:
        """Check an order and send it to its book."""
        desk = self.check(account, order)
        self.clerk.begin()
        handle = desk.place(account, order, self.now - self._epoch)
        rows = desk.rows()
        placed = self._new(desk, account, order)
        if order.money:
            placed.quantity = _lots(rows, handle) * desk.listing.step
        self.clerk.took(desk, placed, handle)
        self._read(desk, rows)
        self.settle()
        return self._placed(placed)

    def _new(self, desk: Desk, account: int, order: NewOrder, list_id: int = -1) -> OpenOrder:
        """Return an order with an id of its own."""
        if not order.client_id:
            order = replace(order, client_id=self.new_name())
        number = desk.next_order
        desk.next_order += 1
        found = OpenOrder(number, account, order, order.quantity, self.now, self.now)
        found.list_id = list_id
        found.stop_price = order.stop_price
        return found

    def _placed(self, order: OpenOrder) -> Placed:
        clerk, symbol = self.clerk, order.terms.symbol
        fills = tuple(
            fill
            for fill in clerk.fills
            if fill.order_id == order.id and fill.symbol == symbol and not fill.makes
        )
        preventions = tuple(one for one in clerk.preventions if one.taker_order == order.id)
        return Placed(self.view(order), fills, preventions)

    def view(self, order: OpenOrder) -> SpotOrder:
        """Return an order as it stands; a trailing stop with the price it waits for now."""
        if order.terms.trailing_delta and not order.working and order.handle:
            order.stop_price = self.desks[order.terms.symbol].stop_of(order)
        return order.view()

    def cancel(self, order: OpenOrder, request_id: str = "") -> SpotOrder:
        """End an order, and those that are in a list with it."""
        symbol = order.terms.symbol
        desk = self.desks[symbol]
        self.clerk.begin()
        request_id = request_id or self.new_name()
        for one in self._together(order):
            if not one.status.is_final:
                self._cancel_one(desk, one, request_id)
        self.settle()
        return self.shelves.at(order.account, symbol).finished[order.id]

    def _together(self, order: OpenOrder) -> tuple[OpenOrder, ...]:
        """Return an order and those that the book does not know to be in a list with it."""
        if self.lists.pending(order.list_id):
            return self.lists.open[order.list_id].orders
        return (order,)

    def _cancel_one(self, desk: Desk, order: OpenOrder, request_id: str) -> None:
        if order.handle:
            desk.cancel(order, self.now - self._epoch)
            self._read(desk, desk.rows(), request_id=request_id)
        self.clerk.end(
            desk,
            order,
            Status.CANCELED,
            self.now,
            execution=Execution.CANCELED,
            request_id=request_id,
        )

    def amend(self, order: OpenOrder, quantity: int, client_id: str) -> SpotOrder:
        """Make an order smaller where it stands."""
        desk, terms = self.desks[order.terms.symbol], order.terms
        shelf = self.shelves.at(order.account, terms.symbol)
        if desk.listing.status is not SymbolStatus.TRADING:
            raise Refusal(Reason.MARKET_CLOSED, desk.listing.status.value)
        if client_id and shelf.by_client.get(client_id) not in (None, order):
            raise Refusal(Reason.DUPLICATE, client_id)
        if not order.executed + order.prevented < quantity < order.quantity:
            raise Refusal(
                Reason.BAD_AMEND,
                f"quantity was {quantity}; expected above what traded and below {order.quantity}",
            )
        most = desk.listing.filter("MAX_NUM_ORDER_AMENDS")
        if isinstance(most, CountFilter) and order.amends >= most.most:
            raise Refusal(Reason.FILTER, most.name)
        smaller = replace(terms, quantity=quantity)
        standing = self._standing(order.account, desk, shelf)
        check_filters(desk.listing, smaller, standing, (), counts=False)
        if order.status is not Status.PENDING_NEW:
            left = quantity - order.executed - order.prevented
            try:
                desk.reduce(order, left, self.now - self._epoch)
            except Refusal as refusal:
                raise Refusal(
                    Reason.BAD_AMEND, "it waits for a price or is one of a pair"
                ) from refusal
        elif len(self.lists.open[order.list_id].orders) > 2:
            raise Refusal(Reason.BAD_AMEND, "it is one of a pair")
        order.quantity = quantity
        order.amends += 1
        before = terms.client_id
        shelf.rename(order, replace(terms, client_id=client_id or self.new_name()))
        view = self.clerk.changed(desk, order, self.now, before)
        self.settle()
        return view

    # order lists

    def place_list(
        self, account: int, kind: ListKind, orders: Sequence[NewOrder], client_id: str
    ) -> tuple[OrderList, tuple[Placed, ...]]:
        """Check the orders of a list and send what does not wait for another one."""
        sound_list(kind, orders)
        desk = self.desk(orders[0].symbol)
        for number, order in enumerate(orders):
            self.check(account, order, number)
        shelf = self.shelves.at(account, orders[0].symbol)
        check_lists(desk.listing, self._standing(account, desk, shelf), self._filters)
        self.clerk.begin()
        time = self.now - self._epoch
        if kind is ListKind.OCO:
            handles = self._send_pair(desk, account, orders, time)
        else:
            handles = (desk.place(account, orders[0], time), *(0,) * (len(orders) - 1))
        rows = desk.rows()
        number, self.lists.next_id = self.lists.next_id, self.lists.next_id + 1
        placed = tuple(self._new(desk, account, order, number) for order in orders)
        for taken, handle in zip(placed, handles, strict=True):
            taken.status = Status.NEW if handle else Status.PENDING_NEW
            self.clerk.took(desk, taken, handle)
        value = OrderList(
            number,
            account,
            orders[0].symbol,
            kind,
            client_id or self.new_name(),
            tuple(order.id for order in placed),
            False,
            self.now,
        )
        shelf.lists += 1
        self.lists.begin(value, placed)
        self.clerk.events.append(ListEvent(value, self.now))
        self._read(desk, rows)
        self.settle()
        return self.lists.find(account, number, ""), tuple(map(self._placed, placed))

    def _send_pair(
        self, desk: Desk, account: int, orders: Sequence[NewOrder], time: int
    ) -> tuple[int, ...]:
        """Send a pair and return the handles of its orders, in their order."""
        limit, stop = split_pair(orders)
        try:
            first = desk.place_pair(account, limit, stop, time)
        except Refusal as refusal:
            if refusal.reason in (Reason.WOULD_TAKE, Reason.WOULD_TRIGGER):
                raise Refusal(Reason.BAD_LIST, refusal.reason.value) from refusal
            raise
        second = next(row[at.MAKER] for row in desk.rows() if row[at.EVENT] == at.PAIRED)
        return tuple(first if order is limit else second for order in orders)

    # what follows from what happened

    def settle(self) -> None:
        """Follow up ended orders: others of their lists enter or end, done lists are told of."""
        ended = self.clerk.ended
        while ended:
            order = ended.pop(0)
            if order.list_id < 0:
                continue
            waiting = self.lists.pending(order.list_id)
            if waiting and order.status is Status.FILLED:
                self._send_waiting(waiting)
            elif waiting and order is self.lists.open[order.list_id].orders[0]:
                self._end_waiting(order, waiting)
            done = self.lists.finish_if_done(order.list_id)
            if done is not None:
                self.shelves.at(done.account, done.symbol).lists -= 1
                self.clerk.events.append(ListEvent(done, order.updated))
        self.clerk.tell_balances(self.now)

    def _end_waiting(self, order: OpenOrder, waiting: Sequence[OpenOrder]) -> None:
        """End orders whose first one ended unfilled, the way it did."""
        if order.status is Status.CANCELED:
            return
        desk = self.desks[order.terms.symbol]
        for one in waiting:
            self.clerk.end(desk, one, Status.EXPIRED, order.updated)

    def _send_waiting(self, waiting: Sequence[OpenOrder]) -> None:
        """Send orders that waited for one that is filled now."""
        desk, account = self.desks[waiting[0].terms.symbol], waiting[0].account
        terms = [replace(one.terms, quantity=one.quantity) for one in waiting]
        time = self.now - self._epoch
        try:
            if len(waiting) > 1:
                handles = self._send_pair(desk, account, terms, time)
            else:
                handles = (desk.place(account, terms[0], time),)
        except Refusal:
            for one in waiting:
                self.clerk.end(desk, one, Status.REJECTED, self.now, execution=Execution.REJECTED)
            return
        rows = desk.rows()
        for one, handle in zip(waiting, handles, strict=True):
            self.clerk.works(desk, one, handle, self.now)
        self._read(desk, rows)

    def _read(self, desk: Desk, rows: list[list[int]], *, request_id: str = "") -> None:
        """Carry the log of a message into orders and market data, and empty it."""
        if not rows:
            return
        if any(row[at.EVENT] == at.TRADED for row in rows):
            self.tape.add(desk.listing.symbol, desk.log[: len(rows)])
        desk.words[at.LOG_ROWS] = 0
        for row in rows:
            self.clerk.read(desk, row, request_id=request_id)


def _check_form(order: NewOrder) -> None:
    """Refuse an order that is none of its kind."""
    if order.money and order.kind is not Kind.MARKET:
        raise Refusal(Reason.NOT_ALLOWED, f"a {order.kind} order for money")
    if order.kind.waits and not order.stop_price and not order.trailing_delta:
        raise Refusal(Reason.NOT_ALLOWED, f"a {order.kind} order that waits for no price")
    if not order.iceberg_quantity:
        return
    if order.kind not in _ICEBERG_KINDS or order.time_in_force is not TimeInForce.GTC:
        raise Refusal(
            Reason.BAD_ICEBERG,
            f"it was {order.kind} {order.time_in_force}; expected a limit order that is GTC",
        )
    if order.iceberg_quantity > order.quantity:
        raise Refusal(
            Reason.BAD_ICEBERG,
            f"it showed {order.iceberg_quantity} of {order.quantity}; expected no more than all",
        )


def _lots(rows: Sequence[Sequence[int]], handle: int) -> int:
    """Return the lots that an order for money was for: what traded, was kept apart or left."""
    lots = 0
    for row in rows:
        if row[at.TAKER] != handle:
            continue
        if row[at.EVENT] == at.TRADED:
            lots += row[at.TRADE_LOTS]
        elif row[at.EVENT] == at.NOT_TRADED:
            lots += row[at.TAKER_FEE]
        elif row[at.EVENT] == at.ENDED and row[at.TRADE_NUMBER] != at.SELF_TRADED:
            lots += row[at.TRADE_LOTS]
    return lots
