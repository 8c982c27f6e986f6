"""Orders that exist and are not found yet, as where a venue answers from a slower store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tidewright.servers.venue.faults.questions import Question

_ONE = frozenset({"/api/v3/order", "order.status"})


@dataclass(frozen=True, slots=True)
class _Hidden:
    account: str
    symbol: str
    order_id: int
    client_id: str
    until: int


class HiddenOrders:
    """Remembers which orders are not found, and until when."""

    def __init__(self) -> None:
        self._hidden: list[_Hidden] = []

    def hide(self, question: Question, answer: object, until: int) -> None:
        """Hide the orders that an answer tells of.

        Parameters
        ----------
        question : Question
            The request that made them.
        answer : object
            Its answer's JSON; what is no new order is passed over.
        until : int
            True time at which they are found, nanoseconds UTC.
        """
        for made in _orders(answer):
            symbol, order_id = made.get("symbol"), made.get("orderId")
            if isinstance(symbol, str) and isinstance(order_id, int):
                client_id = str(made.get("clientOrderId", ""))
                self._hidden.append(_Hidden(question.account, symbol, order_id, client_id, until))

    def any(self, now: int) -> bool:
        """Return whether anything is hidden, and forget what no longer is."""
        self._hidden = [one for one in self._hidden if one.until > now]
        return bool(self._hidden)

    def hides(self, question: Question) -> bool:
        """Return whether a question is about one order that is hidden."""
        given = question.parameters
        if not question.asks or question.path not in _ONE:
            return False
        return any(
            one.symbol == given.get("symbol")
            and one.account == question.account
            and (
                given.get("orderId") == str(one.order_id)
                or (bool(one.client_id) and given.get("origClientOrderId") == one.client_id)
            )
            for one in self._hidden
        )

    def without(self, question: Question, answer: object) -> object:
        """Return an answer's JSON without the orders that are hidden, and without their fills."""
        if not question.asks or not isinstance(answer, list):
            return answer
        gone = {
            (one.symbol, one.order_id) for one in self._hidden if one.account == question.account
        }
        return [
            entry
            for entry in answer
            if not isinstance(entry, dict)
            or (entry.get("symbol"), entry.get("orderId")) not in gone
        ]


def _orders(answer: object) -> Iterator[Mapping[str, object]]:
    """Yield an answer, its order reports and its new order, whichever there are."""
    if not isinstance(answer, dict):
        return
    yield answer
    yield from _orders(answer.get("newOrderResponse"))
    reports = answer.get("orderReports")
    if isinstance(reports, list):
        for report in reports:
            yield from _orders(report)
