"""Where the browser tests get a running dashboard from."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fakes.fake_trader import FakeTrader

from tidewright.servers.api.application import create_api
from tidewright.servers.api.settings import ApiSettings


@dataclass(frozen=True)
class RunningDashboard:
    """A dashboard that answers: its address and a one-time link into it."""

    url: str
    link: str


@contextmanager
def running_dashboard(seconds_per_bar: float = 0.2) -> Iterator[RunningDashboard]:
    """Serve the page over a fake trader; the one place to change for another trader."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        trader = FakeTrader()
        stop_trading = trader.run(seconds_per_bar)
        config = uvicorn.Config(
            create_api(trader, ApiSettings(port=port)), log_level="warning", access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        url = f"http://127.0.0.1:{port}"
        try:
            yield RunningDashboard(url, f"{url}/login?token=once")
        finally:
            server.should_exit = True
            thread.join(20)
            stop_trading()
