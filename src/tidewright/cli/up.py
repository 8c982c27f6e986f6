"""The main job: a trader and its page, from one command to an orderly end.

The market does not wait for the page: the server is loaded once the trader runs.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tidewright.app.page.login import LoginStore
from tidewright.app.report import up_report, write_json
from tidewright.app.up import Launch, TraderServices, UpOptions
from tidewright.servers.api.listener import listen
from tidewright.servers.api.settings import ApiSettings

if TYPE_CHECKING:
    from tidewright.servers.api.background import PageServer

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)


def run_up(options: UpOptions) -> int:
    """Run until the time is over, the feed ends, or a signal asks to stop."""
    launch = Launch(options, lambda text: print(text, flush=True))
    for note in (
        launch.choice.feed.description,
        *launch.choice.notes,
        *launch.settings.notes,
    ):
        print(note)
    server = launch.settings.server
    settings = ApiSettings(
        host=server.host,
        port=server.port if options.port is None else options.port,
        session_timeout_minutes=server.session_timeout_minutes,
    )
    with listen(settings.host, settings.port) as listener:
        failure = _run(launch, settings, listener)
    if failure is not None and launch.supervisor.state is None:
        raise failure
    report = up_report(launch.supervisor, launch.home, launch.settings.account.currency)
    print(report.text())
    if options.json_file is not None:
        write_json(options.json_file, report.values)
    if failure is not None:
        raise failure
    return 0


def _run(launch: Launch, settings: ApiSettings, listener: socket.socket) -> Exception | None:
    trading = _Trading(launch)
    with _signals(trading.ended.set):
        trading.start()
        try:
            if trading.began():
                _show(launch, trading, settings, listener)
        finally:
            trading.stop()
    return trading.failure


def _show(
    launch: Launch, trading: _Trading, settings: ApiSettings, listener: socket.socket
) -> None:
    login = launch.open_login()
    page = _serve(launch, login, settings, listener)
    try:
        _introduce(launch.options, page.url, login, launch.home)
        trading.stay()
        # The trader ends first: the page shows how, to the last moment.
        trading.stop()
    finally:
        page.stop()


def _serve(
    launch: Launch, login: LoginStore, settings: ApiSettings, listener: socket.socket
) -> PageServer:
    from tidewright.servers.api.background import PageServer

    services = TraderServices(launch.view, login, launch.supervisor, launch.settings)
    return PageServer(services, settings, listener)


def _introduce(options: UpOptions, url: str, login: LoginStore, home: Path) -> None:
    print(f"Page: {url}   home: {home}", flush=True)
    if options.headless:
        return
    if login.new_secret:
        print(f"Login secret, shown this once: {login.new_secret}")
    print(f"Open once, within ten minutes: {url}/login?token={login.issue()}")
    print("Stop with Ctrl+C; the next start goes on from here.", flush=True)


class _Trading:
    """The trader in a thread of its own, and how long to let it run."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._thread = threading.Thread(target=self._work, name="trader")
        self.ended = threading.Event()
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin to trade."""
        self._thread.start()

    def _work(self) -> None:
        try:
            self._launch.supervisor.run()
        except Exception as error:  # noqa: BLE001 - raised again by the command's own thread
            self.failure = error
        finally:
            self._launch.attempted.set()
            self.ended.set()

    def began(self) -> bool:
        """Wait for the first attempt to trade; return whether it did not end everything."""
        # A wait without limit would not hear Ctrl+C on Windows.
        while not self._launch.attempted.wait(0.5):
            pass
        return self.failure is None

    def stay(self) -> None:
        """Return when the time is over, the trader has ended, or a signal asked to stop."""
        launch, options = self._launch, self._launch.options
        limit = options.for_seconds
        deadline = None if limit is None else launch.started + limit
        while not self.ended.is_set():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                break
            self.ended.wait(0.5 if left is None else min(left, 0.5))
        watched = limit is None and not options.headless and options.speed != "max"
        if watched and launch.supervisor.finished and self.failure is None:
            print("The data has ended; the page stays open until Ctrl+C.", flush=True)
            self.ended.clear()
            self.ended.wait()

    def stop(self) -> None:
        """Ask for an orderly end and wait for it."""
        self._launch.supervisor.stop()
        self._thread.join()


class _signals:
    """Call back on the signals that ask for an orderly end, instead of dying of them."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, lambda *_: self._callback())

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
