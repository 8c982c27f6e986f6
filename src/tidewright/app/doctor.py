"""Look at this machine and installation: what a trader needs, and whether it is there."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tidewright import __version__
from tidewright.app.settings import Settings

NEEDED_DISK = 1_000_000_000
"""Bytes that should be free for journals and data."""
NEEDED_TALIB = (0, 8)
"""First version whose incremental handles equal its batch functions bit for bit."""
OLDEST_CLOCK = datetime(2025, 1, 1, tzinfo=UTC)
MOST_SKEW = 2.0
"""Seconds by which the clocks of the machine and of its disk may differ."""
PACKAGES = ("numpy", "numba", "polars", "ta-lib", "fastapi", "sqlalchemy", "pydantic", "httpx")
_PAGE = Path(__file__).parent.parent / "servers" / "api" / "static" / "index.html"


class Health(StrEnum):
    """Verdict of one check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What was looked at.
    health : Health
        FAILED when a trader cannot run because of it.
    detail : str
        What was found, and what to do when it is not ok.
    """

    name: str
    health: Health
    detail: str


def examine(settings: Settings, home: Path) -> list[Check]:
    """Return every check, worst news not hidden by the first one.

    Parameters
    ----------
    settings : Settings
        Whose port is tried.
    home : Path
        Folder of the trader; need not exist.
    """
    looks: Sequence[Callable[[], Check]] = (
        _python,
        _packages,
        _talib,
        _kernel_cache,
        _page,
        lambda: _disk(home),
        lambda: _writable(home),
        _clock,
        lambda: _port(settings.server.host, settings.server.port),
        lambda: _journal(home),
        lambda: _settings(settings),
    )
    return [look() for look in looks]


def _python() -> Check:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    health = Health.OK if sys.version_info >= (3, 11) else Health.FAILED
    return Check("python", health, f"Tidewright {__version__}, Python {text}")


def _packages() -> Check:
    found, absent = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    if absent:
        return Check("packages", Health.FAILED, f"not installed: {', '.join(absent)}")
    return Check("packages", Health.OK, ", ".join(found))


def _talib() -> Check:
    try:
        import talib
    except ImportError as error:
        return Check("indicators", Health.FAILED, f"TA-Lib cannot be loaded: {error}")
    found = tuple(int(part) for part in talib.__version__.split(".")[:2])
    if found < NEEDED_TALIB:
        return Check(
            "indicators", Health.FAILED, f"TA-Lib was {talib.__version__}; expected 0.8 or newer"
        )
    return Check("indicators", Health.OK, f"TA-Lib {talib.__version__}")


def _kernel_cache() -> Check:
    from tidewright.kernels.jit import cache_directory

    folder = cache_directory()
    problem = _cannot_write(folder)
    if problem:
        return Check(
            "kernel cache",
            Health.WARNING,
            f"{folder}: {problem}; kernels are compiled at each start. TIDEWRIGHT_CACHE moves it",
        )
    return Check("kernel cache", Health.OK, str(folder))


def _page() -> Check:
    if _PAGE.is_file():
        return Check("page", Health.OK, "built")
    return Check("page", Health.WARNING, "not built; the trader runs without its page")


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def _disk(home: Path) -> Check:
    free = shutil.disk_usage(_existing(home)).free
    health = Health.OK if free >= NEEDED_DISK else Health.WARNING
    advice = "" if health is Health.OK else "; expected at least 1 GB"
    return Check("disk", health, f"{free / 1e9:.1f} GB free for {home}{advice}")


def _cannot_write(folder: Path) -> str:
    """Return why a file cannot be written to a folder, or an empty string."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor"):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _writable(home: Path) -> Check:
    folder = _existing(home)
    problem = "" if os.access(folder, os.W_OK) else "is read-only"
    if not folder.is_dir():
        problem = "is not a folder"
    elif not problem and folder == home.absolute():
        problem = _cannot_write(folder)
    if problem:
        return Check("home", Health.FAILED, f"{folder}: {problem}; choose another with --home")
    state = "exists" if home.exists() else "will be created"
    return Check("home", Health.OK, f"{home} {state}")


def _clock() -> Check:
    now = time.time()
    with tempfile.NamedTemporaryFile(prefix="tidewright") as file:
        skew = abs(Path(file.name).stat().st_mtime - now)
    moment = datetime.fromtimestamp(now, UTC)
    text = f"{moment:%Y-%m-%d %H:%M:%S} UTC, local zone {time.strftime('%Z')}"
    if moment < OLDEST_CLOCK:
        return Check("clock", Health.FAILED, f"{text}; the machine's clock is not set")
    if skew > MOST_SKEW:
        return Check("clock", Health.WARNING, f"{text}; {skew:.1f} s away from the disk's clock")
    return Check("clock", Health.OK, text)


def _port(host: str, port: int) -> Check:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        reason = error.strerror or str(error)
        return Check(
            "port", Health.WARNING, f"{host}:{port} is not free ({reason}); choose one with --port"
        )
    return Check("port", Health.OK, f"{host}:{port} is free")


def _journal(home: Path) -> Check:
    path = home / "journal.sqlite3"
    if not path.is_file():
        return Check("journal", Health.OK, "none yet")
    size = path.stat().st_size / 1e6
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            rows = connection.execute("SELECT max(sequence) FROM journal").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return Check(
            "journal",
            Health.FAILED,
            f"{path} cannot be read: {error}; `tidewright replay {home} --verify` says more",
        )
    return Check("journal", Health.OK, f"{rows or 0} entries, {size:.1f} MB, mode {mode}")


def _settings(settings: Settings) -> Check:
    if settings.notes:
        return Check("settings", Health.WARNING, "; ".join(settings.notes))
    return Check("settings", Health.OK, f"digest {settings.settings_digest()[:12]}")
