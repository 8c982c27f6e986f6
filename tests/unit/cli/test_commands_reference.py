"""The written reference of commands is what the commands say of themselves."""

from __future__ import annotations

from commands_reference import PAGE, page
from tidewright.cli.commands import COMMANDS


def test_page_is_in_step_with_the_commands() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/commands_reference.py"


def test_every_command_and_option_is_on_the_page() -> None:
    text = page()
    for name in COMMANDS:
        assert f"### `{name}" in text
    for word in (
        "--feed agents\\|simulated\\|replay",
        "--assets",
        "data fetch SYMBOLS...",
        "--verify",
    ):
        assert word in text
