"""Where the browser tests get a running dashboard from."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes.fake_trader import FakeTrader
from fakes.http_server import serve


@dataclass(frozen=True)
class RunningDashboard:
    """A dashboard that answers: its address, a one-time link into it, and its login secret."""

    url: str
    link: str
    secret: str


@contextmanager
def running_trader(home: Path) -> Iterator[RunningDashboard]:
    """Run the main job itself on the simulated market, in a process of its own."""
    command = [sys.executable, "-m", "tidewright.cli.main", "up"]
    command += ["--port", "0", "--seed", "1", "--speed", "240", "--home", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        said, secret = "", ""
        for line in process.stdout:
            said += line
            if "Login secret" in line:
                secret = line.rpartition(" ")[2].strip()
            if found := re.search(r"(http://\S+)/login\?token=\S+", line):
                yield RunningDashboard(found.group(1), found.group(0), secret)
                return
        raise AssertionError(f"`up` ended without a link: {said}")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


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
