"""Sessions of people who logged in, and the delay for those who guess."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from tidewright.app.page.read_models import Role
from tidewright.servers.api.settings import ApiSettings

SESSION_LIMIT = 64
FREE_TRIES = 3
LONGEST_DELAY = 60.0


@dataclass(slots=True)
class Session:
    """One logged-in browser.

    Parameters
    ----------
    role : Role
        What it may do.
    csrf : str
        Token that its state changes must carry in a header.
    created, used : float
        Monotonic seconds.
    """

    role: Role
    csrf: str
    created: float
    used: float

    @property
    def actor(self) -> str:
        """Name under which its actions are recorded."""
        return f"dashboard:{self.role.value}"

    def accepts(self, csrf: str) -> bool:
        """Compare a token in constant time."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())


class Sessions:
    """Sessions by the hash of their id; a new id is made at every login.

    Parameters
    ----------
    settings : ApiSettings
        How long sessions last.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, settings: ApiSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle = settings.session_timeout_minutes * 60.0
        self._longest = settings.session_hours * 3600.0
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def open(self, role: Role) -> tuple[str, Session]:
        """Start a session and return its id; the oldest one ends when there are too many."""
        now = self._clock()
        self._sessions = {key: kept for key, kept in self._sessions.items() if self._alive(kept)}
        while len(self._sessions) >= SESSION_LIMIT:
            self._sessions.pop(min(self._sessions, key=lambda key: self._sessions[key].used))
        identifier = secrets.token_urlsafe(32)
        session = Session(role, secrets.token_urlsafe(32), now, now)
        self._sessions[_key(identifier)] = session
        return identifier, session

    def find(self, identifier: str | None, *, touch: bool = True) -> Session | None:
        """Return the living session of an id; ``touch`` starts its idle time anew."""
        session = self._sessions.get(_key(identifier)) if identifier else None
        if session is None or not self._alive(session):
            return None
        if touch:
            session.used = self._clock()
        return session

    def close(self, identifier: str | None) -> None:
        """End a session."""
        if identifier:
            self._sessions.pop(_key(identifier), None)

    def close_all(self) -> None:
        """End every session."""
        self._sessions.clear()

    def _alive(self, session: Session) -> bool:
        now = self._clock()
        return now - session.used < self._idle and now - session.created < self._longest


class Throttle:
    """Delays after failed logins: per address, and for all together at a slower growth.

    Parameters
    ----------
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}

    def wait(self, address: str) -> float:
        """Return the seconds before the next try of an address is heard."""
        now = self._clock()
        return max(0.0, *(self._until(key) - now for key in (address, "")))

    def failed(self, address: str) -> None:
        """Note a failure."""
        if len(self._failures) > 1_000:
            self._failures = {"": self._failures.get("", (0, 0.0))}
        for key in (address, ""):
            count, _ = self._failures.get(key, (0, 0.0))
            self._failures[key] = count + 1, self._clock()

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address."""
        self._failures.pop(address, None)
        self._failures.pop("", None)

    def _until(self, key: str) -> float:
        count, last = self._failures.get(key, (0, 0.0))
        free = FREE_TRIES if key else 10 * FREE_TRIES
        if count < free:
            return 0.0
        return last + min(LONGEST_DELAY, 2.0 ** min(count - free, 10))


def _key(identifier: str) -> str:
    return hashlib.sha256(identifier.encode()).hexdigest()
