"""What an account's owner is told, as the protocol writes it."""

from __future__ import annotations

from collections.abc import Callable

from tidewright.exchange.spot.values import (
    BalanceEvent,
    DepositEvent,
    Execution,
    ListEvent,
    ListKind,
    OrderEvent,
    Prevention,
    SpotEvent,
    SpotOrder,
)
from tidewright.servers.venue.rest.account import user_number
from tidewright.servers.venue.streams.market_events import Event
from tidewright.servers.venue.writers import amount, side

_ONE = 100_000_000

FindName = Callable[[int, str, int], str]
"""Returns the client id of an account's order: the account's number, the symbol, the order's id."""
FindPrevention = Callable[[int, str, int], Prevention | None]
"""Returns a prevented match of an account: its number, the symbol, the match's id."""


class AccountEvents:
    """Writes the events of accounts.

    Parameters
    ----------
    find_name : FindName
        Order lists name their orders by it.
    find_prevention : FindPrevention
        Orders that met their own account tell of it.
    """

    def __init__(self, find_name: FindName, find_prevention: FindPrevention) -> None:
        self._find_name = find_name
        self._find_prevention = find_prevention

    def write(self, event: SpotEvent, number: int, now: int, unit: int) -> Event:
        """Write one event.

        Parameters
        ----------
        event : SpotEvent
            What happened.
        number : int
            Grows from event to event.
        now : int
            The time that it carries.
        unit : int
            Nanoseconds in its unit of time.
        """
        if isinstance(event, OrderEvent):
            return self._order(event, number, now, unit)
        if isinstance(event, BalanceEvent):
            return _balances(event, now, unit)
        if isinstance(event, DepositEvent):
            return _deposit(event, now, unit)
        return self._list(event, now, unit)

    def _order(self, event: OrderEvent, number: int, now: int, unit: int) -> Event:
        order, terms, fill = event.order, event.order.terms, event.fill
        asked, own = _client_ids(event)
        report: Event = {
            "e": "executionReport",
            "E": now // unit,
            "s": terms.symbol,
            "c": asked,
            "S": side(terms.side),
            "o": terms.kind.value,
            "f": terms.time_in_force.value,
            "q": amount(order.quantity),
            "p": amount(terms.price),
            "P": amount(order.stop_price or terms.stop_price),
            "F": amount(terms.iceberg_quantity),
            "g": order.list_id,
            "C": own,
            "x": event.execution.value,
            "X": order.status.value,
            "r": "NONE",
            "i": order.id,
            "l": amount(fill.quantity if fill else 0),
            "z": amount(order.executed),
            "L": amount(fill.price if fill else 0),
            "n": amount(fill.fee) if fill else "0",
            "N": fill.fee_asset if fill else None,
            "T": event.time // unit,
            "t": fill.trade_id if fill else -1,
            "I": number,
            "w": order.working and not order.status.is_final,
            "m": fill.makes if fill else False,
            "M": False,
            "O": order.placed // unit,
            "Z": amount(order.spent),
            "Y": amount(fill.money if fill else 0),
            "Q": amount(terms.money),
            "V": terms.self_trade.value,
        }
        _add_terms(report, order, unit)
        if order.prevented_match:
            self._add_prevention(report, event)
        return report

    def _add_prevention(self, report: Event, event: OrderEvent) -> None:
        order = event.order
        report["v"] = order.prevented_match
        report["A"] = amount(order.prevented)
        match = self._find_prevention(order.account, order.terms.symbol, order.prevented_match)
        if match is None or event.execution is not Execution.TRADE_PREVENTION:
            return
        takes = order.id == match.taker_order
        lost = match.taker_quantity if takes else match.maker_quantity
        report |= {
            "B": amount(lost),
            "u": user_number(order.account),
            "U": match.maker_order if takes else match.taker_order,
            "Cs": order.terms.symbol,
            "pl": amount(lost),
            "pL": amount(match.price),
            "pY": amount(match.price * lost // _ONE),
        }

    def _list(self, event: ListEvent, now: int, unit: int) -> Event:
        one = event.list
        orders = [
            {
                "s": one.symbol,
                "i": number,
                "c": self._find_name(one.account, one.symbol, number),
            }
            for number in one.orders
        ]
        return {
            "e": "listStatus",
            "E": now // unit,
            "s": one.symbol,
            "g": one.id,
            "c": "OCO" if one.kind is ListKind.OCO else "OTO",
            "l": "ALL_DONE" if one.done else "EXEC_STARTED",
            "L": "ALL_DONE" if one.done else "EXECUTING",
            "r": "NONE",
            "C": one.client_id,
            "T": event.time // unit,
            "O": orders,
        }


def terminated(now: int, unit: int) -> Event:
    """Tell that a subscription ended and no more events come."""
    return {"e": "eventStreamTerminated", "E": now // unit}


def account_of(event: SpotEvent) -> int:
    """Return the number of the account that an event is for."""
    if isinstance(event, OrderEvent):
        return event.order.account
    return event.list.account if isinstance(event, ListEvent) else event.account


def _client_ids(event: OrderEvent) -> tuple[str, str]:
    """Return the id that is told first, and the order's own, or its former one, beside it."""
    own, other = event.order.terms.client_id, event.request_id
    if event.execution is Execution.CANCELED:
        return other or own, own
    if event.execution is Execution.REPLACED:
        return own, other
    return own, ""


def _add_terms(report: Event, order: SpotOrder, unit: int) -> None:
    """Add what only some orders have."""
    terms = order.terms
    if terms.trailing_delta:
        report["d"] = terms.trailing_delta
    if order.trailing_since:
        report["D"] = order.trailing_since // unit
    if terms.strategy_id:
        report["j"] = terms.strategy_id
    if terms.strategy_type:
        report["J"] = terms.strategy_type
    if order.working_since:
        report["W"] = order.working_since // unit


def _balances(event: BalanceEvent, now: int, unit: int) -> Event:
    return {
        "e": "outboundAccountPosition",
        "E": now // unit,
        "u": event.time // unit,
        "B": [
            {"a": asset, "f": amount(free), "l": amount(locked)}
            for asset, free, locked in event.balances
        ],
    }


def _deposit(event: DepositEvent, now: int, unit: int) -> Event:
    return {
        "e": "balanceUpdate",
        "E": now // unit,
        "a": event.asset,
        "d": amount(event.amount),
        "T": event.time // unit,
    }
