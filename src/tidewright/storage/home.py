"""The home: the folder that holds one trader's identity, journal, data and settings."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.storage.files import write_atomically
from tidewright.storage.lock import ProcessLock

LAYOUT_VERSION = 1
"""Version of the folder's layout."""

_ID = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True, slots=True)
class Home:
    """One trader's folder, and where everything in it lies.

    Parameters
    ----------
    path : Path
        The folder.
    id : str
        Random identity, made once; part of every client order id.
    """

    path: Path
    id: str

    @classmethod
    def open(cls, path: Path, make_id: Callable[[], str]) -> Home:
        """Return a home, creating the folder and its identity on first use.

        Parameters
        ----------
        path : Path
            The folder; created for its owner alone.
        make_id : callable
            Gives a random identity of 16 to 64 hexadecimal digits; asked only for a new home.

        Raises
        ------
        ConfigError
            If the folder cannot be used, or a newer build laid it out.
        """
        path = path.expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / "data").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"home {path} cannot be created: {error}") from error
        identity = path / "home.json"
        if not identity.exists():
            _create_identity(identity, make_id())
        return cls(path, _read_identity(identity))

    @classmethod
    def existing(cls, path: Path) -> Home:
        """Return a home that must exist.

        Raises
        ------
        ConfigError
            If the folder is no home.
        """
        path = path.expanduser().absolute()
        if not (path / "home.json").is_file():
            raise ConfigError(f"home was {path}; expected a folder that `tw up` has made")
        return cls(path, _read_identity(path / "home.json"))

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.path / "journal.sqlite3"

    @property
    def operator(self) -> Path:
        """The operator's inbox."""
        return self.path / "operator.sqlite3"

    @property
    def venue(self) -> Path:
        """The paper venue's own log."""
        return self.path / "venue.sqlite3"

    @property
    def status(self) -> Path:
        """What the running process last said of itself."""
        return self.path / "status.json"

    def lock(self) -> ProcessLock:
        """Take the home for this process, until it is released or the process ends.

        Raises
        ------
        ConfigError
            If another process runs on this home; the message names its process id.
        """
        return ProcessLock(self.path / "lock", f"home {self.path}")

    def write_status(self, status: Mapping[str, object]) -> None:
        """Replace the status file as a whole.

        Raises
        ------
        Transient
            If it cannot be written now; the old one stays.
        """
        write_atomically(self.status, orjson.dumps(status, option=orjson.OPT_INDENT_2) + b"\n")

    def read_status(self) -> Mapping[str, object] | None:
        """Return what was last written, None before the first time.

        Raises
        ------
        DataIntegrityError
            If the file is no status.
        """
        try:
            data = self.status.read_bytes()
        except FileNotFoundError:
            return None
        return _object(self.status, data)


def _create_identity(path: Path, identity: str) -> None:
    if not _ID.fullmatch(identity):
        raise ConfigError(f"home id was {identity!r}; expected 16 to 64 hexadecimal digits")
    data = orjson.dumps({"id": identity, "layout": LAYOUT_VERSION}) + b"\n"
    own = path.with_name(f"home.{identity}.json")
    write_atomically(own, data)
    try:
        # A link fails where the name exists, so of two first starts one identity wins.
        os.link(own, path)
    except FileExistsError:
        pass
    except OSError:
        os.replace(own, path)
    finally:
        own.unlink(missing_ok=True)


def _read_identity(path: Path) -> str:
    data = _object(path, path.read_bytes())
    layout, identity = data.get("layout"), data.get("id")
    if isinstance(layout, int) and layout > LAYOUT_VERSION:
        raise ConfigError(
            f"{path}: layout version was {layout}; expected at most {LAYOUT_VERSION}: "
            "use a newer build"
        )
    if layout != LAYOUT_VERSION or not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise DataIntegrityError(f"{path}: it was {dict(data)!r}; expected an id and a layout")
    return identity


def _object(path: Path, data: bytes) -> Mapping[str, object]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DataIntegrityError(f"{path}: it was {data[:80]!r}; expected JSON") from error
    if not isinstance(value, dict):
        raise DataIntegrityError(f"{path}: it was {data[:80]!r}; expected a JSON object")
    return value
