"""An edited step is seen by compiled callers in other modules, cached or not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tidewright.kernels

# half a unit of fee: away from zero as shipped, towards zero once the step below is edited
CALL = """
from tidewright.kernels import accounting
print(accounting.fee(1_500, 1_000), sum(accounting.fee.stats.cache_hits.values()))
print(accounting.__file__)
"""
STEP = "if rest >= divisor - rest:"


@pytest.fixture
def copied(tmp_path):
    source = Path(tidewright.kernels.__file__).parent
    package = tmp_path / "copy" / "tidewright"
    shutil.copytree(source, package / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text('"""Copy."""\n')
    return package / "kernels"


def fee(package, cache):
    """Return the fee and whether compiled code came from the cache, in a fresh process."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(package.parents[1]),
        "TIDEWRIGHT_CACHE": str(cache),
    }
    done = subprocess.run(
        [sys.executable, "-c", CALL],
        env=environment,
        cwd=cache.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    values, path = done.stdout.splitlines()
    assert Path(path).parent == package
    amount, hits = values.split()
    return int(amount), int(hits) > 0


def test_edited_step_cached_caller_in_another_module_gives_the_new_answer(copied, tmp_path):
    cache = tmp_path / "cache"
    assert fee(copied, cache) == (2, False)
    assert fee(copied, cache) == (2, True)
    step = copied / "integer.py"
    text = step.read_text()
    assert text.count(STEP) == 1
    step.write_text(text.replace(STEP, STEP.replace(">=", ">")))
    assert fee(copied, cache) == (1, False)
    assert fee(copied, cache) == (1, True)
    assert len(list((cache / "kernels").iterdir())) == 2


def test_step_edited_back_finds_its_old_cache(copied, tmp_path):
    cache = tmp_path / "cache"
    step = copied / "integer.py"
    text = step.read_text()
    fee(copied, cache)
    step.write_text(text + "\n")
    assert fee(copied, cache) == (2, False)
    step.write_text(text)
    fee(copied, cache)
    assert len(list((cache / "kernels").iterdir())) == 2
