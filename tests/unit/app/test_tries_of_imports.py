"""How many tries stand behind results of another tool, and what they cost."""

import numpy as np

from tidewright.app.validation.imported import validate_imported
from tidewright.app.validation.imports import Imported

GOOD = np.random.default_rng(0).standard_normal(600) * 0.01 + 0.0012


def imported(rows: np.ndarray) -> Imported:
    names = tuple(f"row {number}" for number in range(len(rows)))
    days = 18_000 + np.arange(rows.shape[1])
    return Imported("file", "returns", days, rows, names, None, True, 1.0, "USDT", ())


def formula(report: object) -> str:
    return next(one.formula for one in report.measures if one.name.startswith("p,"))


def test_all_rows_of_a_file_are_compared_day_by_day():
    rows = np.vstack((np.random.default_rng(1).standard_normal((30, 600)) * 0.01, GOOD))
    alone = validate_imported(imported(GOOD[None, :]), 1)
    report = validate_imported(imported(rows), 31)
    assert "The best of 31 rows is row 30" in report.subject.description
    assert "Romano and Wolf" in formula(report)
    assert alone.deflation.p_value < 0.02 < report.deflation.p_value


def test_tries_beyond_the_file_count_in_full():
    report = validate_imported(imported(GOOD[None, :]), 500)
    assert "Sidak" in formula(report)
    assert report.deflation.effective == 500
    assert report.deflation.p_value > 0.2
    copies = validate_imported(imported(np.repeat(GOOD[None, :], 400, axis=0)), 500)
    assert copies.deflation.effective < 102
    assert copies.deflation.p_value < report.deflation.p_value
