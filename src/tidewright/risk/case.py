"""One intent and all that it is held against; what a rule answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tidewright.domain.orders import LimitCheck, OrderIntent
from tidewright.risk.account import AccountView
from tidewright.risk.breakers import Breakers
from tidewright.risk.exposure import Commitment
from tidewright.risk.pacing import Pacing
from tidewright.risk.settings import RiskSettings
from tidewright.risk.terms import InstrumentTerms


@dataclass(frozen=True, slots=True)
class Case:
    """An entry intent of sound form with everything that rules look at.

    Parameters
    ----------
    intent : OrderIntent
        The intent.
    account : AccountView
        The account.
    terms : mapping of str to InstrumentTerms
        Terms of every instrument, by id.
    committed : mapping of str to Commitment
        What is held and may still be bought or sold, by instrument id.
    working : int
        Number of orders that work, approvals of this moment included.
    settings : RiskSettings
        The limits.
    breakers : Breakers
        Trading state and cooldowns.
    pacing : Pacing
        Recent approvals.
    """

    intent: OrderIntent
    account: AccountView
    terms: Mapping[str, InstrumentTerms]
    committed: Mapping[str, Commitment]
    working: int
    settings: RiskSettings
    breakers: Breakers
    pacing: Pacing

    @property
    def own(self) -> InstrumentTerms:
        """Terms of the intent's instrument."""
        return self.terms[self.intent.instrument]

    @property
    def mark(self) -> int:
        """Latest close of the intent's instrument in ticks."""
        return self.account.marks[self.intent.instrument]

    @property
    def price(self) -> int:
        """Highest price in ticks that the order may trade at or be valued at."""
        return worst_price(self.intent, self.mark)

    @property
    def currency(self) -> str:
        """Currency that values are told in."""
        return self.own.instrument.quote


def worst_price(intent: OrderIntent, mark: int) -> int:
    """Return the highest of mark, reference and limit: what an order is valued at."""
    return max(mark, intent.reference_ticks, intent.limit_ticks or 0)


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that an intent does not meet.

    Parameters
    ----------
    rule : str
        Name of the rule.
    limit, value : str
        The limit and the value that met it, as exact text with unit.
    message : str
        One sentence for a person.
    """

    rule: str
    limit: str
    value: str
    message: str


Verdict = LimitCheck | Breach
"""What a rule says of a case: the limit that was met, or the breach."""

Rule = Callable[[Case], Verdict]
"""A limit as a function of a case alone."""


def verdict(met: bool, rule: str, limit: str, value: str, message: Callable[[], str]) -> Verdict:
    """Return the check of a limit that was met, else the breach with its sentence."""
    return LimitCheck(rule, limit, value) if met else Breach(rule, limit, value, message())
