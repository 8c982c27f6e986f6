import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from tidewright.cli.output import print_json, print_table
from tidewright.domain.events import TradingState


@dataclass(frozen=True)
class Row:
    name: str
    state: TradingState
    price: Decimal


def test_json_of_domain_values_is_plain(capsys):
    print_json({"rows": (Row("a", TradingState.ACTIVE, Decimal("1.10")),), "path": Path("x")})
    assert json.loads(capsys.readouterr().out) == {
        "rows": [{"name": "a", "state": "active", "price": "1.10"}],
        "path": "x",
    }


def test_json_refuses_what_json_cannot_say():
    with pytest.raises(ValueError, match="Out of range"):
        print_json(float("nan"))
    with pytest.raises(TypeError, match="object"):
        print_json(object())


def test_table_aligns_numbers_to_the_right_and_shows_unknown_as_a_dash(capsys):
    print_table(("name", "bars"), [("a", 5), ("long", None), ("b", 12345)], "none")
    assert capsys.readouterr().out.splitlines() == [
        "name   bars",
        "----  -----",
        "a         5",
        "long      -",
        "b     12345",
    ]


def test_table_without_rows_says_so(capsys):
    print_table(("name",), [], "nothing stored")
    assert capsys.readouterr().out == "nothing stored\n"
