import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fakes.reports import full_report, imported_report
from tidewright.app.report_page.markup import Markup, join, tag
from tidewright.app.report_page.page import report_page
from tidewright.app.report_page.svg import Area, Scale, padded, ticks
from tidewright.app.report_page.words import TONES, first_screen, number, percent

JARGON = re.compile(
    r"sharpe|p-value|bootstrap|statistic|drawdown|surrogate|null|alpha|benchmark|excess|deflat|bias",
    re.IGNORECASE,
)


def parsed(page):
    kind, document = page.split("\n", 1)
    assert kind == "<!DOCTYPE html>"
    return ElementTree.fromstring(document)


def words_of(element):
    return " ".join("".join(element.itertext()).split())


def test_page_is_well_formed_and_asks_nothing_of_a_network():
    page = report_page(full_report())
    root = parsed(page)
    addresses = re.findall(r"https?://[^\"' )]+", page)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}
    assert not {"script", "link", "img", "iframe"} & {one.tag.split("}")[-1] for one in root.iter()}
    assert "url(" not in page
    assert "default-src &#x27;none&#x27;" in page


def test_page_has_both_themes_paper_and_phone():
    page = report_page(full_report())
    for wanted in ("prefers-color-scheme: dark", "@media print", "max-width: 860px", "viewport"):
        assert wanted in page


def test_names_and_texts_are_escaped():
    bad = "<script>alert('x')</script>&\"quoted\""
    full = full_report()
    evil = replace(
        full,
        subject=replace(full.subject, name=bad, instruments=(bad,), description=bad, made_by=bad),
        ruling=replace(full.ruling, reasons=(bad, bad), allowed=(bad,)),
        sweep=replace(full.sweep, x_name=bad, y_name=bad),
        folds=(replace(full.folds[0], chosen=bad),),
        data=replace(full.data, source=bad, notes=(bad,)),
        findings=(replace(full.findings[0], text=bad),),
        checks=(replace(full.checks[0], name=bad, detail=bad),),
        measures=(replace(full.measures[0], name=bad, formula=bad),),
        baselines=(replace(full.baselines[0], name=bad, note=bad),),
    )
    page = report_page(evil)
    assert "<script>" not in page
    assert bad in words_of(parsed(page))


def test_every_chart_is_named_and_described():
    charts = [one for one in parsed(report_page(full_report())).iter() if one.tag.endswith("svg")]
    assert len(charts) >= 16
    for one in charts:
        assert [child.tag.split("}")[-1] for child in one[:2]] == ["title", "desc"]
        assert one.get("aria-label")
        assert "nan" not in ElementTree.tostring(one, "unicode")


@pytest.mark.parametrize("word", list(TONES))
def test_first_screen_answers_a_newcomer_without_jargon(word):
    for report in (full_report(word), imported_report()):
        answers = {one.key: one for one in first_screen(report)}
        assert list(answers) == ["luck", "result", "loss", "time", "next"]
        for one in answers.values():
            assert one.answer
            text = " ".join((one.question, one.answer, *one.evidence))
            assert not JARGON.search(text), text


def test_first_screen_states_the_figures():
    texts = {one.key: (one.answer, " ".join(one.evidence)) for one in first_screen(full_report())}
    assert texts["luck"][0] == "Perhaps"
    assert "The same search on 200 patternless copies of this market" in texts["luck"][1]
    assert re.search(r"as good in \d+ of them", texts["luck"][1])
    assert texts["result"][0] == "+17.4 % against \N{MINUS SIGN}3.1 %".replace(" %", "\xa0%")
    assert texts["loss"][0] == "\N{MINUS SIGN}18.3\xa0%"
    assert texts["time"][0] == "About 7 months more"


def test_gain_below_zero_needs_no_luck():
    full = full_report("LOSES")
    losing = replace(full, outcome=replace(full.outcome, excess_year=-0.1))
    assert first_screen(losing)[0].answer == "There is no gain to explain"


def test_unknown_is_a_dash_and_zero_has_no_sign():
    assert percent(None) == number(None) == "\N{EN DASH}"
    assert percent(-0.0001) == "0.0\xa0%"
    assert percent(0.5, signed=False) == "50.0\xa0%"


def test_report_without_anything_optional_is_shown():
    bare = replace(
        imported_report(),
        deflation=None,
        losses=None,
        fan=None,
        months=(),
        findings=(),
        baselines=(),
        measures=(),
        checks=(),
    )
    text = words_of(parsed(report_page(bare)))
    assert "Not examined" in text
    assert "Nothing that the usual questions find" in text


def test_markup_escapes_everything_but_markup():
    assert tag("p", "a<b", Markup("<i/>"), title='"<') == '<p title="&quot;&lt;">a&lt;b<i/></p>'
    assert join("&", None, Markup("&amp;")) == "&amp;&amp;"


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-0.013, 0.004), (3, 3), (0, 12_345), (-7, -6.9)]
)
def test_ticks_are_round_and_inside(low, high):
    found = ticks(low, high, 4)
    assert found
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)
    assert len(found) <= 10


def test_scale_of_one_value_is_in_the_middle():
    assert Scale(2.0, 2.0, 0.0, 10.0)(2.0) == 5.0
    low, high = padded([2.0])
    assert low < 2.0 < high
    area = Area(200, 100)
    assert area.upward(0, 1)(1) == area.top
