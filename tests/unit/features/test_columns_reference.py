from pathlib import Path

from tidewright.features.declarations import declarations
from tidewright.features.reference import reference_text

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "columns.md"


def test_written_reference_is_what_the_declarations_say():
    text = reference_text()
    assert PAGE.read_text() == text
    assert text.count("\n| `") == len(declarations())
