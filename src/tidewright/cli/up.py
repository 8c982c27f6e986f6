"""The main job: a trader and its page, from one command to an orderly end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tidewright.app.login import LoginStore
from tidewright.app.report import up_report, write_json
from tidewright.app.up import Launch, TraderServices, UpOptions
from tidewright.domain.errors import TidewrightError
from tidewright.servers.api.background import PageServer
from tidewright.servers.api.settings import ApiSettings

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)


def run_up(options: UpOptions) -> int:
    """Run until the time is over, the feed ends, or a signal asks to stop."""
    launch = Launch(options, lambda text: print(text, flush=True))
    for note in (launch.choice.feed.description, *launch.choice.notes):
        print(note)
    server = launch.settings.server
    login = launch.open_login()
    services = TraderServices(launch.view, login, launch.supervisor, launch.settings)
    page = PageServer(
        services,
        ApiSettings(
            host=server.host,
            port=server.port if options.port is None else options.port,
            session_timeout_minutes=server.session_timeout_minutes,
        ),
    )
    try:
        _introduce(options, page.url, login, launch.home)
        failure = _trade(launch, options)
    finally:
        page.stop()
    report = up_report(launch.supervisor, launch.home, launch.settings.account.currency)
    print(report.text())
    if options.json_file is not None:
        write_json(options.json_file, report.data())
    if failure is not None:
        raise failure
    return 0


def _introduce(options: UpOptions, url: str, login: LoginStore, home: Path) -> None:
    print(f"Page: {url}   home: {home}")
    if options.headless:
        return
    if login.new_secret:
        print(f"Login secret, shown this once: {login.new_secret}")
    print(f"Open once, within ten minutes: {url}/login?token={login.issue()}")
    print("Stop with Ctrl+C; the next start goes on from here.", flush=True)


def _trade(launch: Launch, options: UpOptions) -> TidewrightError | None:
    failures: list[TidewrightError] = []
    ended = threading.Event()

    def work() -> None:
        try:
            launch.supervisor.run()
        except TidewrightError as error:
            failures.append(error)
        finally:
            ended.set()

    with _signals(ended.set):
        thread = threading.Thread(target=work, name="trader")
        thread.start()
        limit = options.for_seconds
        stay = limit is None and not options.headless and options.speed != "max"
        deadline = None if limit is None else launch.started + limit
        while not ended.is_set():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                break
            ended.wait(0.5 if left is None else min(left, 0.5))
        if stay and launch.supervisor.finished and not failures:
            print("The data has ended; the page stays open until Ctrl+C.", flush=True)
            ended.clear()
            ended.wait()
        launch.supervisor.stop()
        thread.join()
    return failures[0] if failures else None


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
