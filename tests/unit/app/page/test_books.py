"""Order books on the page: those that somebody looks at, and no others."""

from __future__ import annotations

from tidewright.app.feeds.picture import BookPicture
from tidewright.app.feeds.simulated import SimulatedFeed
from tidewright.app.page.books import LOOK_SECONDS, BookBoard, book_view
from tidewright.app.page.read_models import Mode
from tidewright.app.page.view import Heading, LiveView
from tidewright.app.sinks import MovingMarket
from tidewright.domain.events import Slice
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import MINUTE
from tidewright.exchange.spot.values import Depth, PublicTrade

PICTURE = BookPicture(
    Depth(
        "BTCUSDT",
        7,
        7,
        bids=((94_000_10000000, 1_000), (93_999_00000000, 2_50000000)),
        asks=((94_001_00000000, 30_000_000),),
        time=1_704_110_400_123_456_789,
    ),
    (
        PublicTrade("BTCUSDT", 4, 94_000_10000000, 1_000, 1_704_110_400_000_000_000, True),
        PublicTrade("BTCUSDT", 5, 94_001_00000000, 2_000, 1_704_110_400_000_000_000, False),
    ),
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_book_is_kept_up_while_somebody_looks_and_not_after() -> None:
    clock = Clock()
    board = BookBoard(clock)
    assert board.wanted() == ()
    assert board.look("BTCUSDT") is None
    assert board.wanted() == ("BTCUSDT",)
    board.show("BTCUSDT", PICTURE)
    clock.now += LOOK_SECONDS
    assert board.look("BTCUSDT") is PICTURE
    clock.now += LOOK_SECONDS
    assert board.wanted() == ("BTCUSDT",)
    clock.now += 0.1
    assert board.wanted() == ()
    assert board.look("BTCUSDT") is None


def test_a_view_states_exact_numbers_and_who_took() -> None:
    view = book_view(PICTURE).model_dump(mode="json")
    assert view["time_ms"] == 1_704_110_400_123
    assert view["bids"] == [
        {"price": "94000.1", "quantity": "0.00001"},
        {"price": "93999", "quantity": "2.5"},
    ]
    assert view["asks"] == [{"price": "94001", "quantity": "0.3"}]
    assert [(trade["id"], trade["side"]) for trade in view["trades"]] == [(4, "sell"), (5, "buy")]


class FeedWithBooks:
    """The simulated feed, with books that count how often they were asked for."""

    timeframe = "1m"
    description = "test"

    def __init__(self) -> None:
        self._inner = SimulatedFeed(1)
        self.instruments: list[Instrument] = list(self._inner.instruments)
        self.asked: list[tuple[str, float]] = []

    def slices(self, after: int):
        return self._inner.slices(after)

    def forming(self, instrument: str, ts_event: int, fraction: float) -> Bar:
        return self._inner.forming(instrument, ts_event, fraction)

    def book(self, instrument: str, ts_event: int, fraction: float) -> BookPicture:
        self.asked.append((instrument, fraction))
        return PICTURE


def shown(feed: FeedWithBooks | SimulatedFeed, look: str) -> BookPicture | None:
    view = LiveView(feed.instruments, Heading(Mode.SIMULATED, "s", "1m"))
    slice_: Slice = next(iter(feed.slices(0)))
    moving = MovingMarket(feed, view)
    moving.show(slice_, 45.0)
    view.books.look(look)
    moving.show(slice_, MINUTE / 2e9)
    return view.books.look(look)


def test_only_the_book_that_is_looked_at_is_asked_for() -> None:
    feed = FeedWithBooks()
    assert shown(feed, "ETHUSDT") is PICTURE
    assert feed.asked == [("ETHUSDT", 0.5)]


def test_a_feed_without_books_shows_none() -> None:
    assert shown(SimulatedFeed(1), "ETHUSDT") is None
