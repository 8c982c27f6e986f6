import re
import shlex
from pathlib import Path

import click
import pytest
import typer.main

from tidewright.cli.commands import COMMANDS
from tidewright.cli.main import application
from tidewright.servers.api.application import create_api, every_route

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*"))
    if path.suffix in {".md", ".py", ".yaml"}
)
COMMAND = re.compile(r"^(?:\$ )?(?:\./tw|tidewright) (.+)$")
DEVELOPER = {"check", "test", "bench"}


def commands() -> list[tuple[str, str]]:
    """Return page and command line of every command in a code block."""
    found = []
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            if match := COMMAND.match(line.strip()):
                found.append((page.relative_to(ROOT).as_posix(), match[1]))
    return found


def headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize(("page", "line"), commands())
def test_command_of_a_page_is_one_that_exists_with_these_options(page, line):
    words = shlex.split(line, comments=True)
    words = words[: next((i for i, word in enumerate(words) if word in {">", "|"}), len(words))]
    if words[0] in DEVELOPER or "..." in words or "|" in line.split("#")[0]:
        return
    assert words[0] in COMMANDS, page
    root = typer.main.get_command(application(words[0]))
    command: click.Command = root.commands[words[0]]
    context = click.Context(command)
    arguments = words[1:]
    while isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]
        context = click.Context(command)
    command.parse_args(context, arguments)


def test_pages_hold_commands():
    assert len(commands()) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in headings(found), f"{page.name}: {target}"


def test_every_address_of_the_api_is_described(tmp_path):
    text = (ROOT / "docs/reference/http-api.md").read_text(encoding="utf-8")
    addresses = {
        path
        for route in every_route(create_api(_Nothing()).routes)
        if (path := getattr(route, "path", "")).startswith(("/api", "/metrics"))
    }
    assert addresses
    for address in addresses:
        assert address in text or address.removeprefix("/api/v1") in text, address


class _Nothing:
    """Services that no request reaches."""

    view = None
    login = None
