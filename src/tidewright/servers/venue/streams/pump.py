"""Moves the exchange's time on, and has everybody told what happened."""

from __future__ import annotations

from tidewright.servers.venue.clock import Alarm
from tidewright.servers.venue.streams.market import MarketStreams
from tidewright.servers.venue.streams.names import FAST
from tidewright.servers.venue.venue import Venue

_SECOND = 1e9


class Pump:
    """Beats with the venue's clock.

    Beats are due at whole multiples of their period, so that none of them makes the next one late.

    Parameters
    ----------
    venue : Venue
        Where things happen; who listens to it is told of orders and balances.
    markets : MarketStreams
        Tell of trades and books.
    period : int
        Nanoseconds between two beats.
    """

    def __init__(self, venue: Venue, markets: MarketStreams, period: int = FAST) -> None:
        self._venue = venue
        self._markets = markets
        self._period = period
        self._last = venue.clock.now()
        self._alarm: Alarm | None = None

    def start(self) -> None:
        """Begin to beat; needs the running event loop."""
        self._last = self._venue.clock.now()
        self._wait()

    def stop(self) -> None:
        """Beat no more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def beat(self) -> None:
        """Let the exchange go on until now, and tell what is due."""
        now = self._venue.clock.now()
        self._venue.exchange.advance(now)
        self._venue.publish()
        self._markets.tell_at_once(now)
        # A clock that was set back is followed: the next beat is due when it gets there.
        since, self._last = min(self._last, now), now
        self._markets.tell_timed(since, now)

    def _wait(self) -> None:
        now = self._venue.clock.now()
        due = (now // self._period + 1) * self._period
        self._alarm = self._venue.clock.call_later((due - now) / _SECOND, self._wake)

    def _wake(self) -> None:
        # First the next beat, so that one which fails is not the last.
        self._wait()
        self.beat()
