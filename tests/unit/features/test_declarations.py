import pytest

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import ColumnReference, declarations, resolve


def test_every_column_declares_itself_completely():
    for name, column in declarations().items():
        assert column.name == name
        assert column.version >= 1
        assert column.dtype == "float64"
        assert all((column.description, column.unit, column.nan_means, column.inputs))
        assert column.lookback(resolve(name, ()).parameters) >= 0


@pytest.mark.parametrize(
    ("name", "arguments", "label"),
    [
        ("close", (), "close"),
        ("sma", (10,), "sma(10)"),
        ("sma", (), "sma(20)"),
        ("bollinger_upper", (20.0, 2.5), "bollinger_upper(20, 2.5)"),
        ("bollinger_upper", (), "bollinger_upper(20, 2)"),
        ("macd", (5,), "macd(5, 26, 9)"),
    ],
)
def test_resolve_fills_defaults_and_labels(name, arguments, label):
    assert resolve(name, arguments).label == label


def test_equal_columns_are_equal_and_hash_alike():
    assert {resolve("sma", (10,)), ColumnReference("sma", (10.0,))} == {resolve("sma", (10.0,))}


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("sme", (10,), "did you mean 'sma'"),
        ("close", (1,), "expected at most 0"),
        ("sma", (1, 2), "expected at most 1"),
        ("sma", (0,), "window was 0; expected a whole number from 1 to 10000"),
        ("sma", (2.5,), "window was 2.5"),
        ("sma", (float("nan"),), "window was nan"),
        ("sma", (float("inf"),), "window was inf"),
        ("rsi", (1,), "from 2"),
        ("bollinger_lower", (20, -1), "deviations was -1"),
        ("macd", (26, 12, 9), "fast was 26; expected it below slow, which was 12"),
        ("macd", (26, 26), "fast was 26"),
    ],
)
def test_resolve_wrong_reference_says_what_was_expected(name, arguments, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        resolve(name, arguments)
