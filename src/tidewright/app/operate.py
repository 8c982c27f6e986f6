"""What a person does to a trader from another process: ask, stop, let go on.

Everything goes through files of the home, so it works when the page is down, when nobody can log
in, and before the trader is started.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidewright.app.launch import default_home
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingState
from tidewright.storage.home import Home
from tidewright.storage.operator import post_command

FEEDS = ("agents", "simulated", "replay")


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell: words for a person, data for a program."""

    text: str
    data: Mapping[str, object]


def find_home(home: Path | None) -> Home:
    """Return the home that was named, or the only one where `up` puts them.

    Raises
    ------
    ConfigError
        If it is none, or several could be meant.
    """
    candidates = [home] if home is not None else [default_home(kind) for kind in FEEDS]
    found = [path for path in candidates if (path / "home.json").is_file()]
    if len(found) == 1:
        return Home.existing(found[0])
    expected = "expected the folder of a trader" if home is not None else "name one with --home"
    listed = ", ".join(str(path) for path in candidates)
    raise ConfigError(f"{'no' if not found else 'more than one'} trader in {listed}; {expected}")


def is_running(home: Home) -> bool:
    """Return whether a process holds the home."""
    try:
        home.lock().release()
    except ConfigError:
        return True
    return False


def request_state(home: Path | None, state: TradingState, actor: str, reason: str) -> Answer:
    """Store an operator's command durably; a running trader takes it within a second."""
    folder = find_home(home)
    post_command(folder.operator, state, actor, reason, time.time_ns())
    running = is_running(folder)
    when = "the running trader takes it now" if running else "it holds from the next start on"
    return Answer(
        f"{state.value.upper()} stored for {folder.path}; {when}.",
        {"home": str(folder.path), "state": state.value, "running": running},
    )


def read_status(home: Path | None) -> Answer:
    """Return what the trader in a home does, or did last."""
    folder = find_home(home)
    running = is_running(folder)
    last = dict(folder.read_status() or {})
    data: dict[str, object] = {"home": str(folder.path), "running": running, **last}
    lines = [f"{folder.path}: {'running' if running else 'not running'}"]
    lines += [f"  {key.replace('_', ' ')}: {value}" for key, value in last.items()]
    return Answer("\n".join(lines), data)
