import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tidewright

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(tidewright.__file__).parent
LINT = Path(sys.executable).parent / "lint-imports"


def lint(source: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINT), "--config", str(ROOT / "pyproject.toml"), "--no-logo", "--no-cache"],
        cwd=source,
        env={"PYTHONPATH": str(source), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "tidewright", ignore=shutil.ignore_patterns("static"))
    return tmp_path


def test_import_contract_holds_for_the_package(copied):
    done = lint(copied)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("domain/money.py", "import tidewright.engine.core"),
        ("domain/money.py", "import numpy"),
        ("engine/core.py", "import httpx"),
        ("engine/core.py", "import tidewright.exchange.paper"),
        ("strategy/spec.py", "import tidewright.risk.settings"),
        ("research/metrics.py", "import sqlite3"),
        ("cli/main.py", "import tidewright.storage.journal"),
        ("storage/__init__.py", "import tidewright.adapters"),
        ("app/driver.py", "import lightgbm"),
        ("exchange/environment/markets.py", "import gymnasium"),
        ("learning/rl/order_book.py", "import httpx"),
    ],
)
def test_planted_forbidden_import_breaks_the_contract(copied, module, forbidden):
    path = copied / "tidewright" / module
    path.write_text(path.read_text() + f"\n\ndef planted():\n    {forbidden}\n")
    done = lint(copied)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
    assert forbidden.removeprefix("import ") in done.stdout


def test_unplaced_room_breaks_the_contract(copied):
    room = copied / "tidewright" / "misplaced"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room that no layer names."""\n')
    done = lint(copied)
    assert done.returncode == 1
    assert "misplaced" in done.stdout


def test_domain_imports_the_standard_library_alone():
    allowed = {*sys.stdlib_module_names, "tidewright"}
    for path in (PACKAGE / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in allowed, f"{path} imports {name}"
