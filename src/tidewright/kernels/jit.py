"""How kernels are compiled: one decorator, one cache that an edited kernel can never fool.

Numba keeps compiled code per module and does not notice that a function called from another module
was edited. The cache directory is therefore named by a hash of the whole package: any edit to any
kernel starts an empty cache.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba
import platformdirs

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).parent


def package_hash(package: Path = _PACKAGE) -> str:
    """Return the hash that names the cache: every source file of the package, names included."""
    digest = blake2b(f"numba {numba.__version__}".encode(), digest_size=8)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def cache_directory() -> Path:
    """Return where compiled kernels are kept; ``TIDEWRIGHT_CACHE`` moves it."""
    root = os.environ.get("TIDEWRIGHT_CACHE") or platformdirs.user_cache_dir("tidewright")
    return Path(root) / "kernels" / package_hash()


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Let modules that are not loaded yet look as if they were not installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# Numba loads these for linear algebra and C functions, which no kernel uses; every command that
# runs a kernel would wait a quarter of a second for them.
with absent("scipy.linalg", "cffi"):
    import_module("numba.core.typing.cffi_utils")
    import_module("numba.np.arraymath")

numba.config.CACHE_DIR = str(cache_directory())  # type: ignore[attr-defined]


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel to machine code on its first call, cached on disk.

    Strict IEEE arithmetic, no fast-math, no parallel loops: a kernel gives the same bits wherever
    it runs. Integer division by zero gives 0 and is never relied on.
    """
    return _jit(function, counted=True, merged=False)


def unallocating(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes no array and keeps none, such as a step of a long loop.

    Numba counts references to every array that it passes on, in one atomic operation each; a step
    that takes a dozen arrays spends most of its time there. Such a kernel only borrows what its
    caller holds, so nothing needs counting. One that makes an array fails to compile.
    """
    return _jit(function, counted=False, merged=False)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile an `unallocating` kernel into whoever calls it.

    Passing a dozen arrays costs as much as a small step does; one that is called from few places
    becomes part of them.
    """
    return _jit(function, counted=False, merged=True)


def _jit(function: Callable[P, R], *, counted: bool, merged: bool) -> Callable[P, R]:
    # Whether references are counted is said to every kernel: what is not said is taken from
    # whoever calls it first.
    decorate = numba.njit(  # type: ignore[call-overload]
        cache=True, error_model="numpy", nogil=True, forceinline=merged, _nrt=counted
    )
    return cast("Callable[P, R]", decorate(function))
