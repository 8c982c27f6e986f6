"""Whatever other rooms call is compiled before it is needed, for the types that they use."""

import ast
import importlib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import tidewright
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.features.bulk import bulk_columns
from tidewright.features.declarations import declarations, resolve
from tidewright.features.streaming import StreamingColumns
from tidewright.kernels import derived, rolling, windows
from tidewright.kernels.warmup import (
    warm_up,
    warm_up_environment,
    warm_up_market,
    warm_up_research,
)
from tidewright.market.arrays import bar_arrays

ROOT = Path(tidewright.__file__).parent


def imported(tree):
    """Names that a module imports from the kernels, and its aliases of whole kernel modules."""
    names, aliases = set(), {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        for alias in node.names:
            if node.module == "tidewright.kernels":
                aliases[alias.asname or alias.name] = f"tidewright.kernels.{alias.name}"
            elif node.module.startswith("tidewright.kernels."):
                names.add((node.module, alias.name))
    return names, aliases


def used_steps():
    """Compiled functions that modules outside the kernels name."""
    found = set()
    for path in ROOT.rglob("*.py"):
        if "kernels" in path.relative_to(ROOT).parts:
            continue
        tree = ast.parse(path.read_text())
        names, aliases = imported(tree)
        found |= names
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.add((aliases.get(node.value.id, ""), node.attr))
    steps = {
        f"{module}.{name}": getattr(importlib.import_module(module), name)
        for module, name in sorted(found)
        if module
    }
    return {name: step for name, step in steps.items() if hasattr(step, "py_func")}


def test_every_step_that_another_room_uses_is_compiled():
    steps = used_steps()
    assert len(steps) > 10
    called = warm_up() + warm_up_research() + warm_up_market() + warm_up_environment()
    assert called >= len(steps)
    assert not [name for name, step in steps.items() if not step.signatures]


@pytest.mark.parametrize("read_only", [False, True])
def test_columns_after_warm_up_compile_nothing(read_only):
    warm_up()
    steps = (
        windows.window_step,
        rolling.window_rows,
        windows.prices,
        derived.derived_step,
        derived.derived_series,
    )
    before = [len(step.signatures) for step in steps]
    item = Instrument(
        "X", "v", "X", "Y", AssetClass.CRYPTO, Decimal("0.01"), Decimal("0.00001"), source="test"
    )
    bars = [Bar("X", "1m", index, index + 1, 5, 7, 4, 5 + index % 2, 7) for index in range(100)]
    history = bar_arrays("X", "1m", bars)
    for name in ("ts_event", "ts_known", "open", "high", "low", "close", "volume"):
        getattr(history, name).setflags(write=not read_only)
    columns = StreamingColumns([resolve(name, ()) for name in declarations()], item)
    columns.restore(history)
    columns.update(bars[0])
    assert np.isfinite(bulk_columns(columns.references, history, item)[-1]).all()
    assert [len(step.signatures) for step in steps] == before
