"""An exchange as a person would write it down: dictionaries and lists, no speed, no cleverness.

It shares nothing with the compiled steps but the words for kinds, reasons and answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tidewright.kernels.matching import layout as at

Event = tuple[object, ...]


@dataclass
class Order:
    number: int
    account: int
    side: int
    kind: int
    price: int
    lots: int
    guard: int = 0
    display: int = 0
    shown: int = 0
    stop: int = 0
    trail: int = 0
    best: int = 0
    peer: Order | None = None
    locked: int = 0


@dataclass
class Wallet:
    maker_ppm: int
    taker_ppm: int
    free: list[int]
    locked: list[int]


@dataclass
class PlainExchange:
    """One pair: asset 0 is traded, asset 1 pays for it."""

    prices: int
    base_unit: int
    quote_unit: int
    wallets: list[Wallet]
    last: int = 0
    quiet: int = 0
    lowest: int = 0
    highest: int = 0
    count: int = 0
    orders: int = 0
    sides: dict[int, dict[int, list[Order]]] = field(default_factory=lambda: {1: {}, -1: {}})
    waiting: dict[int, list[Order]] = field(default_factory=dict)
    trailing: list[Order] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    alive: dict[int, Order] = field(default_factory=dict)

    # what accounts ask for

    def place(
        self,
        account: int,
        side: int,
        kind: int,
        price: int,
        lots: int,
        *,
        stop: int = 0,
        rises: int = 0,
        trail: int = 0,
        display: int = 0,
        guard: int = 0,
        money: int = 0,
    ) -> int:
        bad = self._unsound(account, side, kind, price, lots, stop, display, money)
        if bad:
            return bad
        if stop or trail:
            return self._place_waiting(
                account, side, kind, price, lots, stop, rises, trail, display, guard
            )
        if kind == at.MARKET:
            if money:
                lots = self._lots_for(side, money)
                need = money if side > 0 else lots * self.base_unit
            else:
                cost, found = self._walk(side, lots)
                lots = lots if found else 0
                need = cost if side > 0 else lots * self.base_unit
            if lots == 0:
                return at.NO_LIQUIDITY
        else:
            need = self._need(side, price, lots)
            if kind == at.POST_ONLY and self._crosses(side, price):
                return at.WOULD_TAKE
        order = Order(0, account, side, kind, price, lots, guard, display if display < lots else 0)
        if not self._lock(order, need):
            return at.NO_BALANCE
        self._register(order)
        traded = len(self.events)
        self._execute(order)
        if any(event[0] == "trade" for event in self.events[traded:]):
            self._fire()
        return order.number

    def place_pair(
        self,
        account: int,
        side: int,
        price: int,
        lots: int,
        stop: int,
        beyond: int,
        *,
        display: int = 0,
        guard: int = 0,
    ) -> int:
        bad = self._unsound(account, side, at.POST_ONLY, price, lots, stop, display, 0)
        if bad:
            return bad
        if lots < 1 or stop < 1:
            return at.BAD_KIND
        if not 0 <= beyond < self.prices:
            return at.BAD_PRICE
        if self._reached(stop, side):
            return at.WOULD_TRIGGER
        if self._crosses(side, price) or (price >= self.last if side > 0 else price <= self.last):
            return at.WOULD_TAKE
        worst = max(price, beyond or stop)
        display = display if display < lots else 0
        first = Order(0, account, side, at.POST_ONLY, price, lots, guard, display)
        if not self._lock(first, self._need(side, worst, lots)):
            return at.NO_BALANCE
        kind = at.LIMIT if beyond else at.MARKET
        second = Order(0, account, side, kind, beyond, lots, guard, display)
        self._register(first)
        self._register(second)
        first.peer, second.peer = second, first
        self.events.append(("pair", first.number, second.number))
        self._rest(first)
        second.stop = stop
        self.waiting.setdefault(stop, []).append(second)
        return first.number

    def cancel(self, account: int, number: int) -> int:
        order = self.alive.get(number)
        if order is None or order.account != account:
            return at.UNKNOWN_ORDER
        self._drop_peer(order)
        self._leave(order)
        self._end(order, at.BY_REQUEST)
        return number

    def reduce(self, account: int, number: int, lots: int) -> int:
        order = self.alive.get(number)
        if order is None or order.account != account:
            return at.UNKNOWN_ORDER
        if order.stop or order.peer:
            return at.BAD_KIND
        if not 1 <= lots < order.lots:
            return at.BAD_LOTS
        order.lots = lots
        order.shown = min(order.shown, lots)
        self._release(order, self._need(order.side, order.price, lots))
        return number

    # how orders trade

    def _execute(self, order: Order) -> None:
        if order.kind == at.ALL_OR_NONE and not self._offered(order):
            self._end(order, at.UNFILLED)
            return
        market = order.kind == at.MARKET
        limit = order.price if not market else (self.prices - 1 if order.side > 0 else 1)
        reason = self._match(order, limit, market and order.side > 0)
        if order.lots == 0 or reason:
            self._end(order, reason)
        elif order.kind in (at.LIMIT, at.POST_ONLY):
            self._release(order, self._need(order.side, limit, order.lots))
            self._rest(order)
        else:
            self._end(order, at.UNFILLED)

    def _match(self, taker: Order, limit: int, money: bool) -> int:
        while taker.lots:
            price = self._best(-taker.side)
            if price is None or (price > limit if taker.side > 0 else price < limit):
                return 0
            maker = self.sides[-taker.side][price][0]
            if taker.guard and maker.account == taker.account:
                self._tell_apart(taker, maker)
                if taker.guard == at.DECREMENT:
                    self._decrement(taker, maker)
                    if taker.lots:
                        continue
                elif taker.guard != at.EXPIRE_TAKER:
                    self._drop_peer(maker)
                    self._leave(maker)
                    self._end(maker, at.SELF_TRADED)
                    if taker.guard == at.EXPIRE_MAKER:
                        continue
                return at.SELF_TRADED
            lots = min(taker.lots, maker.shown)
            if money:
                lots = min(lots, taker.locked // (price * self.quote_unit))
                if lots == 0:
                    return at.NO_FUNDS
            self._trade(taker, maker, price, lots)
            self._drop_peer(maker)
            self._shrink(maker, lots)
        return 0

    def _tell_apart(self, taker: Order, maker: Order) -> None:
        lots = min(taker.lots, maker.shown)
        taker_loses = {at.DECREMENT: lots, at.EXPIRE_MAKER: 0}.get(taker.guard, taker.lots)
        maker_loses = {at.DECREMENT: lots, at.EXPIRE_TAKER: 0}.get(taker.guard, maker.lots)
        told = ("kept apart", taker.number, maker.number, maker.price, lots)
        self.events.append((*told, taker_loses, maker_loses))

    def _decrement(self, taker: Order, maker: Order) -> None:
        lots = min(taker.lots, maker.shown)
        taker.lots -= lots
        self._drop_peer(maker)
        part = self._need(maker.side, maker.price, lots)
        self._release(maker, max(maker.locked - part, 0))
        self._shrink(maker, lots)

    def _trade(self, taker: Order, maker: Order, price: int, lots: int) -> None:
        buyer, seller = (taker, maker) if taker.side > 0 else (maker, taker)
        cost, amount = price * lots * self.quote_unit, lots * self.base_unit
        fees = []
        for order, got, gets, pays, gives in (
            (buyer, amount, 0, cost, 1),
            (seller, cost, 1, amount, 0),
        ):
            wallet = self.wallets[order.account]
            rate = wallet.taker_ppm if order is taker else wallet.maker_ppm
            fee = got * rate // 1_000_000
            wallet.locked[gives] -= pays
            wallet.free[gets] += got - fee
            self.wallets[0].free[gets] += fee
            order.locked -= pays
            fees.append(fee)
        if taker is seller:
            fees.reverse()
        self.count += 1
        self.events.append(("trade", taker.number, maker.number, price, lots, *fees, self.count))
        taker.lots -= lots
        self.last = price
        self.lowest, self.highest = min(self.lowest, price), max(self.highest, price)

    def _shrink(self, order: Order, lots: int) -> None:
        order.lots -= lots
        order.shown -= lots
        if order.shown:
            return
        self._leave(order)
        if order.lots:
            order.shown = min(order.display, order.lots)
            self.sides[order.side].setdefault(order.price, []).append(order)
        else:
            self._end(order, 0)

    def _rest(self, order: Order) -> None:
        order.shown = min(order.display or order.lots, order.lots)
        self.sides[order.side].setdefault(order.price, []).append(order)

    def _leave(self, order: Order) -> None:
        """Take an order out of whatever queue it stands in."""
        queues = self.waiting if order.stop else self.sides[order.side]
        price = order.stop or order.price
        queues[price].remove(order)
        if not queues[price]:
            del queues[price]
        if order.stop:
            order.stop = 0
            if order in self.trailing:
                self.trailing.remove(order)

    def _end(self, order: Order, reason: int) -> None:
        self._release(order, 0)
        if order.lots and reason != at.BY_REQUEST:
            self.events.append(("end", order.number, order.lots, reason))
        del self.alive[order.number]

    def _drop_peer(self, order: Order) -> None:
        peer = order.peer
        if peer is None:
            return
        order.peer = peer.peer = None
        order.locked += peer.locked
        peer.locked = 0
        self._leave(peer)
        self._end(peer, at.BY_PEER)

    # orders that wait

    def _place_waiting(
        self,
        account: int,
        side: int,
        kind: int,
        price: int,
        lots: int,
        stop: int,
        rises: int,
        trail: int,
        display: int,
        guard: int,
    ) -> int:
        if kind == at.POST_ONLY or lots < 1 or not 0 <= trail < 10_000:
            return at.BAD_KIND
        if not self.last or (stop and self._reached(stop, rises)):
            return at.WOULD_TRIGGER
        order = Order(0, account, side, kind, price, lots, guard, display if display < lots else 0)
        worst = price if kind != at.MARKET else stop or self.last
        if not self._lock(order, self._need(side, worst, lots)):
            return at.NO_BALANCE
        self._register(order)
        order.trail = trail
        if stop:
            order.stop = stop
            self.waiting.setdefault(stop, []).append(order)
        else:
            self.trailing.append(order)
            self._trail(order, self.last)
        return order.number

    def _trail(self, order: Order, price: int) -> None:
        distance = max(price * order.trail // 10_000, 1)
        order.best = price
        order.stop = (
            max(price - distance, 1) if order.side < 0 else min(price + distance, self.prices - 1)
        )
        self.waiting.setdefault(order.stop, []).append(order)

    def _fire(self) -> None:
        while True:
            rising = [price for price in self.waiting if self.quiet < price <= self.highest]
            falling = [price for price in self.waiting if self.lowest <= price < self.quiet]
            if rising:
                order = self.waiting[min(rising)][0]
            elif falling:
                order = self.waiting[max(falling)][0]
            else:
                break
            self._activate(order)
        self.quiet = self.lowest = self.highest = self.last
        for order in list(self.trailing):
            better = self.last > order.best if order.side < 0 else self.last < order.best
            if order.best == 0:
                self._trail(order, self.last)
            elif better:
                queue = self.waiting[order.stop]
                queue.remove(order)
                if not queue:
                    del self.waiting[order.stop]
                self._trail(order, self.last)

    def _activate(self, order: Order) -> None:
        starts_to_trail = order.trail and not order.best
        self._leave(order)
        if starts_to_trail:
            self.events.append(("trails", order.number, order.lots))
            self.trailing.append(order)
            return
        self.events.append(("triggered", order.number, order.lots))
        self._drop_peer(order)
        if order.kind == at.MARKET and order.side > 0:
            cost, _ = self._walk(1, order.lots)
            if cost > order.locked:
                self._lock(order, cost - order.locked)
        self._execute(order)

    # small questions

    def _best(self, side: int) -> int | None:
        prices = self.sides[side]
        if not prices:
            return None
        return max(prices) if side > 0 else min(prices)

    def _crosses(self, side: int, price: int) -> bool:
        best = self._best(-side)
        return best is not None and (price >= best if side > 0 else price <= best)

    def _reached(self, stop: int, rises: int) -> bool:
        return not self.last or (stop <= self.last if rises > 0 else stop >= self.last)

    def _need(self, side: int, price: int, lots: int) -> int:
        return price * lots * self.quote_unit if side > 0 else lots * self.base_unit

    def _levels(self, side: int) -> list[int]:
        """Prices that an order of a side meets, best first."""
        return sorted(self.sides[-side], reverse=side < 0)

    def _walk(self, side: int, lots: int) -> tuple[int, int]:
        cost = found = 0
        for price in self._levels(side):
            there = sum(order.lots for order in self.sides[-side][price])
            part = min(there, lots - found)
            found += part
            cost += part * price * self.quote_unit
        return cost, found

    def _lots_for(self, side: int, money: int) -> int:
        lots = 0
        for price in self._levels(side):
            there = sum(order.lots for order in self.sides[-side][price])
            part = min(there, money // (price * self.quote_unit))
            lots += part
            money -= part * price * self.quote_unit
            if part < there:
                break
        return lots

    def _offered(self, taker: Order) -> bool:
        found = 0
        for price in self._levels(taker.side):
            if price > taker.price if taker.side > 0 else price < taker.price:
                break
            for order in self.sides[-taker.side][price]:
                if taker.guard and order.account == taker.account:
                    if taker.guard != at.EXPIRE_MAKER:
                        return False
                else:
                    found += order.lots
                    if found >= taker.lots:
                        return True
        return False

    def _unsound(
        self,
        account: int,
        side: int,
        kind: int,
        price: int,
        lots: int,
        stop: int,
        display: int,
        money: int,
    ) -> int:
        if not 0 < account < len(self.wallets):
            return at.BAD_ACCOUNT
        if kind not in range(at.LIMIT, at.MARKET + 1) or side not in (1, -1):
            return at.BAD_KIND
        if kind != at.MARKET and not 0 < price < self.prices:
            return at.BAD_PRICE
        if not 0 <= stop < self.prices:
            return at.BAD_PRICE
        if lots < 1 and money < 1:
            return at.BAD_LOTS
        if display < 0 or (display and -(-lots // display) > at.MOST_PARTS):
            return at.BAD_LOTS
        return 0

    def _lock(self, order: Order, amount: int) -> bool:
        wallet, asset = self.wallets[order.account], 1 if order.side > 0 else 0
        if amount > wallet.free[asset]:
            return False
        wallet.free[asset] -= amount
        wallet.locked[asset] += amount
        order.locked += amount
        return True

    def _release(self, order: Order, keep: int) -> None:
        freed = order.locked - keep
        if freed > 0:
            wallet, asset = self.wallets[order.account], 1 if order.side > 0 else 0
            wallet.free[asset] += freed
            wallet.locked[asset] -= freed
            order.locked = keep

    def _register(self, order: Order) -> None:
        self.orders += 1
        order.number = self.orders
        self.alive[order.number] = order
