"""Where a resting order stands in the queue of its price, judged by what everybody sees.

Trades take from the front of a queue, that much is certain. When a level shrinks without a trade,
somebody cancelled, and the public data does not say whether ahead of the order or behind it. What
is assumed then is the model; the truth lies between the optimistic and the pessimistic one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tidewright.domain.errors import ConfigError
from tidewright.domain.orders import Side


class QueueModel(StrEnum):
    """Who cancels when a level shrinks without a trade."""

    OPTIMISTIC = "OPTIMISTIC"
    """Whoever stands ahead."""
    PESSIMISTIC = "PESSIMISTIC"
    """Whoever stands behind, as long as somebody does."""
    PROPORTIONAL = "PROPORTIONAL"
    """Both, in proportion to what stands there."""


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """An order at rest that is not in the book which is watched.

    Parameters
    ----------
    model : QueueModel
        Who is assumed to cancel.
    side : Side
        Of the order.
    price, quantity : int
        Its price and what it is for, in the units of the trades and levels, > 0.
    ahead : int
        What stands before it; at first all that the level shows.
    behind : int
        What came later to the same price.
    filled : int
        What it has traded.

    Raises
    ------
    ConfigError
        If a number is outside its range.
    """

    model: QueueModel
    side: Side
    price: int
    quantity: int
    ahead: int
    behind: int = 0
    filled: int = 0

    def __post_init__(self) -> None:
        for name, least in (("price", 1), ("quantity", 1), ("ahead", 0), ("behind", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected {least} or more")

    @property
    def left(self) -> int:
        """What is still to be traded."""
        return self.quantity - self.filled

    def after_trade(self, price: int, quantity: int, taker: Side) -> QueuePosition:
        """Return the position after a trade somewhere in the market.

        A trade at a worse price for the taker than the order's would have met the order first.
        """
        worse = price - self.price if self.side is Side.SELL else self.price - price
        if taker is self.side or worse < 0:
            return self
        if worse > 0:
            filled = self.filled + min(self.left, quantity)
            return replace(self, ahead=0, behind=0, filled=filled)
        from_front = min(self.ahead, quantity)
        reached = min(self.left, quantity - from_front)
        return replace(
            self,
            ahead=self.ahead - from_front,
            # The watched book filled whoever stood behind in place of the order.
            behind=max(self.behind - (quantity - from_front), 0),
            filled=self.filled + reached,
        )

    def after_change(self, shown: int) -> QueuePosition:
        """Return the position after the level was seen with a quantity, trades already told.

        Parameters
        ----------
        shown : int
            What the level shows without the order.
        """
        known = self.ahead + self.behind
        if shown >= known:
            return replace(self, behind=shown - self.ahead)
        ahead = self._ahead_after(known - shown, known, shown)
        return replace(self, ahead=ahead, behind=shown - ahead)

    def _ahead_after(self, gone: int, known: int, shown: int) -> int:
        if self.model is QueueModel.OPTIMISTIC:
            return max(self.ahead - gone, 0)
        if self.model is QueueModel.PESSIMISTIC:
            return min(self.ahead, shown)
        # Rounded up, against the order.
        return -(-self.ahead * shown // known)
