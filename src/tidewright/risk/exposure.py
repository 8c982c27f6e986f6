"""What is held and what working entries may still add to it, at the worst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tidewright.domain.errors import TidewrightError
from tidewright.domain.orders import Leg, Side
from tidewright.kernels.limits import claimed_cash, committed_direction, value_ceiling, worst_lots
from tidewright.risk.account import AccountView
from tidewright.risk.pacing import Approval
from tidewright.risk.terms import InstrumentTerms


@dataclass(slots=True)
class Commitment:
    """One instrument's share of the account's exposure.

    Parameters
    ----------
    position : int
        Signed lots held.
    buying, selling : int
        Lots of working entries, orders of unknown outcome counted as if they will fill.
    price : int
        Highest price in ticks among mark and limits.
    """

    position: int = 0
    buying: int = 0
    selling: int = 0
    price: int = 0

    def add(self, side: Side, lots: int, price: int) -> None:
        """Add a working entry."""
        if side is Side.BUY:
            self.buying += lots
        else:
            self.selling += lots
        self.price = max(self.price, price)

    @property
    def worst(self) -> int:
        """Largest position, without sign, that the entries can lead to."""
        return worst_lots(self.position, self.buying, self.selling)

    @property
    def direction(self) -> int:
        """+1 when it is or may become long, -1 for short, 0 for flat."""
        return committed_direction(self.position, self.buying, self.selling)


class Unvalued(TidewrightError):
    """An instrument that is held or worked has no usable price, or no terms.

    Parameters
    ----------
    instrument : str
        Instrument id.
    """

    def __init__(self, instrument: str) -> None:
        super().__init__(f"{instrument} has no usable price or no terms")
        self.instrument = instrument


def commitments(
    account: AccountView, approvals: Iterable[Approval]
) -> tuple[dict[str, Commitment], int]:
    """Return what every instrument is committed to, and the number of working orders.

    Parameters
    ----------
    account : AccountView
        The account.
    approvals : iterable of Approval
        Approvals of this moment; those that the account already holds are not counted twice.

    Raises
    ------
    Unvalued
        If an instrument that is held or worked has no usable price.
    """
    found: dict[str, Commitment] = {}
    for name, lots in account.positions.items():
        if lots:
            found[name] = Commitment(lots, price=_mark(account, name))
    seen = set()
    for order in account.working:
        intent = order.intent
        seen.add(intent.client_id)
        left = intent.lots - order.filled_lots
        if intent.reduce_only or left <= 0:
            continue
        price = max(intent.reference_ticks, intent.limit_ticks or 0)
        _of(found, account, intent.instrument).add(intent.side, left, price)
    for approval in approvals:
        if approval.client_id not in seen:
            seen.add(approval.client_id)
            if approval.entry:
                _of(found, account, approval.instrument).add(
                    approval.side, approval.lots, approval.price
                )
    return found, len(seen)


def gross_value(
    committed: Mapping[str, Commitment], terms: Mapping[str, InstrumentTerms], leaving_out: str = ""
) -> int:
    """Return the worst-case value of every instrument but one, in money units, rounded up.

    Raises
    ------
    Unvalued
        If an instrument has no terms.
    """
    return sum(
        worth(_terms(terms, name), commitment.worst, commitment.price)
        for name, commitment in committed.items()
        if name != leaving_out
    )


def worth(terms: InstrumentTerms, lots: int, price: int) -> int:
    """Return the value of lots at a price in money units, rounded up."""
    return value_ceiling(price, lots, terms.numerator, terms.denominator)


def free_cash(
    account: AccountView,
    committed: Mapping[str, Commitment],
    terms: Mapping[str, InstrumentTerms],
) -> int:
    """Return cash that nothing has claimed yet, in money units.

    Working entries claim their value and fees. A short position claims twice its value: what buying
    it back costs, and cash of the same value behind it.
    """
    claimed = 0
    for name, commitment in committed.items():
        own = _terms(terms, name)
        claimed += claimed_cash(
            commitment.position,
            commitment.buying + commitment.selling,
            commitment.price,
            own.numerator,
            own.denominator,
            own.fee_ppm,
        )
    return account.cash - claimed


def exits_working(account: AccountView, approvals: Iterable[Approval], instrument: str) -> int:
    """Return lots that exit orders of an instrument may still trade, protective legs apart.

    Stops and targets are made smaller by the venue as the position shrinks; exits are not.
    """
    lots = 0
    seen = set()
    for order in account.working:
        intent = order.intent
        seen.add(intent.client_id)
        leg_works = intent.reduce_only and intent.leg is Leg.EXIT
        if leg_works and intent.instrument == instrument and not order.state.is_final:
            lots += intent.lots - order.filled_lots
    for approval in approvals:
        if approval.client_id not in seen and not approval.entry:
            lots += approval.lots if approval.instrument == instrument else 0
    return lots


def _of(found: dict[str, Commitment], account: AccountView, name: str) -> Commitment:
    commitment = found.get(name)
    if commitment is None:
        commitment = found[name] = Commitment(price=_mark(account, name))
    return commitment


def _mark(account: AccountView, name: str) -> int:
    mark = account.marks.get(name)
    if type(mark) is not int or mark <= 0:
        raise Unvalued(name)
    return mark


def _terms(terms: Mapping[str, InstrumentTerms], name: str) -> InstrumentTerms:
    found = terms.get(name)
    if found is None:
        raise Unvalued(name)
    return found
