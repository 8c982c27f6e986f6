import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("cat", "cksum", "dirname", "env", "find", "sh", "tail")
UV = """#!/bin/sh
echo "$@" >>"$CALLS"
case "$1" in
    venv) for last in "$@"; do :; done; mkdir -p "$last/bin"; ln -sf "$REAL" "$last/bin/python" ;;
    pip) [ -z "${BROKEN:-}" ] || { echo "no such package"; exit 1; } ;;
esac
"""


@pytest.fixture
def clone(tmp_path):
    """A clone with a command line that prints its words, and a uv that does nothing but note."""
    root, tools = tmp_path / "clone", tmp_path / "bin"
    package = root / "src" / "tidewright"
    (package / "cli").mkdir(parents=True)
    (package / "kernels").mkdir()
    tools.mkdir()
    shutil.copy(ROOT / "tw", root)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "hatch_build.py").write_text("")
    (root / "constraints.txt").write_text("")
    (package / "kernels" / "jit.py").write_text("")
    for name in ("", "cli/", "kernels/"):
        (package / f"{name}__init__.py").write_text("")
    (package / "cli" / "main.py").write_text("import sys; print('ran', *sys.argv[1:])")
    for name in (*TOOLS, "mkdir", "ln"):
        (tools / name).symlink_to(shutil.which(name))
    return root


def tw(root, *words, **environment):
    tools = root.parent / "bin"
    return subprocess.run(
        [str(root / "tw"), *words],
        env={
            "PATH": str(tools),
            "CALLS": str(root.parent / "calls"),
            "REAL": sys.executable,
            "PYTHONPATH": str(root / "src"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def give(root, name, text):
    path = root.parent / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def calls(root):
    return (root.parent / "calls").read_text().splitlines()


def test_first_use_installs_once_and_hands_the_words_over(clone):
    give(clone, "uv", UV)
    first = tw(clone, "strategy", "list of mine")
    assert first.stdout == "ran strategy list of mine\n"
    assert "Installing Tidewright" in first.stderr
    noted = len(calls(clone))
    second = tw(clone, "--version")
    assert (second.stdout, second.stderr) == ("ran --version\n", "")
    assert len(calls(clone)) == noted + 1  # asked for its version


def test_changed_requirements_install_again(clone):
    give(clone, "uv", UV)
    tw(clone, "doctor")
    (clone / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert "Installing" in tw(clone, "doctor").stderr


def test_page_is_built_for_the_trader_and_again_when_its_sources_change(clone):
    give(clone, "uv", UV)
    (clone / "ui").mkdir()
    (clone / "ui" / "package.json").write_text("{}")
    assert "page" not in tw(clone, "doctor").stderr
    assert "Building the page" in tw(clone, "up").stderr
    assert tw(clone, "up").stderr == ""
    (clone / "ui" / "main.ts").write_text("1")
    assert tw(clone, "up", TIDEWRIGHT_SKIP_UI="1").stderr == ""
    assert "Building the page" in tw(clone, "up").stderr


def test_kernels_are_compiled_once_for_one_state_of_them(clone):
    give(clone, "uv", UV)
    warmup = clone / "src" / "tidewright" / "kernels" / "warmup.py"
    warmup.write_text(
        "def warm_up():\n    print('compiled')\ndef warm_up_market():\n    print('market')\n"
    )
    assert tw(clone, "up").stdout == "compiled\nmarket\nran up\n"
    assert tw(clone, "up").stdout == "ran up\n"


def test_failed_installation_shows_why_and_is_tried_again(clone):
    give(clone, "uv", UV)
    failed = tw(clone, "doctor", BROKEN="1")
    assert failed.returncode == 1
    assert "no such package" in failed.stderr
    assert tw(clone, "doctor").stdout == "ran doctor\n"


def test_machine_without_python_is_told_what_it_needs(clone):
    done = tw(clone, "up")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; found none" in done.stderr


def test_machine_with_an_old_python_is_told_which_was_found(clone):
    give(clone, "python3", '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.1\nexit 1\n')
    assert "found Python 3.9.1" in tw(clone, "up").stderr


def test_python_without_venv_is_told_how_to_get_it(clone):
    give(
        clone,
        "python3",
        f'#!/bin/sh\ncase "$*" in *venv*) exit 1 ;; *print*) echo {os.fspath(clone.parent)}'
        "/bin/python3 ;; esac\n",
    )
    assert "python3-venv" in tw(clone, "up").stderr
