from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.orders import Fill, Side
from tidewright.domain.time import DAY, MINUTE
from tidewright.risk.settings import RiskSettings
from tidewright.risk.slippage import SlippageWatch

DAY_ONE = 20_000 * DAY
FILL = Fill("t1", "c1", "BTCUSDT", Side.BUY, 5, 100_201, 0, False, DAY_ONE)


def test_fill_at_the_limit_is_quiet_and_beyond_it_is_told() -> None:
    watch = SlippageWatch(RiskSettings())
    assert watch.take(replace(FILL, ticks=100_200), 100_000, DAY_ONE) == []
    (alert,) = watch.take(FILL, 100_000, DAY_ONE)
    assert alert.code == "MAX_SLIPPAGE_PERCENT"
    assert alert.instrument == "BTCUSDT"
    assert "0.201 %" in alert.message
    assert "limit is 0.2 %" in alert.message


@pytest.mark.parametrize(("side", "ticks"), [(Side.BUY, 99_000), (Side.SELL, 101_000)])
def test_a_better_price_is_no_slippage(side: Side, ticks: int) -> None:
    fill = replace(FILL, side=side, ticks=ticks)
    assert SlippageWatch(RiskSettings()).take(fill, 100_000, DAY_ONE) == []


def test_a_sale_slips_downwards() -> None:
    fill = replace(FILL, side=Side.SELL, ticks=99_799)
    assert len(SlippageWatch(RiskSettings()).take(fill, 100_000, DAY_ONE)) == 1


def test_one_alert_a_day_and_instrument_and_the_rest_is_counted() -> None:
    watch = SlippageWatch(RiskSettings())
    told = [watch.take(FILL, 100_000, DAY_ONE + n * MINUTE) for n in range(1_000)]
    assert sum(map(len, told)) == 1
    assert len(watch.take(replace(FILL, instrument="ETHUSDT"), 100_000, DAY_ONE)) == 1
    (alert,) = watch.take(FILL, 100_000, DAY_ONE + DAY)
    assert "999 further fills" in alert.message


def test_restored_watch_stays_quiet_and_goes_on_counting() -> None:
    watch, again = SlippageWatch(RiskSettings()), SlippageWatch(RiskSettings())
    watch.take(FILL, 100_000, DAY_ONE)
    again.restore(watch.snapshot())
    assert again.take(FILL, 100_000, DAY_ONE) == []
    assert "1 further" in again.take(FILL, 100_000, DAY_ONE + DAY)[0].message
    with pytest.raises(DataIntegrityError, match="slippage"):
        again.restore({"BTCUSDT": 3})


def test_limit_can_be_set_and_switched_off() -> None:
    wide = SlippageWatch(RiskSettings(max_slippage_percent=Decimal(1)))
    assert wide.take(FILL, 100_000, DAY_ONE) == []
    off = SlippageWatch(RiskSettings(max_slippage_percent="off"))
    assert off.take(replace(FILL, ticks=900_000), 100_000, DAY_ONE) == []
