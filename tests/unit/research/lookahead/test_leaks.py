"""A column that knows the next return is caught; honest ones are not accused."""

import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.research.lookahead.leaks import leak_report, next_returns, pooled_leak_report

ROWS = 5_000


def planted(correlation, seed, rows=ROWS):
    """A column, and heavy-tailed returns after it that go with it."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_t(4, rows) / np.sqrt(2)
    column = rng.standard_normal(rows)
    return column, 0.01 * (correlation * column + np.sqrt(1 - correlation**2) * noise)


@pytest.mark.parametrize("seed", range(10))
def test_correlation_of_a_fifth_is_caught_in_five_thousand_rows_among_two_hundred_columns(seed):
    column, following = planted(0.2, seed)
    rng = np.random.default_rng(100 + seed)
    columns = {f"noise {n}": rng.standard_normal(ROWS) for n in range(60)}
    # as slow as an average of 50 bars: its correlation with anything scatters widely
    slow = np.convolve(rng.standard_normal(ROWS + 49), np.full(50, 0.02), "valid")
    report = leak_report({**columns, "slow": slow, "leak": column}, following, tests=200)
    assert [one.column for one in report.leaking] == ["leak"]
    assert report.columns[0].column == "leak"
    assert report.columns[0].correlation == pytest.approx(0.2, abs=0.06)
    assert not report.clean


def test_nothing_planted_nothing_is_accused_and_the_deviation_is_right():
    following = planted(0.0, 7)[1]
    rng = np.random.default_rng(8)
    report = leak_report({f"noise {n}": rng.standard_normal(ROWS) for n in range(100)}, following)
    assert report.clean
    deviations = [one.deviation for one in report.columns]
    assert np.mean(deviations) == pytest.approx(1 / np.sqrt(ROWS), rel=0.05)
    measured = np.std([one.correlation for one in report.columns])
    assert measured == pytest.approx(1 / np.sqrt(ROWS), rel=0.25)


def test_honest_skill_is_believed():
    column, following = planted(0.05, 3)
    assert leak_report({"skill": column}, following).clean


def test_unknown_rows_few_rows_and_constants_are_left_out():
    column, following = planted(0.9, 1, rows=400)
    column[::2] = np.nan
    report = leak_report(
        {
            "half": column,
            "short": np.where(np.arange(400) < 99, column, np.nan),
            "constant": np.ones(400),
        },
        following,
    )
    by_name = {one.column: one for one in report.columns}
    assert by_name["half"].rows == 200
    assert by_name["half"].leaks
    assert np.isnan(by_name["short"].correlation)
    assert np.isnan(by_name["constant"].correlation)
    with pytest.raises(ConfigError, match="399 rows; expected 400"):
        leak_report({"other": np.ones(399)}, following)


def test_several_instruments_each_column_by_its_worst():
    leak, following = planted(0.4, 2)
    other, quiet = planted(0.0, 4)
    report = pooled_leak_report([{"x": other}, {"x": leak}], [quiet, following])
    assert report.columns[0].correlation == pytest.approx(0.4, abs=0.06)
    assert report.columns[0].leaks


def test_next_returns_are_those_of_the_bar_after():
    found = next_returns(np.array([100, 110, 99]))
    assert found[:2] == pytest.approx(np.log([1.1, 0.9]))
    assert np.isnan(found[2])
