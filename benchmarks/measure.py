"""What every benchmark prints beside its own figures: the machine, the versions, two yardsticks.

Figures of two machines, or of one machine at two moments, can only be compared as multiples of
something measured in the same run. The yardsticks are a loop of plain Python, and one flush of a
small write to the disk that a durable run writes to.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

_LOOP = 2_000_000
_FLUSHES = 50
_VERSIONS = ("numba", "numpy", "orjson", "ta-lib")


def minutes_of_bitcoin() -> Path:
    """Return the file of minutes in the folder that TW_REALDATA names; end without one."""
    folder = os.environ.get("TW_REALDATA", "")
    found = sorted(Path(folder).glob("crypto/*BTCUSDT_1m*.parquet")) if folder else []
    if not found:
        print("no minutes to run over: name a file, or the data folder with TW_REALDATA")
        sys.exit(0)
    return found[0]


def loop_nanoseconds() -> float:
    """Return the processor time of one turn of a plain Python loop; the best of five."""

    def turns() -> float:
        total = 0
        began = time.process_time()
        for number in range(_LOOP):
            total += number & 7
        return time.process_time() - began

    return min(turns() for _ in range(5)) / _LOOP * 1e9


def flush_microseconds(folder: Path) -> float:
    """Return the time of one small write and its flush to the disk of a folder; the median."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_FLUSHES):
            began = time.perf_counter()
            os.write(file.fileno(), b"x" * 4_096)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[_FLUSHES // 2] * 1e6


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def surroundings(folder: Path) -> dict[str, object]:
    """Return machine, versions and yardsticks."""
    versions = {"python": platform.python_version()}
    for name in _VERSIONS:
        versions[name] = metadata.version(name)
    return {
        "machine": f"{processor()}, {os.cpu_count()} cores, {sys.platform}",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "versions": versions,
        "loop_ns": round(loop_nanoseconds(), 1),
        "flush_us": round(flush_microseconds(folder)),
    }
