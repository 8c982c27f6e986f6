import pytest

from tidewright.kernels.accounting import apply_fill, fee, notional


def test_notional_half_unit_rounds_away_from_zero():
    assert notional(5, 1, 1, 2) == 3
    assert notional(5, -1, 1, 2) == -3


def test_notional_beyond_int64_raises():
    with pytest.raises(OverflowError):
        notional(2**40, 2**30, 1, 1)


def test_fee_of_a_sale_is_positive():
    assert fee(-1_500, 1_000) == 2
    assert fee(1_400, 1_000) == 1


def test_fee_negative_rate_is_a_rebate():
    assert fee(-10_000, -200) == -2


@pytest.mark.parametrize(
    ("before", "fill", "after"),
    [
        ((0, 0), (3, 300), (3, 300, 0)),
        ((3, 300), (1, 140), (4, 440, 0)),
        ((4, 440), (-1, -150), (3, 330, 40)),
        ((3, 330), (-3, -300), (0, 0, -30)),
        ((0, 0), (-2, -200), (-2, -200, 0)),
        ((-2, -200), (1, 90), (-1, -100, 10)),
        ((-1, -100), (3, 270), (2, 180, 10)),
        ((3, 100), (-1, -40), (2, 67, 7)),
        ((2, 67), (0, 0), (2, 67, 0)),
    ],
)
def test_apply_fill_average_cost_gives_lots_cost_and_profit(before, fill, after):
    assert apply_fill(*before, *fill) == after
