"""The login secret of a home: made on the first start, kept only as a slow hash."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tidewright.app.page.read_models import Role
from tidewright.domain.errors import ConfigError

_COST = {"n": 2**15, "r": 8, "p": 3}
_MEMORY = 64 * 1024 * 1024
TOKEN_SECONDS = 600.0


class LoginStore:
    """Checks the login secret and hands out one-time links.

    Parameters
    ----------
    path : Path
        File of the hash, mode 0600; made on the first start.
    clock : callable
        Monotonic seconds, for the age of links.

    Raises
    ------
    ConfigError
        If the file exists and cannot be used.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[bytes, tuple[Role, float]] = {}
        self.new_secret: str | None = None
        if not path.exists():
            self.new_secret = secrets.token_urlsafe(24)
            self._write(self.new_secret)
        self._salt, self._hash = self._load()

    def verify(self, secret: str) -> Role | None:
        """Check the login secret; takes a tenth of a second on purpose."""
        return Role.OPERATOR if hmac.compare_digest(self._digest(secret), self._hash) else None

    def issue(self, role: Role = Role.OPERATOR) -> str:
        """Return a token that lets its bearer in once, within ten minutes."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            now = self._clock()
            self._tokens = {key: kept for key, kept in self._tokens.items() if kept[1] > now}
            self._tokens[_key(token)] = (role, now + TOKEN_SECONDS)
        return token

    def redeem(self, token: str) -> Role | None:
        """Use up a one-time link token."""
        with self._lock:
            role, until = self._tokens.pop(_key(token), (None, 0.0))
        return role if until > self._clock() else None

    def _digest(self, secret: str) -> bytes:
        return hashlib.scrypt(secret.encode(), salt=self._salt, maxmem=_MEMORY, **_COST)

    def _write(self, secret: str) -> None:
        self._salt = secrets.token_bytes(16)
        record = {"version": 1, "salt": self._salt.hex(), "scrypt": self._digest(secret).hex()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(record, file)

    def _load(self) -> tuple[bytes, bytes]:
        try:
            record = json.loads(self._path.read_text(encoding="utf-8"))
            found = bytes.fromhex(record["salt"]), bytes.fromhex(record["scrypt"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"login file {self._path} cannot be read ({error}); remove it to make a new secret"
            ) from error
        if os.name == "posix" and self._path.stat().st_mode & 0o077:
            self._path.chmod(0o600)
        return found


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
