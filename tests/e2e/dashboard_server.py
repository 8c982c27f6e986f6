"""Where the browser tests get a running dashboard from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fakes.fake_trader import FakeTrader
from fakes.http_server import serve


@dataclass(frozen=True)
class RunningDashboard:
    """A dashboard that answers: its address, a one-time link into it, and its login secret."""

    url: str
    link: str
    secret: str


@contextmanager
def running_dashboard(seconds_per_bar: float = 0.2) -> Iterator[RunningDashboard]:
    """Serve the page over a fake trader; the one place to change for another trader."""
    trader = FakeTrader()
    stop = trader.run(seconds_per_bar)
    try:
        with serve(trader) as page:
            yield RunningDashboard(page.url, f"{page.url}/login?token=once", "correct horse")
    finally:
        stop()
