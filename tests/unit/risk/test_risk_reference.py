"""The written reference says what the code does."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from tidewright.risk.gate import ENTRY_RULES
from tidewright.risk.settings import LIMITS, RiskSettings

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "risk.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_table_of_limits_is_the_settings_field_by_field() -> None:
    table = {row[0].strip("`"): row for row in rows("Limits")}
    assert list(table) == [item.name for item in fields(RiskSettings)]
    for item in fields(RiskSettings):
        _name, default, unit, words, off = table[item.name]
        limit = LIMITS.get(item.name)
        assert default == str(item.default)
        assert unit == (limit.unit if limit else "realized, unrealized or both")
        assert off == ("yes" if limit and limit.may_be_off else "no")
        assert words.endswith(".")


def test_table_of_rules_is_in_the_order_of_the_gate() -> None:
    by_setting = {
        "cooldown": "cooldown_minutes",
        "data_age": "max_data_age_minutes",
        "duplicate_intent": "duplicate_window_seconds",
    }
    percents = {name.removesuffix("_percent"): name for name in LIMITS}
    names = [rule.__name__ for rule in ENTRY_RULES]
    expected = ["intent_form", "known_instrument", "account_form", "bracket", "known_price"]
    expected += [by_setting.get(name) or percents.get(name, name) for name in names]
    assert [row[0].strip("`") for row in rows("Rules of an entry")] == expected
