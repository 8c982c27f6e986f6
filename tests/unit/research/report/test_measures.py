import numpy as np
import pytest

from fakes.round_trips import round_trip
from fakes.series import heavy_tailed
from tidewright.domain.time import DAY
from tidewright.research.report.measures import certainty_measures, tail_measures, trade_measures

DAYS = heavy_tailed(0, 1, 600)[0] * 0.01 + 0.0005


def by_name(measures: tuple) -> dict:
    return {each.name: each for each in measures}


def test_certainty_holds_the_mean_between_both_kinds_of_interval():
    found = by_name(certainty_measures(DAYS, 365, np.random.default_rng(0)))
    known = found["Excess a year, 90 % interval"]
    assert known.value == pytest.approx(DAYS.mean() * 365)
    for name in ("Excess a year, 90 % interval", "The same by resampled blocks of days"):
        low, high = (float(end) for end in found[name].text.replace(" %", "").split(" to "))
        assert low < 100 * known.value < high
    error = found["Error of the annual ratio of the excess"].value
    assert error == pytest.approx(np.sqrt(365 / 600), rel=0.2)
    assert certainty_measures(DAYS[:10], 365, np.random.default_rng(0)) == ()


def test_tails_come_with_a_test_of_their_forecast():
    found = by_name(tail_measures(DAYS))
    worse = found["Days worse than forecast the day before"]
    assert worse.text.startswith(f"{worse.value:.0f} of 350, 18 expected")
    assert 5 < worse.value < 35
    assert found["Average of those days"].value > found["Loss of a bad day (1 in 20)"].value
    assert "Days worse than forecast the day before" not in by_name(tail_measures(DAYS[:100]))
    assert tail_measures(DAYS[:19]) == ()
    assert len(tail_measures(np.zeros(300))) == 3


def test_trades_show_what_it_takes_to_break_even():
    trades = [round_trip(pnl=1.0, fees=0.25, closed=DAY * day) for day in range(1, 77)]
    trades += [round_trip(pnl=-5.0, closed=DAY * day) for day in range(77, 101)]
    found = by_name(trade_measures(trades, np.full(100, 0.001)))
    assert found["Winning trades"].text == (
        "76 % (67 % to 83 %); a win is 0.20 losses, so 83 % break even"
    )
    assert found["Profit of a trade in mean losses"].value == pytest.approx(-0.088)
    assert found["Independent trades"].text == "100 of 100, on 100 days"
    assert found["Longest row of losing trades"].value == 24
    assert "Fees as a share of the profit before them" not in found
    assert found["Share of the profit from the best day"].text.startswith("1 %; without the 100")
    assert trade_measures([], np.zeros(3)) == ()


def test_fees_are_a_share_of_what_there_was_before_them():
    found = by_name(trade_measures([round_trip(pnl=3.0, fees=1.0)] * 4, -np.ones(5)))
    assert found["Fees as a share of the profit before them"].text == "25 %"
    assert found["Profit of a trade in mean losses"].text == "nothing was lost"
    assert "Share of the profit from the best day" not in found
