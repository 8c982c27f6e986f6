"""A spot exchange in memory: everybody who builds a protocol before it talks to this class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.exchange.agents.market import AgentMarket
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.accounts import SpotAccount, Wallets
from tidewright.exchange.spot.clerk import Clerk
from tidewright.exchange.spot.desk import Desk
from tidewright.exchange.spot.floor import Floor
from tidewright.exchange.spot.ledger import Entry, Ledger
from tidewright.exchange.spot.listing import CountFilter, Filter, Listing, PriceFilter
from tidewright.exchange.spot.lists import STEP
from tidewright.exchange.spot.orders import OpenOrder, Shelves
from tidewright.exchange.spot.shapes import NOBODY, USER_ORDERS, asset_names, market_shapes
from tidewright.exchange.spot.tape import Tape
from tidewright.exchange.spot.values import (
    BalanceEvent,
    DepositEvent,
    ListKind,
    NewOrder,
    OrderList,
    Placed,
    Prevention,
    Reason,
    Refusal,
    Replaced,
    ReplaceMode,
    SpotEvent,
    SpotFill,
    SpotOrder,
    Status,
    SymbolStatus,
)
from tidewright.kernels.matching import layout as at


class SpotExchange:
    """Symbols, accounts and their orders, with or without traders who make a market.

    Every request brings the time, which lets the traders act until then first; time that goes back
    is taken as no time that passed. A request that is not carried out raises `Refusal`. The same
    seed and requests give the same answers, ids included.

    Memory is bounded: an account can look up its open orders and its last 10,000 finished ones,
    its last 10,000 fills of each symbol, and so on; a ledger keeps its last 50,000 rows at least;
    the last 100,000 events wait to be taken.

    Parameters
    ----------
    listings : sequence of Listing
        What is traded.
    accounts : sequence of SpotAccount
        Who trades; requests name them by their number, from 0.
    seed : int
        Of the traders.
    now : int
        When the exchange opens, nanoseconds UTC.
    population : Population or None
        Traders of each symbol.
    filters : sequence of CountFilter
        Filters of the whole exchange, with names that begin with EXCHANGE_.

    Raises
    ------
    ConfigError
        If there is no listing, or two of one symbol.
    """

    def __init__(
        self,
        listings: Sequence[Listing],
        accounts: Sequence[SpotAccount],
        *,
        seed: int,
        now: int,
        population: Population | None = None,
        filters: Sequence[CountFilter] = (),
    ) -> None:
        symbols = tuple(listing.symbol for listing in listings)
        if not symbols or len(set(symbols)) != len(symbols):
            raise ConfigError(f"symbols were {symbols}; expected at least one, each once")
        self.accounts = tuple(accounts)
        self.filters = tuple(filters)
        self.assets = asset_names(listings, accounts)
        # An arbitrageur compares prices of one good; here every market has another.
        traders = replace(population, arbitrage=0) if population else NOBODY
        self._market = AgentMarket(
            market_shapes(listings, self.assets, traders),
            traders,
            seed,
            users=len(accounts),
            user_orders=USER_ORDERS,
            assets=len(self.assets),
        )
        market = self._market
        self._epoch = self._now = now
        self._desks = {
            listing.symbol: Desk(
                listing,
                market.books[number],
                market.accounts,
                market.log[number],
                market.first_user,
            )
            for number, listing in enumerate(listings)
        }
        wallets = Wallets(market.accounts, market.first_user, self.assets, self.accounts)
        self.tape = Tape(listings, market.books, epoch=now)
        self._listings = {one.symbol: one for one in listings}
        self.ledger = Ledger(self.accounts, self._listings)
        shelves = Shelves(len(accounts), symbols)
        self._clerk = Clerk(shelves, wallets, self.ledger, now)
        self._floor = Floor(
            self._desks, self.accounts, (shelves, wallets, self._clerk, self.tape), filters, now
        )

    # time

    @property
    def now(self) -> int:
        """The exchange's time, nanoseconds UTC."""
        return self._now

    @property
    def listings(self) -> Mapping[str, Listing]:
        """What is traded, by symbol, as it is now."""
        return MappingProxyType(self._listings)

    def advance(self, now: int) -> None:
        """Let the traders act until a time.

        While an order waits for another one to be filled, they act in steps, so that it enters at
        most 0.1 s after that.
        """
        while self._now < now:
            until = now
            if len(self._market.traders):
                if self._floor.lists.any_pending:
                    until = min(now, self._now - self._now % STEP + STEP)
                self._live(until)
            self._now = self._floor.now = until
            self._floor.settle()
            self._clerk.begin()
        self.tape.move(self._now)

    def _live(self, until: int) -> None:
        """Run the traders, feed the market data, and carry users' trades into their orders."""
        finished = False
        while not finished:
            finished = self._market.run(until - self._epoch)
            mine: list[tuple[int, int, int, list[int]]] = []
            for number, (symbol, desk) in enumerate(self._desks.items()):
                count = desk.words[at.LOG_ROWS]
                if not count:
                    continue
                rows = desk.log[:count]
                self.tape.add(symbol, rows)
                users = (rows[:, at.TAKER_ACCOUNT] >= desk.first_user) | (
                    rows[:, at.MAKER_ACCOUNT] >= desk.first_user
                )
                for place in np.flatnonzero(users).tolist():
                    row = rows[place].tolist()
                    mine.append((row[at.WHEN], number, place, row))
                desk.words[at.LOG_ROWS] = 0
            desks = tuple(self._desks.values())
            for _, number, _, row in sorted(mine):
                self._clerk.read(desks[number], row)

    # orders

    def place(self, account: int, order: NewOrder, now: int) -> Placed:
        """Place an order."""
        self.advance(now)
        return self._floor.place(account, order)

    def check(self, account: int, order: NewOrder, now: int) -> None:
        """Refuse an order as `place` would before it reaches the book; nothing changes.

        Balances and prices that only the book knows are not looked at.
        """
        self.advance(now)
        self._floor.check(account, order)

    def cancel(
        self,
        account: int,
        symbol: str,
        *,
        order_id: int = 0,
        client_id: str = "",
        request_id: str = "",
        only: Status | None = None,
        now: int,
    ) -> SpotOrder:
        """End an open order, and those that are in a list with it.

        Parameters
        ----------
        account, symbol
            Whose, and of what.
        order_id, client_id
            Which; both must fit where both are given.
        request_id : str
            The cancel's own client id, for the event.
        only : Status or None
            Whether it must be NEW or PARTIALLY_FILLED.
        now : int
            The time.
        """
        self.advance(now)
        order = self._open(account, symbol, order_id, client_id)
        if only is not None and order.status is not only:
            raise Refusal(Reason.CANCEL_RESTRICTED, f"it is {order.status}")
        return self._floor.cancel(order, request_id)

    def cancel_all(self, account: int, symbol: str, now: int) -> tuple[SpotOrder | OrderList, ...]:
        """End every open order of a symbol; of an order list, the list is returned."""
        self.advance(now)
        self._floor.desk(symbol)
        orders = tuple(self._floor.shelves.at(account, symbol).open.values())
        if not orders:
            raise Refusal(Reason.UNKNOWN_ORDER, "no open orders")
        found: list[SpotOrder | OrderList] = []
        for order in orders:
            if order.status.is_final:
                continue
            cancelled = self._floor.cancel(order)
            if order.list_id < 0:
                found.append(cancelled)
            else:
                found.append(self._floor.lists.find(account, order.list_id, ""))
        return tuple(found)

    def replace(
        self,
        account: int,
        order: NewOrder,
        now: int,
        *,
        mode: ReplaceMode,
        order_id: int = 0,
        client_id: str = "",
        request_id: str = "",
        only: Status | None = None,
    ) -> Replaced:
        """Cancel an order of the same symbol, then place another.

        The new order is checked first, filters included: one that cannot be placed refuses the
        whole request, and nothing is cancelled.
        """
        self.advance(now)
        self._floor.check(account, order)
        cancelled: SpotOrder | Refusal
        placed: Placed | Refusal
        try:
            cancelled = self.cancel(
                account,
                order.symbol,
                order_id=order_id,
                client_id=client_id,
                request_id=request_id,
                only=only,
                now=now,
            )
        except Refusal as refusal:
            if mode is ReplaceMode.STOP_ON_FAILURE:
                return Replaced(refusal, None)
            cancelled = refusal
        try:
            placed = self._floor.place(account, order)
        except Refusal as refusal:
            placed = refusal
        return Replaced(cancelled, placed)

    def amend(
        self,
        account: int,
        symbol: str,
        *,
        order_id: int = 0,
        client_id: str = "",
        quantity: int,
        new_client_id: str = "",
        now: int,
    ) -> SpotOrder:
        """Make an order in the book smaller; it keeps its place in the queue.

        Orders that wait for a price, and those of a pair, cannot be amended.
        """
        self.advance(now)
        order = self._open(account, symbol, order_id, client_id)
        return self._floor.amend(order, quantity, new_client_id)

    def place_list(
        self,
        account: int,
        kind: ListKind,
        orders: Sequence[NewOrder],
        client_id: str = "",
        *,
        now: int,
    ) -> tuple[OrderList, tuple[Placed, ...]]:
        """Place an order list.

        Parameters
        ----------
        account : int
            Whose.
        kind : ListKind
            How its orders hang together.
        orders : sequence of NewOrder
            A pair of LIMIT_MAKER and STOP_LOSS or STOP_LOSS_LIMIT in any order, or the working
            order followed by one pending order or by such a pair.
        client_id : str
            The list's own.
        now : int
            The time.
        """
        self.advance(now)
        return self._floor.place_list(account, kind, orders, client_id)

    def cancel_list(
        self,
        account: int,
        symbol: str,
        *,
        list_id: int = 0,
        client_id: str = "",
        request_id: str = "",
        now: int,
    ) -> OrderList:
        """End every order of a list."""
        self.advance(now)
        found = self.list(account, list_id=list_id, client_id=client_id)
        if found.done or found.symbol != symbol:
            raise Refusal(Reason.UNKNOWN_ORDER, "order list")
        for order in self._floor.lists.open[found.id].orders:
            if not order.status.is_final:
                self._floor.cancel(order, request_id)
        return self.list(account, list_id=found.id)

    # questions

    def order(
        self, account: int, symbol: str, *, order_id: int = 0, client_id: str = ""
    ) -> SpotOrder:
        """Return an order, open or finished; the newest where a client id was used again."""
        self._floor.desk(symbol)
        shelf = self._floor.shelves.at(account, symbol)
        if not order_id and client_id in shelf.by_client:
            return self._floor.view(shelf.by_client[client_id])
        order_id = order_id or shelf.finished_by_client.get(client_id, 0)
        if order_id in shelf.open:
            found = self._floor.view(shelf.open[order_id])
        elif order_id in shelf.finished:
            found = shelf.finished[order_id]
        else:
            raise Refusal(Reason.NO_SUCH_ORDER, f"{order_id or client_id}")
        if client_id and found.terms.client_id != client_id:
            raise Refusal(Reason.WRONG_CLIENT_ID, client_id)
        return found

    def open_orders(self, account: int, symbol: str | None = None) -> tuple[SpotOrder, ...]:
        """Return the open orders of one symbol or of all, oldest first within each."""
        shelves = self._floor.shelves.of_account[account]
        if symbol is not None:
            self._floor.desk(symbol)
            shelves = {symbol: shelves[symbol]}
        return tuple(
            self._floor.view(order) for shelf in shelves.values() for order in shelf.open.values()
        )

    def all_orders(self, account: int, symbol: str) -> tuple[SpotOrder, ...]:
        """Return open and kept finished orders of a symbol by id."""
        self._floor.desk(symbol)
        shelf = self._floor.shelves.at(account, symbol)
        found = [*shelf.finished.values(), *map(self._floor.view, shelf.open.values())]
        return tuple(sorted(found, key=lambda order: order.id))

    def fills(self, account: int, symbol: str) -> tuple[SpotFill, ...]:
        """Return the kept fills of a symbol, oldest first."""
        self._floor.desk(symbol)
        return tuple(self._floor.shelves.at(account, symbol).fills)

    def preventions(self, account: int, symbol: str) -> tuple[Prevention, ...]:
        """Return the kept prevented matches of a symbol, oldest first."""
        self._floor.desk(symbol)
        return tuple(self._floor.shelves.at(account, symbol).preventions)

    def list(self, account: int, *, list_id: int = 0, client_id: str = "") -> OrderList:
        """Return an order list by its id or its client id."""
        return self._floor.lists.find(account, list_id, client_id)

    def lists(self, account: int, *, only_open: bool = False) -> tuple[OrderList, ...]:
        """Return the kept order lists, oldest first."""
        found = self._floor.lists.of(account)
        return tuple(one for one in found if not (only_open and one.done))

    def balances(self, account: int) -> dict[str, tuple[int, int]]:
        """Return free and locked units of every asset."""
        return self._floor.wallets.all(account)

    def new_client_id(self) -> str:
        """Return a client id that the exchange makes."""
        return self._floor.new_name()

    def take_events(self) -> tuple[SpotEvent, ...]:
        """Return what the accounts were not told yet, in the order in which it happened."""
        events = tuple(self._clerk.events)
        self._clerk.events.clear()
        return events

    # the operator

    def deposit(self, account: int, asset: str, amount: int, now: int) -> None:
        """Bring money from outside, or with an amount below 0 take free money out."""
        self.advance(now)
        self._floor.wallets.add(account, asset, amount)
        event = DepositEvent(account, self._now, asset, amount)
        self.ledger.write(Entry.DEPOSITED, self._now, event)
        self._clerk.events.append(event)
        balance = (asset, *self._floor.wallets.of(account, asset))
        self._clerk.events.append(BalanceEvent(account, self._now, (balance,)))

    def set_status(self, symbol: str, status: SymbolStatus) -> None:
        """Open or close a symbol; its traders rest while it does not trade."""
        number = list(self._desks).index(self._floor.desk(symbol).listing.symbol)
        desk = self._desks[symbol]
        trades = desk.listing.status is SymbolStatus.TRADING
        if trades and status is not SymbolStatus.TRADING:
            self._market.pause(number)
        elif not trades and status is SymbolStatus.TRADING:
            self._market.resume(number)
        self._relist(replace(desk.listing, status=status))

    def set_filters(self, symbol: str, filters: tuple[Filter, ...]) -> None:
        """Change a symbol's filters for orders that come from now on.

        Raises
        ------
        ConfigError
            If a price step is not a multiple of the listing's tick.
        """
        desk = self._floor.desk(symbol)
        for one in filters:
            if isinstance(one, PriceFilter) and one.tick % desk.listing.tick:
                raise ConfigError(
                    f"{symbol}: the tick was {one.tick}; expected a multiple of {desk.listing.tick}"
                )
        self._relist(replace(desk.listing, filters=filters))

    def _relist(self, listing: Listing) -> None:
        self._desks[listing.symbol].listing = self._listings[listing.symbol] = listing

    def _open(self, account: int, symbol: str, order_id: int, client_id: str) -> OpenOrder:
        self._floor.desk(symbol)
        shelf = self._floor.shelves.at(account, symbol)
        order = shelf.open.get(order_id) if order_id else shelf.by_client.get(client_id)
        if order is None:
            raise Refusal(Reason.UNKNOWN_ORDER, f"{order_id or client_id}")
        if client_id and order.terms.client_id != client_id:
            raise Refusal(Reason.WRONG_CLIENT_ID, client_id)
        return order
