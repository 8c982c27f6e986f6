"""What every test shares: the data folder, the database, and how properties are searched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

POSTGRES_DEFAULT = "postgresql+psycopg://postgres@127.0.0.1:5432/test"

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("TW_HYPOTHESIS", "ci"))


@pytest.fixture(autouse=True, scope="session")
def trials_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what tests try out of the user's registry of trials."""
    before = os.environ.get("TIDEWRIGHT_TRIALS")
    path = tmp_path_factory.mktemp("trials") / "trials.sqlite3"
    os.environ["TIDEWRIGHT_TRIALS"] = str(path)
    yield path
    if before is None:
        del os.environ["TIDEWRIGHT_TRIALS"]
    else:
        os.environ["TIDEWRIGHT_TRIALS"] = before


def services_required() -> bool:
    """Whether a missing service fails a test instead of skipping it."""
    return os.environ.get("TW_REQUIRE_SERVICES") == "1"


def missing(what: str) -> None:
    """Skip the running test, or fail it where services are required."""
    if services_required():
        pytest.fail(f"{what}, and TW_REQUIRE_SERVICES=1 requires it")
    pytest.skip(what)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share one server in one worker."""
    for item in items:
        for marker in ("postgres", "browser"):
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.xdist_group(marker))


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of real market data, named by TW_REALDATA; the test is skipped without one.

    The data cannot be shipped, so its absence skips even where services are required.
    """
    folder = os.environ.get("TW_REALDATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"TW_REALDATA was {folder!r}; expected a folder of market data")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """URL of a PostgreSQL database that tests may fill and empty."""
    import sqlalchemy

    url = os.environ.get("TW_POSTGRES_URL", POSTGRES_DEFAULT)
    engine = sqlalchemy.create_engine(url, connect_args={"connect_timeout": 3})
    try:
        with engine.connect():
            pass
    except sqlalchemy.exc.OperationalError as error:
        missing(f"no PostgreSQL at {url}: {str(error).splitlines()[0]}")
    finally:
        engine.dispose()
    return url
