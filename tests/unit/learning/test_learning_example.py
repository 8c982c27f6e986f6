"""The example learns something that holds on seeds that it never saw."""

import importlib.util
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "learn_on_the_order_book.py"


def test_what_the_example_learned_earns_where_drawing_lots_loses(capsys):
    place = importlib.util.spec_from_file_location("learn_on_the_order_book", EXAMPLE)
    example = importlib.util.module_from_spec(place)
    place.loader.exec_module(example)
    found = example.main()
    assert found["learned"] > 50.0
    assert found["by lot"] < -500.0
    assert "learned" in capsys.readouterr().out
