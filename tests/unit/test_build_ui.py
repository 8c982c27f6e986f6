import json
import os

import pytest

import build_ui


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page whose build copies one file, with an npm that counts its calls."""
    monkeypatch.delenv(build_ui.SKIP, raising=False)
    ui, static = tmp_path / "ui", tmp_path / "static"
    (ui / "src").mkdir(parents=True)
    (ui / "package.json").write_text(json.dumps({"name": "page"}))
    (ui / "package-lock.json").write_text("{}")
    (ui / "src" / "main.ts").write_text("1")
    calls = []

    def npm(arguments, folder=ui):
        calls.append(arguments[0])
        if arguments[0] == "ci":
            (folder / "node_modules").mkdir(exist_ok=True)
        else:
            out = arguments[arguments.index("--outDir") + 1]
            os.makedirs(out)
            with open(os.path.join(out, "index.html"), "w") as file:
                file.write((folder / "src" / "main.ts").read_text())

    monkeypatch.setattr(build_ui, "npm", npm)
    return ui, static, calls


def test_page_is_built_once_for_one_state_of_its_sources(page):
    ui, static, calls = page
    assert build_ui.build(ui, static)
    assert not build_ui.build(ui, static)
    assert calls == ["ci", "run"]
    assert (static / "index.html").read_text() == "1"


def test_edited_page_is_built_again_with_the_same_modules(page):
    ui, static, calls = page
    build_ui.build(ui, static)
    (ui / "src" / "main.ts").write_text("2")
    assert build_ui.build(ui, static)
    assert calls == ["ci", "run", "run"]
    assert (static / "index.html").read_text() == "2"


def test_changed_lock_file_installs_modules_again(page):
    ui, static, calls = page
    build_ui.build(ui, static)
    (ui / "package-lock.json").write_text("{ }")
    build_ui.build(ui, static)
    assert calls == ["ci", "run", "ci", "run"]


def test_failed_build_keeps_the_page_that_was_there(page, monkeypatch):
    ui, static, _ = page
    build_ui.build(ui, static)
    (ui / "src" / "main.ts").write_text("2")

    def broken(arguments, folder=ui):
        raise build_ui.BuildError("npm failed")

    monkeypatch.setattr(build_ui, "npm", broken)
    with pytest.raises(build_ui.BuildError):
        build_ui.build(ui, static)
    assert (static / "index.html").read_text() == "1"
    assert not build_ui.up_to_date(ui, static)


def test_built_page_without_sources_is_used_as_it_is(page):
    ui, static, calls = page
    build_ui.build(ui, static)
    assert not build_ui.build(ui.parent / "none", static)
    assert calls == ["ci", "run"]


def test_missing_sources_and_page_are_an_error_that_names_the_way_out(page):
    ui, static, _ = page
    with pytest.raises(build_ui.BuildError, match=build_ui.SKIP):
        build_ui.build(ui.parent / "none", static)


def test_page_is_left_out_when_asked(page, monkeypatch):
    ui, static, calls = page
    monkeypatch.setenv(build_ui.SKIP, "1")
    assert not build_ui.build(ui, static)
    assert calls == []


def test_old_or_absent_node_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build_ui.system_node() is None
    for name, text in (("node", "#!/bin/sh\necho v18.20.0\n"), ("npm", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    assert build_ui.system_node() is None
    (tmp_path / "node").write_text("#!/bin/sh\necho v20.19.0\n")
    assert build_ui.system_node() == tmp_path / "node"


def test_npm_without_any_node_is_an_error_that_says_what_is_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build_ui, "_wheel_node", lambda: None)
    with pytest.raises(build_ui.BuildError, match=r"Node 20\.19 or newer"):
        build_ui.npm_command()
