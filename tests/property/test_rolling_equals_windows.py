"""Window columns rolled along a history: at every row the bits that the window alone gives."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.features.declarations import ColumnReference, WindowRecipe, declarations, resolve
from tidewright.features.plan import plan_columns
from tidewright.kernels import rolling, windows

BARS = 2_600
SCALES = {
    "ordinary": (60_000, 300, 10**6),
    "flat": (7, 0, 1),
    "wide": (2**46, 2**44, 2**50),
    "coarse": (2**36, 2**31, 2**40),
}


def item(tick: str) -> Instrument:
    return Instrument("X", "v", "X", "Y", AssetClass.CRYPTO, Decimal(tick), Decimal("0.003"))


def bars(scale: str, seed: int) -> tuple[np.ndarray, ...]:
    centre, step, lots = SCALES[scale]
    rng = np.random.default_rng(seed)
    close = centre + np.abs(np.cumsum(rng.integers(-step, step + 1, BARS)))
    close = np.minimum(close, 2**48 - 2 * step - 2)
    opened = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opened, close) + rng.integers(0, step + 1, BARS)
    low = np.maximum(np.minimum(opened, close) - rng.integers(0, step + 1, BARS), 0)
    volume = rng.integers(0, lots + 1, BARS)
    return opened, high, low, close, volume


def columns_of(length: int) -> list[ColumnReference]:
    """Every window column, its first parameter that counts bars set to a length."""
    found = []
    for declaration in declarations().values():
        if not isinstance(declaration.recipe, WindowRecipe):
            continue
        values = [parameter.default for parameter in declaration.parameters]
        for place, parameter in enumerate(declaration.parameters):
            if parameter.name == "window" and parameter.minimum <= length <= parameter.maximum:
                values[place] = length
        found.append(resolve(declaration.name, values))
    return found


@pytest.mark.parametrize("scale", list(SCALES))
@pytest.mark.parametrize(("length", "tick"), [(3, "0.01"), (200, "5"), (700, "0.00000001")])
def test_rolled_columns_are_those_of_each_window(scale: str, length: int, tick: str) -> None:
    plan = plan_columns(columns_of(length), item(tick))
    assert len(plan.program) > 30
    channels = bars(scale, length)
    returns, table = np.empty(BARS), np.empty((len(plan.program), BARS))
    rolling.window_rows(plan.program, plan.ratios, channels, returns, table)
    series = np.empty((windows.SERIES_ROWS, BARS), np.int64)
    series[:5] = channels
    series.view(np.float64)[windows.RETURN] = returns
    edges = [rolling.BLOCK, 2 * rolling.BLOCK, 4 * length, 8 * length]
    for entry, values in zip(plan.program, table, strict=True):
        first = int(entry[windows.LENGTH]) - 1
        rows = {first, first + 1, BARS - 1, *range(first, BARS, 97)}
        rows |= {first + edge + shift for edge in edges for shift in (-1, 0)}
        assert np.isnan(values[:first]).all()
        for row in sorted(row for row in rows if row < BARS):
            alone = windows.window_value(entry, series, row + 1, plan.ratios)
            assert np.float64(alone).tobytes() == values[row].tobytes(), (entry, row)


def test_bars_outside_the_exact_sums_are_refused() -> None:
    plan = plan_columns([resolve("sma", (3,))], item("0.01"))
    table, none = np.empty((1, BARS)), np.empty(0)
    for channel, most in enumerate([windows.MAX_TICKS] * 4 + [windows.MAX_LOTS]):
        for wrong in (-1, most + 1):
            channels = bars("ordinary", 1)
            channels[channel][BARS // 2] = wrong
            with pytest.raises(OverflowError, match=r"outside 0 to 2\*\*"):
                rolling.window_rows(plan.program, plan.ratios, channels, none, table)
