import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tidewright.cli import commands, main
from tidewright.cli.failures import ExitCode, exit_code, guarded
from tidewright.domain.errors import (
    ConfigError,
    DataIntegrityError,
    RateLimited,
    Rejected,
    TidewrightError,
    Transient,
    UnknownOutcome,
)

HEAVY = ("numba", "numpy", "polars", "fastapi", "sqlalchemy", "pydantic", "talib", "httpx", "yaml")


@pytest.fixture
def plant(monkeypatch):
    """Put one command in the place of all others."""

    def put(function):
        monkeypatch.setitem(sys.modules, "tidewright.cli.planted", SimpleNamespace(run=function))
        monkeypatch.setattr(main, "COMMANDS", {"go": commands.Entry("planted:run", "Go.", "Run")})

    return put


def test_help_lists_every_command_and_loads_nothing_heavy():
    code = (
        "import sys; from tidewright.cli.main import main; code = main(['--help'])\n"
        f"print('loaded', [name for name in {HEAVY} if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded [] 0"
    for name in commands.COMMANDS:
        assert f" {name} " in done.stdout


@pytest.mark.parametrize("name", list(commands.COMMANDS))
def test_every_command_loads_and_explains_itself(name, capsys):
    assert main.main([name, "--help"]) == 0
    assert "Usage: tidewright" in capsys.readouterr().out


def test_reader_that_closes_early_is_no_fault():
    code = "from tidewright.cli.main import main; raise SystemExit(main(['strategy', 'list']))"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_version_is_printed(capsys):
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tidewright 0.")


@pytest.mark.parametrize("words", [["strategi"], ["strategy", "shwo"], ["--nonsense"]])
def test_wrong_usage_gives_its_exit_code(words, capsys):
    assert main.main(words) == ExitCode.USAGE
    assert "strategy" in capsys.readouterr().err or words == ["--nonsense"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("bad"), 2),
        (Transient("later"), 3),
        (RateLimited("later", 5.0), 3),
        (DataIntegrityError("torn"), 4),
        (Rejected("no"), 5),
        (UnknownOutcome("perhaps"), 6),
        (TidewrightError("other"), 1),
    ],
)
def test_error_becomes_a_line_and_an_exit_code(plant, capsys, error, code):
    def fail() -> int:
        raise error

    plant(fail)
    assert exit_code(error) == code
    assert main.main(["go"]) == code
    told = capsys.readouterr().err
    assert told.startswith(f"error: {error}")
    assert "Traceback" not in told


def test_interrupt_gives_its_exit_code(plant, capsys):
    def interrupted() -> int:
        raise KeyboardInterrupt

    plant(interrupted)
    assert main.main(["go"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_fault_of_the_program_is_told_with_its_trace(plant, capsys):
    def broken() -> int:
        return 1 // 0

    plant(broken)
    assert main.main(["go"]) == ExitCode.FAULT
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(("returned", "code"), [(0, 0), (1, 1), (None, 0)])
def test_returned_code_is_the_exit_code(plant, returned, code):
    plant(lambda: returned)
    assert main.main(["go"]) == code


def test_guarded_command_keeps_its_signature_and_text():
    def command(value: int) -> int:
        """Say so."""
        return value

    assert guarded(command).__doc__ == "Say so."
    assert guarded(command)(0) is None


def test_strategy_list_as_json_names_the_library(capsys):
    assert main.main(["strategy", "list", "--json"]) == 0
    listed = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert len(listed) >= 6
    assert "crosses_above(sma(10), sma(50))" in listed["sma_cross"]["rules"]["entry.long"]


def test_shown_strategy_can_be_saved_and_validated(capsys, tmp_path):
    assert main.main(["strategy", "show", "sma_cross"]) == 0
    path = tmp_path / "mine.yaml"
    path.write_text(capsys.readouterr().out)
    assert main.main(["strategy", "validate", str(path)]) == 0
    assert main.main(["strategy", "show", str(path), "--json"]) == 0


def test_unfit_strategy_is_told_with_its_place(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("schema: 1\nname: mine\nentry:\n  long: sma(10) >\n")
    assert main.main(["strategy", "validate", str(path), "sma_cross"]) == 1
    told = capsys.readouterr().out
    assert "mine.yaml: cannot be used" in told
    assert "sma_cross: valid" in told


def test_unknown_strategy_is_wrong_usage_with_the_nearest_name(capsys):
    assert main.main(["strategy", "show", "sma_cros"]) == 2
    assert "did you mean 'sma_cross'" in capsys.readouterr().err
