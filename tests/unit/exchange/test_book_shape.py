"""What a book can be made for, and that each mistake is named."""

from __future__ import annotations

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.exchange.matching.book import BookShape, new_book
from tidewright.kernels.matching import layout as at


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"prices": 1}, "prices were 1"),
        ({"prices": 64**5 + 1}, "prices were"),
        ({"orders": 0}, "orders was 0"),
        ({"base_unit": 0}, "base_unit was 0"),
        ({"quote_unit": -1}, "quote_unit was -1"),
        ({"base": 1, "quote": 1}, "two different"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(changed: dict[str, int], words: str) -> None:
    whole = {"prices": 100, "orders": 10, "base": 0, "quote": 1, "base_unit": 1, "quote_unit": 1}
    with pytest.raises(ConfigError, match=words):
        BookShape(**{**whole, **changed})


def test_room_is_rounded_up() -> None:
    book = new_book(BookShape(65, 5, 0, 1, 1, 1))
    assert book[at.PRICES] == 128
    assert book[at.CAPACITY] == 8
    assert book[at.ASK] == book[at.PRICES]
    assert book[at.BID] == 0
