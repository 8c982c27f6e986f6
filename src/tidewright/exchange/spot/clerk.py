"""Keeps the users' orders true to what the books' logs say, and tells their owners."""

from __future__ import annotations

from collections import deque

from tidewright.exchange.spot.accounts import Wallets
from tidewright.exchange.spot.desk import Desk
from tidewright.exchange.spot.ledger import Entry, Ledger
from tidewright.exchange.spot.orders import OpenOrder, Shelves
from tidewright.exchange.spot.values import (
    BalanceEvent,
    Execution,
    OrderEvent,
    Prevention,
    SpotEvent,
    SpotFill,
    SpotOrder,
    Status,
)
from tidewright.kernels.matching import layout as at

MOST_EVENTS = 100_000
"""Events that wait to be taken; the oldest are lost where nobody takes them."""


class Clerk:
    """Carries rows of the logs into orders, fills, events and the ledger.

    Parameters
    ----------
    shelves : Shelves
        The accounts' orders.
    wallets : Wallets
        Their balances.
    ledger : Ledger
        What is written down.
    epoch : int
        Added to the times in the logs, nanoseconds.

    Attributes
    ----------
    events : deque of SpotEvent
        What owners were not told yet.
    fills, preventions : list
        What came of the request that is carried out now.
    ended : list of OpenOrder
        Orders that ended since somebody looked.
    """

    def __init__(self, shelves: Shelves, wallets: Wallets, ledger: Ledger, epoch: int) -> None:
        self.shelves = shelves
        self.events: deque[SpotEvent] = deque(maxlen=MOST_EVENTS)
        self.fills: list[SpotFill] = []
        self.preventions: list[Prevention] = []
        self.ended: list[OpenOrder] = []
        self._wallets = wallets
        self._ledger = ledger
        self._epoch = epoch
        self._touched: dict[int, dict[str, None]] = {}

    def begin(self) -> None:
        """Forget what came of the request before."""
        self.fills.clear()
        self.preventions.clear()

    def took(self, desk: Desk, order: OpenOrder, handle: int) -> None:
        """Write down an order that the book took, or that waits for another (handle 0)."""
        if handle:
            self.enters(desk, order, handle)
        self.shelves.at(order.account, order.terms.symbol).put(order)
        view = order.view()
        self._ledger.write(Entry.TAKEN, order.placed, view)
        self._tell(Execution.NEW, order, view)

    def enters(self, desk: Desk, order: OpenOrder, handle: int) -> None:
        """Remember what the book calls an order."""
        order.handle = handle
        desk.by_handle[handle] = order
        if not order.terms.kind.waits:
            order.working = True
            order.working_since = order.updated
        elif order.terms.trailing_delta and not order.terms.stop_price:
            order.trailing_since = order.updated
        self._touch(desk, order.account)

    def works(self, desk: Desk, order: OpenOrder, handle: int, time: int) -> None:
        """Write down that an order that waited for another one went to the book."""
        order.updated, order.status = time, Status.NEW
        self.enters(desk, order, handle)
        view = order.view()
        self._ledger.write(Entry.CHANGED, time, view)
        self._tell(Execution.NEW, order, view)

    def changed(self, desk: Desk, order: OpenOrder, time: int, request_id: str) -> SpotOrder:
        """Write down that an order was made smaller."""
        order.updated = time
        view = order.view()
        self._ledger.write(Entry.CHANGED, time, view)
        self._touch(desk, order.account)
        self._tell(Execution.REPLACED, order, view, request_id=request_id)
        return view

    def end(
        self,
        desk: Desk,
        order: OpenOrder,
        status: Status,
        time: int,
        *,
        execution: Execution = Execution.EXPIRED,
        request_id: str = "",
    ) -> SpotOrder:
        """Write down that an order ended unfilled."""
        order.status, order.updated = status, time
        final = self._finish(desk, order)
        self._tell(execution, order, final, request_id=request_id)
        return final

    def read(self, desk: Desk, row: list[int], *, request_id: str = "") -> None:
        """Carry one row of a log into the users' orders.

        Parameters
        ----------
        desk : Desk
            Whose log.
        row : list of int
            As `kernels.matching.layout` has it.
        request_id : str
            The client id of the cancel whose message wrote it.
        """
        event, time = row[at.EVENT], row[at.WHEN] + self._epoch
        if event == at.TRADED:
            self._trade(desk, row, time)
            return
        order = desk.by_handle.get(row[at.TAKER])
        if order is None or order.status.is_final:
            return
        if event == at.ENDED:
            if request_id:
                self.end(
                    desk,
                    order,
                    Status.CANCELED,
                    time,
                    execution=Execution.CANCELED,
                    request_id=request_id,
                )
            else:
                self.end(desk, order, Status.EXPIRED, time)
        elif event == at.NOT_TRADED:
            self._prevent(desk, row, order, time)
        elif event == at.TRIGGERED:
            order.working, order.working_since, order.updated = True, time, time
            self._tell(Execution.NEW, order, order.view())
        elif event == at.TRAILS:
            order.trailing_since = time

    def tell_balances(self, time: int) -> None:
        """Tell the owners of accounts whose balances may have changed."""
        for account, assets in self._touched.items():
            balances = tuple((asset, *self._wallets.of(account, asset)) for asset in assets)
            self.events.append(BalanceEvent(account, time, balances))
        self._touched.clear()

    def _trade(self, desk: Desk, row: list[int], time: int) -> None:
        buys = row[at.TAKER_SIDE] > 0
        if row[at.TAKER_ACCOUNT] >= desk.first_user:
            self._fill(desk, row, time, row[at.TAKER], row[at.TAKER_FEE], buys=buys, makes=False)
        if row[at.MAKER_ACCOUNT] >= desk.first_user:
            self._fill(desk, row, time, row[at.MAKER], row[at.MAKER_FEE], buys=not buys, makes=True)

    def _fill(
        self,
        desk: Desk,
        row: list[int],
        time: int,
        handle: int,
        fee: int,
        *,
        buys: bool,
        makes: bool,
    ) -> None:
        listing, order = desk.listing, desk.by_handle[handle]
        quantity = row[at.TRADE_LOTS] * listing.step
        money = row[at.TRADE_LOTS] * row[at.TRADE_PRICE] * listing.quote_unit
        order.executed += quantity
        order.spent += money
        order.updated = time
        order.status = Status.PARTIALLY_FILLED if order.left else Status.FILLED
        fill = SpotFill(
            row[at.TRADE_NUMBER],
            order.id,
            order.list_id,
            order.account,
            listing.symbol,
            row[at.TRADE_PRICE] * listing.tick,
            quantity,
            money,
            fee,
            listing.base if buys else listing.quote,
            time,
            buys,
            makes,
        )
        self.fills.append(fill)
        self.shelves.at(order.account, listing.symbol).fills.add(fill)
        self._ledger.write(Entry.FILLED, time, fill)
        view = order.view() if order.left else self._finish(desk, order)
        self._touch(desk, order.account)
        self.events.append(OrderEvent(Execution.TRADE, view, time, fill))

    def _prevent(self, desk: Desk, row: list[int], taker: OpenOrder, time: int) -> None:
        listing, maker = desk.listing, desk.by_handle[row[at.MAKER]]
        lost = row[at.TAKER_FEE] * listing.step, row[at.MAKER_FEE] * listing.step
        prevention = Prevention(
            desk.next_prevention,
            listing.symbol,
            taker.id,
            maker.id,
            row[at.TRADE_PRICE] * listing.tick,
            *lost,
            taker.terms.self_trade,
            time,
        )
        desk.next_prevention += 1
        self.preventions.append(prevention)
        self.shelves.at(taker.account, listing.symbol).preventions.add(prevention)
        for order, quantity in zip((maker, taker), reversed(lost), strict=True):
            if quantity == 0:
                continue
            order.prevented += quantity
            order.prevented_match = prevention.id
            order.updated = time
            if order.left:
                view = order.view()
            else:
                order.status = Status.EXPIRED_IN_MATCH
                view = self._finish(desk, order)
            self._tell(Execution.TRADE_PREVENTION, order, view)

    def _finish(self, desk: Desk, order: OpenOrder) -> SpotOrder:
        """Move an order whose status is final to the finished ones."""
        desk.by_handle.pop(order.handle, None)
        final = self.shelves.finish(order)
        self._ledger.write(Entry.ENDED, order.updated, final)
        self._touch(desk, order.account)
        self.ended.append(order)
        return final

    def _tell(
        self, execution: Execution, order: OpenOrder, view: SpotOrder, *, request_id: str = ""
    ) -> None:
        self.events.append(OrderEvent(execution, view, order.updated, None, request_id))

    def _touch(self, desk: Desk, account: int) -> None:
        assets = self._touched.setdefault(account, {})
        assets[desk.listing.base] = assets[desk.listing.quote] = None
