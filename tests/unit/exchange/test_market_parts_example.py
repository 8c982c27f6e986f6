"""The example of parts used alone runs, gives the same again, and its models keep their order."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "market_parts.py"


def run(capsys: pytest.CaptureFixture[str]) -> str:
    spec = importlib.util.spec_from_file_location("market_parts", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["market_parts"] = module
    try:
        spec.loader.exec_module(module)
        module.main()
    finally:
        del sys.modules["market_parts"]
    return capsys.readouterr().out


def test_it_says_what_the_parts_say(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys)
    assert told == run(capsys)
    bid, ask = (float(price) for price in re.findall(r"best \w+ ([\d.]+)", told))
    assert bid < ask
    walks = [int(ppm) for ppm in re.findall(r"costs (\d+) ppm", told)]
    impacts = [int(ppm) for ppm in re.findall(r"and (\d+) ppm", told)]
    assert walks == sorted(walks)
    assert 0 < impacts[0] < impacts[1] < impacts[2]
    assert "orders travel 3.4 to 233.6 ms" in told
    shares = {name: int(share) for name, share in re.findall(r"(\w+): (\d+)% filled", told)}
    assert 0 < shares["pessimistic"] <= shares["proportional"] <= shares["optimistic"] < 100
