import pytest

from fakes.reports import full_report, imported_report
from tidewright.app.report_files import read_report, report_json, write_report
from tidewright.domain.errors import ConfigError


@pytest.mark.parametrize("report", [full_report(), imported_report()])
def test_report_comes_back_as_it_was(report, tmp_path):
    page, written = tmp_path / "report.html", tmp_path / "report.json"
    write_report(report, html=page, json=written)
    assert read_report(written) == report
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["report.html", "report.json"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"schema": 1', b'"schema": 2', "schema was 2; expected 1"),
        (b'"net": 0.174', b'"net": "much"', "outcome.net"),
        (b'"word"', b'"wort"', "ruling.word"),
        (b"{", b"[", "the file"),
    ],
)
def test_damaged_report_names_the_place(old, new, words, tmp_path):
    path = tmp_path / "report.json"
    text = report_json(full_report())
    assert old in text
    path.write_bytes(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=words):
        read_report(path)


def test_missing_file_and_folder_are_told(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read"):
        read_report(tmp_path / "none.json")
    with pytest.raises(ConfigError, match=r"folder that exists"):
        write_report(full_report(), html=tmp_path / "none" / "report.html")
