"""Random requests of every kind to a spot exchange whose traders move the prices."""

from __future__ import annotations

import random
from collections import Counter

from tidewright.domain.orders import Side
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.values import (
    Kind,
    ListKind,
    NewOrder,
    Refusal,
    ReplaceMode,
    SelfTrade,
    SpotEvent,
    TimeInForce,
)

PAUSE = 300_000_000
"""Mean time between two requests, nanoseconds."""


class Storm:
    """Sends random requests near the prices of the moment and counts what became of them."""

    def __init__(self, exchange: SpotExchange, seed: int) -> None:
        self.exchange = exchange
        self.outcomes: Counter[str] = Counter()
        self.events: list[SpotEvent] = []
        self._draw = random.Random(seed)

    def blow(self, requests: int) -> None:
        """Send requests."""
        for _ in range(requests):
            account = self._draw.randrange(len(self.exchange.accounts))
            symbol = self._draw.choice(list(self.exchange.listings))
            now = self.exchange.now + self._draw.randrange(2 * PAUSE)
            send = self._draw.choices(
                (self._place, self._place_list, self._cancel, self._amend, self._replace),
                (50, 15, 15, 8, 12),
            )[0]
            try:
                send(account, symbol, now)
                self.outcomes[send.__name__] += 1
            except Refusal as refusal:
                self.outcomes[f"{refusal.reason.value} {refusal.detail}"[:40]] += 1
            self.events.extend(self.exchange.take_events())

    def _place(self, account: int, symbol: str, now: int) -> None:
        self.exchange.place(account, self._order(symbol, self._draw.choice(tuple(Kind))), now)

    def _cancel(self, account: int, symbol: str, now: int) -> None:
        if self._draw.random() < 0.1:
            self.exchange.cancel_all(account, symbol, now)
        else:
            number = self._any(account, symbol)
            self.exchange.cancel(account, symbol, order_id=number, now=now)

    def _amend(self, account: int, symbol: str, now: int) -> None:
        number = self._any(account, symbol)
        step = self.exchange.listings[symbol].step
        quantity = self._size(symbol) // 2 // step * step
        self.exchange.amend(account, symbol, order_id=number, quantity=quantity, now=now)

    def _replace(self, account: int, symbol: str, now: int) -> None:
        mode = self._draw.choice(tuple(ReplaceMode))
        order = self._order(symbol, Kind.LIMIT)
        number = self._any(account, symbol)
        self.exchange.replace(account, order, now, mode=mode, order_id=number)

    def _place_list(self, account: int, symbol: str, now: int) -> None:
        kind = self._draw.choice(tuple(ListKind))
        first = self._order(symbol, self._draw.choice((Kind.LIMIT, Kind.LIMIT_MAKER)))
        second = self._order(symbol, self._draw.choice((Kind.LIMIT, Kind.STOP_LOSS)))
        pair = self._pair(symbol, self._draw.choice(tuple(Side)))
        asked = {
            ListKind.OCO: pair,
            ListKind.OTO: (first, second),
            ListKind.OTOCO: (first, *pair),
        }[kind]
        self.exchange.place_list(account, kind, asked, now=now)

    def _pair(self, symbol: str, side: Side) -> tuple[NewOrder, NewOrder]:
        size = self._size(symbol)
        near, far = self._price(symbol, side.sign * -20), self._price(symbol, side.sign * 20)
        limited = self._draw.random() < 0.5
        limit = NewOrder(symbol, side, Kind.LIMIT_MAKER, quantity=size, price=near)
        kind = Kind.STOP_LOSS_LIMIT if limited else Kind.STOP_LOSS
        price = self._price(symbol, side.sign * 30) if limited else 0
        stop = NewOrder(symbol, side, kind, quantity=size, stop_price=far, price=price)
        return limit, stop

    def _order(self, symbol: str, kind: Kind) -> NewOrder:
        draw = self._draw
        limited = "LIMIT" in kind
        trail = draw.choice((0, 0, 10, 30)) if kind.waits else 0
        size, money = self._size(symbol), 0
        if kind is Kind.MARKET and draw.random() < 0.4:
            size, money = 0, size * self.exchange.tape.last_price(symbol) // 10**8
        life = draw.choice(tuple(TimeInForce)) if limited else TimeInForce.GTC
        step = self.exchange.listings[symbol].step
        shows = max(size // 4 // step, 1) * step if limited and draw.random() < 0.2 else 0
        return NewOrder(
            symbol,
            draw.choice(tuple(Side)),
            kind,
            quantity=size,
            money=money,
            price=self._price(symbol, draw.randint(-15, 15)) if limited else 0,
            stop_price=self._price(symbol, draw.randint(-20, 20)) if kind.waits else 0,
            trailing_delta=trail,
            iceberg_quantity=shows,
            time_in_force=life,
            self_trade=draw.choice(tuple(SelfTrade)),
        )

    def _size(self, symbol: str) -> int:
        """A quantity worth some dozens of the least that an order may be worth."""
        listing = self.exchange.listings[symbol]
        worth = 10**8 * self._draw.randint(6, 300)
        if listing.quote == "BTC":
            worth //= 60_000
        return worth * 10**8 // listing.start_price // listing.step * listing.step

    def _price(self, symbol: str, away: int) -> int:
        """A price some ten-thousandths away from the last one."""
        tick = self.exchange.listings[symbol].tick
        last = self.exchange.tape.last_price(symbol)
        return int(last * (10_000 + away) // 10_000 // tick * tick)

    def _any(self, account: int, symbol: str) -> int:
        orders = self.exchange.open_orders(account, symbol)
        return self._draw.choice(orders).id if orders else 1
