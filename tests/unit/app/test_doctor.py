import json
import socket
import sqlite3

import pytest

from tidewright.app import doctor
from tidewright.app.doctor import Health, examine
from tidewright.app.settings import apply_overrides, load_settings
from tidewright.cli.main import main


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEWRIGHT_CACHE", str(tmp_path / "cache"))
    return apply_overrides(load_settings(environment={}, env_file=None), ["server.port=0"])


def found(checks, name):
    return next(check for check in checks if check.name == name)


def test_sound_machine_has_no_failure(settings, tmp_path):
    checks = examine(settings, tmp_path / "home")
    assert [check for check in checks if check.health is Health.FAILED] == []
    assert len({check.name for check in checks}) == len(checks)


def test_taken_port_is_a_warning_that_says_what_to_do(settings, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = apply_overrides(settings, [f"server.port={server.getsockname()[1]}"])
        check = found(examine(taken, tmp_path), "port")
    assert check.health is Health.WARNING
    assert "--port" in check.detail


def test_damaged_journal_is_a_failure(settings, tmp_path):
    (tmp_path / "journal.sqlite3").write_bytes(b"no database" * 100)
    assert found(examine(settings, tmp_path), "journal").health is Health.FAILED


def test_journal_is_counted_without_being_changed(settings, tmp_path):
    path = tmp_path / "journal.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE journal (sequence INTEGER)")
        connection.execute("INSERT INTO journal VALUES (7)")
    connection.close()
    before = path.read_bytes()
    check = found(examine(settings, tmp_path), "journal")
    assert check.health is Health.OK
    assert check.detail.startswith("7 entries")
    assert path.read_bytes() == before


def test_home_that_is_a_file_is_a_failure(settings, tmp_path):
    path = tmp_path / "home"
    path.write_text("")
    assert found(examine(settings, path), "home").health is Health.FAILED


def test_missing_package_is_a_failure(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "not-a-package-of-ours"))
    check = found(examine(settings, tmp_path), "packages")
    assert check.health is Health.FAILED
    assert "not-a-package-of-ours" in check.detail


def test_little_disk_is_a_warning(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED_DISK", 10**18)
    assert found(examine(settings, tmp_path), "disk").health is Health.WARNING


def test_settings_without_effect_are_a_warning(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("health:\n  check_interval_seconds: 5\nserver:\n  port: 0\n")
    settings = load_settings(path, environment={}, env_file=None)
    assert found(examine(settings, tmp_path), "settings").health is Health.WARNING


def test_command_prints_json_and_gives_no_failure(capsys, tmp_path):
    assert main(["doctor", "--home", str(tmp_path / "h"), "--json"]) == 0
    assert {check["health"] for check in json.loads(capsys.readouterr().out)} <= {"ok", "warning"}
