"""A market of hours in a file: a random walk, or one that takes back part of each move."""

from pathlib import Path

import numpy as np

RULE = """\
schema: 1
name: dip
parameters: {drop: 0.01, bars: 2}
entry:
  long: close < previous(close) * (1 - drop)
confidence: 0.8
sizing:
  method: percent_of_equity
  value: 10
time_stop_bars: bars
"""
CHEAP = (
    "paper.simulate_slippage=false",
    "paper.simulate_spread=false",
    "paper.simulate_impact=false",
    "paper.simulate_volume_limit=false",
)


def hourly_file(
    folder: Path, name: str = "AAAUSDT", *, reverts: float = 0.0, seed: int = 0, hours: int = 1
) -> Path:
    """Write 150 days of bars; ``reverts`` is the share of each move that the next takes back."""
    drawn = np.random.default_rng(seed)
    moves = drawn.normal(0.0, 0.012, 3_600 // hours)
    for place in range(1, len(moves)):
        moves[place] -= reverts * moves[place - 1]
    close = 100 * np.exp(np.cumsum(moves))
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) * 1.0005, np.minimum(open_, close) * 0.9995
    times = 1_704_067_200 + 3_600 * hours * np.arange(len(close))
    lines = ["timestamp,open,high,low,close,volume"]
    lines += [
        f"{time},{one:.2f},{two:.2f},{three:.2f},{four:.2f},1000000"
        for time, one, two, three, four in zip(times, open_, high, low, close, strict=True)
    ]
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def rule_file(folder: Path, text: str = RULE) -> Path:
    path = folder / "dip.yaml"
    path.write_text(text, encoding="utf-8")
    return path
