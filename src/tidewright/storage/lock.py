"""A lock that one process holds; the operating system drops it when that process ends."""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path

from tidewright.domain.errors import ConfigError

# Windows locks a byte range and keeps others from reading it: one byte far behind the text.
_FAR = 1 << 30


class ProcessLock:
    """An exclusive lock on a file.

    A process that dies, however it dies, holds nothing; a file left behind means nothing.

    Parameters
    ----------
    path : Path
        The lock file; it is created, and never removed.
    what : str
        What the lock protects, for the message.

    Raises
    ------
    ConfigError
        If another process holds it; the message names its process id.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be opened as a lock: {error}") from error
        try:
            _take(self._handle)
        except OSError as error:
            os.close(self._handle)
            raise ConfigError(
                f"{what} is in use by process {_owner(path)}; "
                "expected to be the only one: stop that process first"
            ) from error
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"{os.getpid()}\n".encode())
        self._held = True
        _forget_in_children(self)

    def release(self) -> None:
        """Give the lock back; doing so again does nothing."""
        if self._held:
            self._held = False
            os.close(self._handle)

    def forget(self) -> None:
        """Let go of a handle inherited by a fork, which must not outlive the parent's lock."""
        self.release()


def _forget_in_children(lock: ProcessLock) -> None:
    if sys.platform == "win32":
        return
    reference = weakref.ref(lock)

    def forget() -> None:
        inherited = reference()
        if inherited is not None:
            inherited.forget()

    os.register_at_fork(after_in_child=forget)


def _owner(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except OSError:
        text = ""
    return text or "unknown"


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
