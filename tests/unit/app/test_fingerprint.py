"""Whatever decides is in the fingerprint, and what does not decide is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tidewright.app import fingerprint
from tidewright.app.fingerprint import build_fingerprint, machine_description

ROOMS = ("domain", "kernels", "market", "features", "strategy", "risk", "execution", "engine")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "tidewright"
    skipped = shutil.ignore_patterns("__pycache__", "static", "migrations")
    shutil.copytree(fingerprint._PACKAGE, copy, ignore=skipped)
    monkeypatch.setattr(fingerprint, "_PACKAGE", copy)
    return copy


def deciding_file(package: Path, room: str) -> Path:
    return next(path for path in sorted((package / room).glob("*.py")) if path.stat().st_size > 500)


@pytest.mark.parametrize("room", ROOMS)
def test_one_changed_letter_of_a_deciding_room_is_another_build(package: Path, room: str) -> None:
    before = build_fingerprint([])
    path = deciding_file(package, room)
    path.write_text(path.read_text() + "#")
    assert build_fingerprint([]) != before


def test_library_strategy_and_shipped_instruments_decide(package: Path) -> None:
    before = {build_fingerprint([])}
    documents = sorted(package.glob("strategy/**/*.yaml")) + sorted(
        package.glob("market/**/*.yaml")
    )
    assert len(documents) > 6
    for path in documents:
        path.write_text(path.read_text() + "# x\n")
        found = build_fingerprint([])
        assert found not in before
        before.add(found)


def test_moved_and_renamed_files_are_another_build(package: Path) -> None:
    before = build_fingerprint([])
    path = deciding_file(package, "risk")
    path.rename(path.with_name("renamed.py"))
    assert build_fingerprint([]) != before


def test_what_does_not_decide_is_left_out(package: Path) -> None:
    before = build_fingerprint([])
    for room in ("app", "cli", "storage", "servers", "adapters", "research"):
        path = next((package / room).glob("*.py"))
        path.write_text(path.read_text() + "# x\n")
    cache = package / "engine" / "__pycache__"
    cache.mkdir()
    (cache / "core.cpython-311.pyc").write_bytes(b"x")
    (package / "engine" / "notes.txt").write_text("x")
    assert build_fingerprint([]) == before


def test_copy_of_the_package_is_the_same_build(package: Path) -> None:
    copied = build_fingerprint(["a"])
    fingerprint._PACKAGE = Path(fingerprint.__file__).parent.parent
    assert build_fingerprint(["a"]) == copied


def test_settings_strategies_and_their_order_decide() -> None:
    found = {
        build_fingerprint(parts) for parts in ([], ["a"], ["b"], ["a", "b"], ["b", "a"], ["ab"])
    }
    assert len(found) == 6


def test_version_of_a_deciding_library_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    before = build_fingerprint([])
    monkeypatch.setattr(fingerprint, "version", lambda name: "0.0")
    assert build_fingerprint([]) != before


def test_fingerprint_has_a_fixed_form() -> None:
    found = build_fingerprint([])
    assert len(found) == 32
    assert int(found, 16) >= 0
    assert machine_description()
