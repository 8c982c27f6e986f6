"""The fingerprint of a build: decisions are comparable only under an equal one."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_DECIDING_ROOMS = (
    "domain",
    "kernels",
    "market",
    "features",
    "strategy",
    "risk",
    "execution",
    "engine",
)
_DECIDING_LIBRARIES = ("numba", "numpy", "ta-lib", "orjson")


def build_fingerprint(configuration: Iterable[str], rooms: Iterable[str] = _DECIDING_ROOMS) -> str:
    """Return the digest of everything that decisions depend on, inputs apart.

    Parameters
    ----------
    configuration : iterable of str
        Settings and strategy documents in their written form.
    rooms : iterable of str
        Packages whose source counts.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    digest = blake2b(digest_size=16)
    for room in rooms:
        for path in sorted((_PACKAGE / room).rglob("*")):
            if path.suffix in {".py", ".yaml"}:
                name = path.relative_to(_PACKAGE).as_posix()
                digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    for library in _DECIDING_LIBRARIES:
        digest.update(f"{library} {version(library)}\0".encode())
    for document in configuration:
        digest.update(document.encode() + b"\0")
    return digest.hexdigest()


def machine_description() -> str:
    """Return the C library and processor, recorded beside the fingerprint for whoever compares."""
    libc = " ".join(platform.libc_ver()) or "unknown libc"
    return f"{platform.python_version()} {platform.system()} {platform.machine()} {libc}"
