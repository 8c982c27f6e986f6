import subprocess
import sys

import pytest

HEAVY = {"alembic", "fastapi", "httpx", "pandas", "polars", "sqlalchemy", "uvicorn"}


def loaded_after(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["tidewright.app.up", "tidewright.app.backtest"])
def test_importing_a_main_job_loads_nothing_that_can_wait(module):
    assert not HEAVY & loaded_after(f"import {module}")


def test_indicators_leave_data_frames_importable():
    loaded = loaded_after("import tidewright.features.streaming, polars")
    assert "polars" in loaded
