"""What is declared about a data set: read, judged, said plainly."""

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import parse_iso
from tidewright.market.declaration import Adjustment, DataDeclaration, parse_declaration

FULL = """
adjustment: split_dividend
adjusted_as_of: 2023-01-05
universe_as_of: "2022-12-30"
sectors: {AAA: energy, BBB: banks}
"""


def test_declared_things_are_read_with_their_dates():
    found = parse_declaration(FULL, "bars.yaml")
    assert found.adjustment is Adjustment.SPLIT_DIVIDEND
    assert found.back_adjusted
    assert found.adjusted_as_of == parse_iso("2023-01-05")
    assert found.universe_as_of == parse_iso("2022-12-30")
    assert found.sectors == {"AAA": "energy", "BBB": "banks"}
    assert found.lines(parse_iso("2013-01-02"))[:2] == [
        "prices: adjustment split_dividend as of 2023-01-05",
        "universe: as of 2022-12-30",
    ]
    assert found.as_dict()["universe_as_of"] == "2022-12-30"


def test_universe_that_was_chosen_after_its_first_bar_is_one_of_survivors():
    found = parse_declaration(FULL)
    assert found.survivors(parse_iso("2013-01-02"))
    assert not found.survivors(parse_iso("2022-12-31"))
    assert "universe of survivors" in found.lines(parse_iso("2013-01-02"))[2]
    assert len(found.lines(parse_iso("2022-12-31"))) == 2
    each = parse_declaration("universe_as_of: each_bar")
    assert not each.survivors(parse_iso("2013-01-02"))
    assert "each_bar" in each.lines()[1]


def test_nothing_declared_is_said_so():
    for found in (DataDeclaration(), parse_declaration("")):
        assert found.lines(1) == [
            "prices: adjustment undeclared",
            "universe: as of undeclared",
        ]
        assert not found.back_adjusted
        assert not found.survivors(1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("adjustmen: split", "did you mean 'adjustment'"),
        ("adjustment: splits", "'splits'"),
        ("adjusted_as_of: yesterday", "adjusted_as_of: time was 'yesterday'"),
        ("[1, 2]", "expected keys and values"),
        ("a: [", "no YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_document_and_key(text, reason):
    with pytest.raises(ConfigError, match=f"bars.yaml: .*{reason}"):
        parse_declaration(text, "bars.yaml")
