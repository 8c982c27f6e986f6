"""Who is told of each step beside the recorder: the page's moving market, the read models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import cast

from tidewright.app.feeds.picture import BookPicture
from tidewright.app.page.view import LiveView
from tidewright.app.settings import Settings
from tidewright.domain.events import Slice
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.ports import MarketFeed, OutcomeSink
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.storage.chain import JournalEntry
from tidewright.storage.home import Home
from tidewright.storage.journal import SqliteJournal


class MovingMarket:
    """Shows candles that are still moving, and order books, where the feed knows them.

    Parameters
    ----------
    feed : MarketFeed
        Made-up markets have a method ``forming``, and that of traders has ``book``; other feeds
        show finished bars only.
    view : LiveView
        What the page shows.
    """

    def __init__(self, feed: MarketFeed, view: LiveView) -> None:
        forming = getattr(feed, "forming", None)
        self._forming = cast("Callable[[str, int, float], Bar] | None", forming)
        book = getattr(feed, "book", None)
        self._book = cast("Callable[[str, int, float], BookPicture] | None", book)
        self._length = timeframe_nanoseconds(feed.timeframe)
        self._view = view

    def show(self, slice_: Slice, seconds_left: float) -> None:
        """Show each bar of a coming slice as it looks this long before its close."""
        if self._forming is None:
            return
        wanted = self._view.books.wanted()
        fraction = min(max(1.0 - seconds_left * 1e9 / self._length, 0.0), 1.0)
        for event in slice_.events:
            if type(event) is Bar:
                bar = self._forming(event.instrument, event.ts_event, fraction)
                self._view.forming(event.instrument, bar)
                if self._book is not None and event.instrument in wanted:
                    picture = self._book(event.instrument, event.ts_event, fraction)
                    self._view.books.show(event.instrument, picture)


def open_read_models(
    home: Home, settings: Settings, instruments: Sequence[Instrument], stack: ExitStack
) -> Sequence[OutcomeSink]:
    """Return the sink that fills the SQL tables; the stack closes it with the session."""
    from tidewright.storage.database import open_engine
    from tidewright.storage.migrate import upgrade
    from tidewright.storage.read_models import ReadModelSink

    database = settings.database
    engine = open_engine(database.resolved_url(home.path), busy_timeout_ms=database.busy_timeout_ms)
    stack.callback(engine.dispose)
    upgrade(engine)
    sink = ReadModelSink(
        engine, home.id, source=partial(_stored_entries, home.journal), instruments=instruments
    )
    stack.callback(sink.close)
    return [sink]


def _stored_entries(journal: Path, after: int) -> Iterator[JournalEntry]:
    with SqliteJournal(journal, read_only=True) as reader:
        yield from reader.entries(after)
