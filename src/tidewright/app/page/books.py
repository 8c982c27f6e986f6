"""Order books as the page shows them: only those that somebody looks at, never journaled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal

from tidewright.app.feeds.picture import BookPicture
from tidewright.app.page.read_models import BookView, LevelView, PublicTradeView
from tidewright.domain.money import to_decimal
from tidewright.domain.orders import Side
from tidewright.domain.time import MILLISECOND

LOOK_SECONDS = 3.0
"""How long a book is kept up after somebody looked at it."""


class BookBoard:
    """Books that a feed shows to whoever looks; safe between threads.

    Parameters
    ----------
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked: dict[str, float] = {}
        self._pictures: dict[str, BookPicture] = {}

    def look(self, instrument: str) -> BookPicture | None:
        """Return the newest picture, None before the first, and ask for more of them."""
        with self._lock:
            self._looked[instrument] = self._clock()
            return self._pictures.get(instrument)

    def wanted(self) -> tuple[str, ...]:
        """Return the instruments at whose books somebody looked just now."""
        with self._lock:
            since = self._clock() - LOOK_SECONDS
            gone = [name for name, looked in self._looked.items() if looked < since]
            for name in gone:
                # An old picture must not greet the next one who looks.
                del self._looked[name]
                self._pictures.pop(name, None)
            return tuple(self._looked)

    def show(self, instrument: str, picture: BookPicture) -> None:
        """Replace the picture of a book."""
        with self._lock:
            self._pictures[instrument] = picture


def book_view(picture: BookPicture) -> BookView:
    """Return a picture as it is read."""
    depth = picture.depth
    return BookView(
        instrument=depth.symbol,
        time_ms=depth.time // MILLISECOND,
        bids=[_level(level) for level in depth.bids],
        asks=[_level(level) for level in depth.asks],
        trades=[
            PublicTradeView(
                id=trade.id,
                price=_plain(trade.price),
                quantity=_plain(trade.quantity),
                side=Side.SELL if trade.buyer_makes else Side.BUY,
                time_ms=trade.time // MILLISECOND,
            )
            for trade in picture.trades
        ],
    )


def _level(level: tuple[int, int]) -> LevelView:
    price, quantity = level
    return LevelView(price=_plain(price), quantity=_plain(quantity))


def _plain(units: int) -> Decimal:
    """Return 1e-8 units without the zeros at the end."""
    return to_decimal(units).normalize()
