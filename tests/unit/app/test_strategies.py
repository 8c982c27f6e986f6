from __future__ import annotations

from pathlib import Path

import pytest

from tidewright.app.strategies import load_strategies, reload_strategy
from tidewright.domain.errors import ConfigError, TidewrightError
from tidewright.strategy.library import library
from tidewright.strategy.spec import dump_spec

EXAMPLE = Path(__file__).parents[3] / "examples" / "python_strategy.py"
CLASS = """
from tidewright.strategy.python_strategy import Output, PythonStrategy, columns


class Mine(PythonStrategy):
    name = "mine"
    references = columns("close")
    time_stop_bars = 7
    expire_after_bars = 3
    symbols = frozenset({"BTCUSDT"})
    timeframe = "5m"

    def evaluate(self, current, previous):
        return {Output.ENTRY_LONG: 1.0}
"""


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", sorted(library()))
def test_library_strategy_is_found_by_name(name: str) -> None:
    (loaded,) = load_strategies([name])
    assert loaded.setup.strategy.name == name
    assert loaded.source == "library"
    again = reload_strategy(loaded.document, loaded.source)
    assert again.document == loaded.document
    assert again.setup.sizing == loaded.setup.sizing
    assert again.setup.reasons == loaded.setup.reasons


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_strategy_file_is_read(tmp_path: Path, suffix: str) -> None:
    text = dump_spec(library()["momentum"]).replace("name: momentum", "name: other")
    path = written(tmp_path, text, f"any{suffix}")
    (loaded,) = load_strategies([str(path)])
    assert (loaded.setup.strategy.name, loaded.source) == ("other", str(path))
    assert loaded.setup.time_stop_bars == 240


def test_python_strategy_is_loaded_with_its_settings(tmp_path: Path) -> None:
    path = written(tmp_path, CLASS)
    (loaded,) = load_strategies([f"{path}:Mine"])
    setup = loaded.setup
    assert setup.strategy.name == "mine"
    assert (setup.timeframe, setup.symbols) == ("5m", frozenset({"BTCUSDT"}))
    assert (setup.time_stop_bars, setup.expire_after_bars) == (7, 3)
    assert reload_strategy(loaded.document, loaded.source).document == loaded.document


def test_document_of_a_python_strategy_changes_with_its_source(tmp_path: Path) -> None:
    first = load_strategies([f"{written(tmp_path, CLASS)}:Mine"])[0].document
    second = load_strategies([f"{written(tmp_path, CLASS + '# x')}:Mine"])[0].document
    assert first != second


def test_shipped_example_is_loaded() -> None:
    (loaded,) = load_strategies([f"{EXAMPLE}:PullbackInCalmTrend"])
    assert loaded.setup.strategy.name == "pullback_in_calm_trend"


def test_two_strategies_of_one_name_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, dump_spec(library()["sma_cross"]), "mine.yaml")
    with pytest.raises(ConfigError, match=r"'sma_cross' was given twice, by library and .*yaml"):
        load_strategies(["sma_cross", str(path)])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sma_cros", "did you mean 'sma_cross'"),
        ("", "expected a file or one of bollinger_reversion"),
        ("absent.yaml", "absent.yaml cannot be read"),
        ("absent.py:Mine", "absent.py was not found"),
    ],
)
def test_strategy_that_is_not_there_is_named(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_strategies([name])


@pytest.mark.parametrize("name", ["Min", "", "PythonStrategy", "columns"])
def test_class_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, CLASS)
    with pytest.raises(ConfigError, match="expected one of Mine in"):
        load_strategies([f"{path}:{name}" if name else str(path)])


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(ConfigError, match="mine.yaml"):
        load_strategies([str(path)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Mine(:\n", "SyntaxError.*line 1"),
        ("import no_such_module_at_all\n", "no_such_module_at_all"),
        ("1 / 0\n", "ZeroDivisionError"),
        (CLASS.replace("def evaluate", "def judge"), "abstract"),
        (CLASS + "    def __init__(self, needed):\n        pass\n", "needed"),
    ],
)
def test_python_file_that_cannot_be_used_is_the_writers_fault(
    tmp_path: Path, text: str, said: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_strategies([f"{path}:Mine"])
    assert "mine.py" in str(caught.value)


def test_python_file_may_define_data_classes(tmp_path: Path) -> None:
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from typing import ClassVar\n" + CLASS + "\n@dataclass\nclass Memo:\n"
        "    kind: ClassVar[str] = 'x'\n    value: int = 0\n"
    )
    (loaded,) = load_strategies([f"{written(tmp_path, text)}:Mine"])
    assert loaded.setup.strategy.name == "mine"


def test_damaged_document_is_refused() -> None:
    with pytest.raises(TidewrightError):
        reload_strategy("schema: 1\nname: x", "library")
