"""One HTML file that shows a report: no request leaves it, and it reads without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.resources import files

from tidewright.app.report_page import charts
from tidewright.app.report_page.markup import Content, Markup, join, tag
from tidewright.app.report_page.svg import Area
from tidewright.app.report_page.tables import (
    baselines_table,
    checks_table,
    curve_table,
    folded,
    measures_table,
    months_table,
    numbers,
    scenarios_table,
    table,
)
from tidewright.app.report_page.words import (
    MEANINGS,
    TONES,
    Answer,
    date,
    first_screen,
    number,
    path_taken,
    percent,
    plural,
    span,
    typeset,
)
from tidewright.research.report.values import DataStamp, Report

Draw = Callable[[Area], Markup]


def report_page(report: Report) -> str:
    """Return a report as a complete HTML document, well-formed as XML after its first line."""
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    subject = report.subject
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", f"{subject.name}: {report.ruling.word}"),
        # Style sheets hold no "<" or "&", so that they need no escaping.
        tag("style", Markup(style)),
    )
    body = tag(
        "body", _header(report), tag("main", _screen(report), *_evidence(report)), _foot(report)
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


_LIFTED = " Its loss limit is lifted here: else every row would end where it stops."
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def _header(report: Report) -> Markup:
    subject = report.subject
    where = ", ".join(subject.instruments[:6])
    if len(subject.instruments) > 6:
        where += f" and {len(subject.instruments) - 6} more"
    words = [where, f"{subject.timeframe} bars" if subject.timeframe else "", span(report)]
    return tag(
        "header",
        tag("h1", subject.name),
        tag("p", " \N{MIDDLE DOT} ".join(word for word in words if word), class_="muted small"),
    )


def _screen(report: Report) -> Markup:
    """Return the first screen: the verdict, and what a newcomer asks."""
    word = report.ruling.word
    verdict = tag(
        "section",
        tag("strong", word, class_=f"tone-{TONES.get(word, 'ink')}"),
        tag("p", MEANINGS.get(word, "")),
        tag("p", typeset(report.ruling.reasons[0])) if report.ruling.reasons else None,
        class_="verdict",
        aria_label="Verdict",
    )
    answers = [_answer(report, one) for one in first_screen(report)]
    return join(verdict, tag("dl", *answers, class_="answers"))


def _answer(report: Report, one: Answer) -> Markup:
    dots = None
    if one.key == "luck" and report.noise is not None:
        both = _sizes(lambda area: charts.luck_dots(report.noise, area), (384, 64), (340, 64))  # type: ignore[arg-type]
        dots = tag("dd", both, class_="dots")
    return tag(
        "div",
        tag("dt", one.question),
        tag("dd", one.answer, class_="short"),
        dots,
        *(tag("dd", text, class_="why") for text in one.evidence),
        class_=one.key,
    )


def _evidence(report: Report) -> Iterable[Markup]:
    yield _suspicious(report)
    yield _equity(report)
    yield _section("The checks that decide", checks_table(report.checks))
    yield _beside(_luck(report), _year_ahead(report))
    yield _months_and_trades(report)
    yield _search(report)
    yield (
        _section(
            "Against simpler things",
            baselines_table(report),
            note="A figure means little alone. All rows are after costs, over the same days.",
        )
        if report.baselines
        else Markup("")
    )
    yield (
        _section(
            "If trading cost more, or came later",
            scenarios_table(report.scenarios),
            note="What one bar of delay or twice the costs destroys is not there in practice."
            + _LIFTED * (report.outcome.unstopped is not None),
        )
        if report.scenarios
        else Markup("")
    )
    yield (
        _section("Figures of inference", measures_table(report.measures))
        if report.measures
        else Markup("")
    )
    yield _data(report)


def _beside(*sections: Markup) -> Markup:
    found = [one for one in sections if one]
    return tag("div", *found, class_="pair") if found else Markup("")


def _section(title: str, *pieces: Content | None, note: str = "") -> Markup:
    return tag(
        "section", tag("h2", title), tag("p", note, class_="note small") if note else None, *pieces
    )


def _sizes(draw: Draw, wide: tuple[int, int], narrow: tuple[int, int]) -> Markup:
    """Return a chart twice: for wide screens and paper, and for phones."""
    return join(
        tag("div", draw(Area(*wide)), class_="wide"),
        tag("div", draw(Area(*narrow, left=44.0, right=6.0)), class_="narrow"),
    )


def _figure(
    draw: Draw, caption: str, inside: Markup | None = None, *, size: tuple[int, int] = (556, 230)
) -> Markup:
    both = _sizes(draw, size, (354, min(260, max(180, int(size[1] * 0.75)))))
    return tag("figure", both, tag("figcaption", caption), inside)


def _suspicious(report: Report) -> Markup:
    findings = sorted(report.findings, key=lambda one: -one.weight)
    title = "What is suspicious about this backtest"
    if not findings:
        return _section(
            title, note="Nothing that the usual questions find. That proves nothing yet."
        )
    items = [tag("li", typeset(one.text)) for one in findings]
    return _section(title, tag("ul", *items, class_="plain"))


def _equity(report: Report) -> Markup:
    curve = report.curve
    if not curve.days:
        return Markup("")
    legend = [tag("li", "strategy, after costs", class_="own")]
    if curve.matched:
        legend.append(
            tag("li", "holding, as much as the strategy did on average", class_="matched")
        )
    if curve.held:
        legend.append(tag("li", "holding with all the money", class_="held"))
    caption = (
        f"Change since the start in percent of the first equity, daily, {span(report)}; below: "
        "fall from the highest point so far."
    )
    if curve.held:
        caption += " Holding is drawn only where it lies within the chart."
    return _section(
        "Equity",
        tag("ul", *legend, class_="legend"),
        _figure(
            lambda area: charts.equity_chart(curve, area),
            caption,
            numbers(curve_table(curve)),
            size=(1132, 380),
        ),
    )


def _luck(report: Report) -> Markup:
    noise = report.noise
    if noise is None:
        return Markup("")
    if len(set(noise.null)) < 2:
        note = (
            "It lost, so every copy was at least as good: there is no gain that luck could explain."
        )
        return _section("How good is luck?", note=note)
    caption = (
        f"Score (t-statistic of the daily excess over the matched holding) of the best of each of "
        f"{plural(noise.copies, 'copy', 'copies')}. A copy keeps the market's drift and volatility "
        "but shuffles its moves, so that no rule can know what comes next. "
        f"p = {noise.p_value:.3f}: share of copies that did as well, this result counted as one."
    )
    return _section(
        "How good is luck?", _figure(lambda area: charts.noise_chart(noise, area), caption)
    )


def _months_and_trades(report: Report) -> Markup:
    pieces = []
    if report.months:
        months = report.months
        pieces.append(
            _section(
                "Months",
                _figure(
                    lambda area: charts.months_chart(months, area),
                    "Profit of each calendar month in percent of the first equity, after costs.",
                    numbers(months_table(months)),
                ),
            )
        )
    trades = report.trades
    if trades is not None and trades.profit:
        caption = (
            f"{plural(len(trades.profit), 'trade')}, ended on "
            f"{plural(trades.days, 'different day')}; profit in percent of the first equity, "
            "after fees."
        )
        figures = [_figure(lambda area: charts.trades_chart(trades, area), caption)]
        if trades.adverse:
            figures.append(
                _figure(
                    lambda area: charts.excursions_chart(trades, area),
                    "Each trade once: how far the price moved against it (across) and in its "
                    "favour (up) while it was open, in percent of its entry price. Green ended "
                    "with a profit.",
                )
            )
        pieces.append(_section("Trades", *figures))
    return _beside(*pieces)


def _year_ahead(report: Report) -> Markup:
    fan, losses = report.fan, report.losses
    if fan is None or losses is None:
        return Markup("")
    caption = (
        f"{plural(losses.paths, 'path')} of a year, made of the days that were seen in random "
        "order, several neighbouring days at a time. Dark: half of the paths; light: nine of ten; "
        "line: the middle. Across: months. It repeats the past, so a kind of day that was never "
        "seen is not in it."
    )
    return _section(
        "A year like the days seen", _figure(lambda area: charts.fan_chart(fan, area), caption)
    )


def _search(report: Report) -> Markup:
    pieces = []
    sweep = report.sweep
    if sweep is not None:
        caption = "Score (t-statistic of the daily excess) of each setting; the best is outlined."
        if sweep.neighbours is not None:
            caption += (
                f" The settings around the best reach {percent(sweep.neighbours, 0, signed=False)}"
                " of its score: a good setting stands on a plateau, a lucky one on a peak."
            )
        pieces.append(
            _section("Settings", _figure(lambda area: charts.sweep_chart(sweep, area), caption))
        )
    if report.folds:
        rows = [
            (
                f"{date(one.first_day)} to {date(one.last_day)}",
                one.chosen,
                number(one.before),
                number(one.after),
            )
            for one in report.folds
        ]
        stayed = all(one.before == one.after == 0.0 for one in report.folds)
        pieces.append(
            _section("Walk-forward", note="Nothing gained on the days before, so it stayed out.")
            if stayed
            else _section(
                "Walk-forward",
                _figure(
                    lambda area: charts.folds_chart(report.folds, area),
                    "Each step chooses on the days before and is measured on days that it had not "
                    "seen. Grey: profit while it was chosen, coloured: profit afterwards, both in "
                    "percent of the first equity a year.",
                    numbers(table(("Days", "Chosen…", "Before", "After"), rows)),
                ),
            )
        )
    return _beside(*pieces)


def _data(report: Report) -> Markup:
    data = report.data
    if data is None:
        return Markup("")
    stamp = "The universe holds only what still exists today: every result here is flattered."
    return _section(
        "Data",
        tag("p", stamp, class_="tone-warning small") if data.survivors else None,
        table(("", "…"), _data_rows(data)),
        folded("What was noticed while reading it", _list(data.notes)) if data.notes else None,
    )


def _data_rows(data: DataStamp) -> list[tuple[str, str]]:
    rows = [
        ("Source", data.source),
        ("Fingerprint", data.fingerprint),
        ("Adjustment", data.adjustment),
        ("Adjusted as of", data.adjusted_as_of),
        ("Universe as of", data.universe_as_of),
    ]
    return [(name, value) for name, value in rows if value]


def _list(lines: Iterable[str]) -> Markup:
    return tag("ul", *(tag("li", line) for line in lines), class_="plain")


def _foot(report: Report) -> Markup:
    subject = report.subject
    tries = (
        "How much was tried before on this data is not known."
        if subject.tries is None
        else f"{plural(subject.tries, 'configuration')} ever scored on this data."
    )
    others = report.ruling.reasons[1:]
    closed = (
        f"Days from {date(subject.closed_from)} on are closed to searches and reports."
        if subject.closed_from is not None
        else ""
    )
    told = (subject.description, path_taken(report), tries, closed, *others)
    return tag(
        "footer",
        tag("p", " ".join(text for text in told if text)),
        tag(
            "p",
            f"Made by {subject.made_by}. Nothing here is advice; a good backtest is not a promise.",
        ),
    )
