"""The rule of `fakes.hourly_market` written in Python: the same decisions, one bar at a time."""

from pathlib import Path

PYTHON_RULE = """\
from decimal import Decimal

from tidewright.strategy.model import SizingMethod, SizingSpec
from tidewright.strategy.python_strategy import Output, PythonStrategy, columns


class Dip(PythonStrategy):
    name = "dip_in_python"
    references = columns("close")
    sizing = SizingSpec(SizingMethod.PERCENT_OF_EQUITY, Decimal(10))
    time_stop_bars = 2
    confidence = 0.8

    def evaluate(self, current, previous):
        return {Output.ENTRY_LONG: float(current[0] < previous[0] * (1 - 0.01))}
"""


def python_file(folder: Path, text: str = PYTHON_RULE) -> str:
    """Write the rule, and return how a command is told of it."""
    path = folder / "dip_in_python.py"
    path.write_text(text, encoding="utf-8")
    return f"{path}:Dip"
