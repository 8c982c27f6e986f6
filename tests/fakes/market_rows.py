"""Small instruments and raw bars for tests."""

from __future__ import annotations

from decimal import Decimal

from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.time import MINUTE, parse_iso
from tidewright.market.validation import RawBar

START = parse_iso("2023-03-01T00:00:00Z")


def an_instrument(name: str = "AAA", tick: str = "0.01", lot: str = "0.001") -> Instrument:
    return Instrument(
        name, "test", name, "USD", AssetClass.CRYPTO, Decimal(tick), Decimal(lot), source="test"
    )


def a_raw_bar(minute: int = 0, price: float = 100.0, **changes: float) -> RawBar:
    values = {"open": price, "high": price, "low": price, "close": price, "volume": 1.0} | changes
    return RawBar(START + minute * MINUTE, **values)
