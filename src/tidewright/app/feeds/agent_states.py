"""Saved states of the living market in a folder: a cache, from which nothing wrong is ever read.

A file that is damaged, of another market or of another build is as good as none: whoever asked
makes the market again from its start, and gets the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import orjson

from tidewright.domain.errors import Transient
from tidewright.storage.files import write_atomically

_DIGEST = 16
_log = logging.getLogger(__name__)


class StateCache:
    """States by the minute at which they were saved.

    Parameters
    ----------
    folder : Path
        Where they lie; made when the first one is saved.
    key : str
        Names everything that the market follows from, the code included.
    reach : int
        Minutes around the one last saved whose states are kept.
    """

    def __init__(self, folder: Path, key: str, reach: int) -> None:
        self._folder = folder
        self._key = key
        self._reach = reach

    def save(self, minute: int, states: Sequence[bytes]) -> None:
        """Keep the states of a minute; a disk that takes none only costs time later."""
        sizes = [len(state) for state in states]
        head = orjson.dumps({"key": self._key, "minute": minute, "sizes": sizes}) + b"\n"
        content = head + b"".join(states)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._path(minute), _digest(content) + content)
            self._forget_others(minute)
        except (OSError, Transient) as error:
            _log.warning("a state of the market was not saved: %s", error)

    def before(self, minute: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield whole states of this market up to a minute, the newest first."""
        for saved in sorted(self._minutes(), reverse=True):
            if saved <= minute and (states := self._read(saved)) is not None:
                yield saved, states

    def _path(self, minute: int) -> Path:
        return self._folder / f"{self._key}-{minute}.state"

    def _minutes(self) -> list[int]:
        names = [path.stem.rpartition("-") for path in self._folder.glob("*.state")]
        return [int(minute) for key, _, minute in names if key == self._key and minute.isdecimal()]

    def _read(self, minute: int) -> list[bytes] | None:
        try:
            data = self._path(minute).read_bytes()
        except OSError:
            return None
        content = data[_DIGEST:]
        if data[:_DIGEST] != _digest(content):
            return None
        head, _, body = content.partition(b"\n")
        told = orjson.loads(head)
        if told["key"] != self._key or told["minute"] != minute:
            return None
        states = []
        for size in told["sizes"]:
            states.append(body[:size])
            body = body[size:]
        return states

    def _forget_others(self, minute: int) -> None:
        near = {m for m in self._minutes() if abs(m - minute) <= self._reach}
        kept = {self._path(one).name for one in near}
        for path in self._folder.glob("*.state"):
            if path.name not in kept:
                path.unlink(missing_ok=True)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).digest()
