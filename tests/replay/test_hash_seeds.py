"""Decisions do not depend on the order in which this process hashes texts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fakes.homes import request
from tidewright.app.session import Session

DIGEST = """
from hashlib import blake2b
from fakes.engines import record
from tidewright.app.strategies import load_strategies
from tidewright.engine.encoding import encode_slice
from tidewright.strategy.library import library
run = record(load_strategies(sorted(library())), 120, "risk.max_consecutive_losses=off")
digest = blake2b(digest_size=16)
for slice_, outcome, state in zip(run.slices, run.written, run.snapshots, strict=True):
    digest.update(encode_slice(slice_) + outcome + state)
print(sum(len(outcome.commands) for outcome in run.outcomes), digest.hexdigest(), hash("a") % 1000)
"""
ROOT = Path(__file__).parents[2]


def run(seed: int, *words: str) -> str:
    path = os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_run_is_the_same_bytes_under_two_hash_seeds() -> None:
    first, second = (run(seed, "-c", DIGEST).split() for seed in (1, 2))
    assert first[2] != second[2], "the seeds must make a difference"
    assert int(first[0]) > 5
    assert first[:2] == second[:2]


def test_recorded_home_is_decided_identically_under_two_hash_seeds(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Session(request(home, 60)) as session:
        session.run()
    for seed in (3, 4):
        said = run(seed, "-m", "tidewright.cli.main", "replay", str(home))
        assert "every one identical" in said
        assert "another build" not in said
