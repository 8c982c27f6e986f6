"""Files that are never seen half written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from tidewright.domain.errors import Transient


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a file's content as a whole; it is on disk when the call returns.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    data : bytes
        The whole new content.
    mode : int
        Access rights of the file.

    Raises
    ------
    Transient
        If it cannot be written now, as on a full disk; the old content stays.
    """

    def write(temporary: Path) -> None:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb"
        ) as file:
            file.write(data)

    replace_atomically(path, write)


def replace_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let a function write a file beside the wanted one, then put it in its place.

    Parameters
    ----------
    path : Path
        The file to replace; its folder must exist.
    write : callable
        Writes the path that it is given.

    Raises
    ------
    Transient
        If it cannot be written now; the old file stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        write(temporary)
        _sync(temporary)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise Transient(f"{path}: could not be written ({error}); the old file stays") from error
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
