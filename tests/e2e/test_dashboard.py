"""The dashboard in a real browser: what a person sees, and that they can stop it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dashboard_server import RunningDashboard, running_dashboard, running_trader
from playwright.sync_api import Browser, Page, expect, sync_playwright

from conftest import missing
from tidewright.servers.api.settings import STATIC

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WAIT = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("TW_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        missing("no Chromium on this machine (TW_CHROMIUM names one)")
    if not (STATIC / "index.html").is_file():
        missing("the page is not built (npm run build in ui)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def dashboard() -> Iterator[RunningDashboard]:
    with running_dashboard() as running:
        yield running


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("TW_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def open_page(browser: Browser, link: str, width: int = 1440, theme: str = "light") -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 600 else 844},
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-US",
    )
    page = context.new_page()
    page.set_default_timeout(WAIT)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    page.problems = problems
    page.goto(link)
    expect(page.get_by_test_id("state")).to_be_visible(timeout=WAIT)
    expect(page.get_by_test_id("price-chart")).to_be_visible(timeout=WAIT)
    page.wait_for_function(
        "() => Number(document.querySelector('[data-testid=price-chart]').dataset.bars) > 0"
    )
    return page


LINE_PIXELS = """() => {
  const chart = document.querySelector('[data-testid=equity-chart]');
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--accent');
  probe.fillRect(0, 0, 1, 1);
  const colour = probe.getImageData(0, 0, 1, 1).data;
  const found = [];
  for (const canvas of chart?.querySelectorAll('canvas') ?? []) {
    if (canvas.clientWidth < chart.clientWidth / 2 || canvas.clientHeight < 60) continue;
    const { width, height } = canvas;
    const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    for (let i = 0; i < data.length; i += 4) {
      if ([0, 1, 2].every((n) => Math.abs(data[i + n] - colour[n]) < 12)) {
        found.push(((i / 4) % width) / width);
      }
    }
  }
  return { reach: Math.max(...found) - Math.min(...found), count: found.length };
}"""
"""How much of the chart's width the equity line takes, and how many pixels."""


def expect_equity_drawn(page: Page) -> None:
    page.wait_for_function(f"() => {{ const seen = ({LINE_PIXELS})(); return seen.reach > 0.8; }}")
    assert page.evaluate(LINE_PIXELS)["count"] > 200


def test_equity_is_drawn_for_who_comes_late_and_after_a_reload(
    browser: Browser, dashboard: RunningDashboard
) -> None:
    page = open_page(browser, dashboard.link, 390)
    expect_equity_drawn(page)
    page.reload()
    expect_equity_drawn(page)
    assert page.problems == []


def test_person_with_link_watches_and_stops_the_trader(
    browser: Browser, dashboard: RunningDashboard
) -> None:
    page = open_page(browser, dashboard.link)
    assert "token" not in page.url

    bar = page.get_by_test_id("price-chart").get_attribute("data-bars")
    page.wait_for_function(
        "(before) => document.querySelector('[data-testid=price-chart]').dataset.bars !== before",
        arg=bar,
    )
    equity = page.get_by_test_id("equity").inner_text()
    page.wait_for_function(
        "(before) => document.querySelector('[data-testid=equity]').innerText !== before",
        arg=equity,
    )
    page.wait_for_function(
        "() => Number(document.querySelector('[data-testid=price-chart]').dataset.marks) > 0"
    )

    page.get_by_test_id("stop").click()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "halted", timeout=WAIT)
    expect(page.get_by_test_id("stop")).to_be_disabled()
    expect(page.get_by_test_id("notices")).to_contain_text("Halted by dashboard:operator")

    page.get_by_role("button", name="Resume…").click()
    confirm = page.get_by_role("button", name="Resume trading")
    expect(confirm).to_be_disabled()
    page.get_by_label("Type RESUME to agree").fill("RESUME")
    confirm.click()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "active", timeout=WAIT)
    assert page.problems == []


MOVED = """(old) => {
  const rows = [...document.querySelectorAll('[data-testid=book] tbody')].map((body) =>
    [...body.rows].map((row) => Number(row.cells[0].innerText.replaceAll(',', ''))),
  );
  const tape = document.querySelector('[data-testid=tape]');
  const asks = rows[0].filter(Number.isFinite);
  const bids = rows[2].filter(Number.isFinite);
  const whole = asks.length > 2 && bids.length > 2 && tape.tBodies[0].rows.length > 2;
  return whole && tape.dataset.newest !== old && { asks, bids, newest: tape.dataset.newest };
}"""
"""Prices of the book from above to below, once there are some and trades came since."""


def expect_book_and_tape(page: Page) -> None:
    newest = "0"
    for instrument in ("BTC", "SOL"):
        page.get_by_role("button", name=instrument, exact=True).click()
        expect(page.get_by_test_id("book")).to_contain_text(instrument)
        for _ in range(2):
            seen = page.wait_for_function(MOVED, arg=newest).json_value()
            prices = seen["asks"] + seen["bids"]
            assert prices == sorted(prices, reverse=True)
            assert min(seen["asks"]) > max(seen["bids"])
            newest = seen["newest"]
    expect(page.get_by_test_id("spread")).to_contain_text("bp")


def test_a_feed_without_books_shows_no_empty_ladder(
    browser: Browser, dashboard: RunningDashboard
) -> None:
    page = open_page(browser, dashboard.link)
    expect(page.get_by_test_id("book")).to_have_count(0)
    expect(page.get_by_test_id("tape")).to_have_count(0)


def test_person_watches_and_stops_the_main_job(browser: Browser, tmp_path: Path) -> None:
    with running_trader(tmp_path / "home") as trader:
        page = open_page(browser, trader.link)
        equity = page.get_by_test_id("equity").inner_text()
        bar = page.get_by_test_id("price-chart").get_attribute("data-bars")
        page.wait_for_function(
            "(old) => document.querySelector('[data-testid=price-chart]').dataset.bars !== old",
            arg=bar,
        )
        expect_book_and_tape(page)
        signals = page.get_by_role("region", name="Signals, with confidence")
        ordered = signals.get_by_role("button").filter(has_text="Ordered").first
        ordered.click(timeout=120_000)
        page.wait_for_function(
            "() => Number(document.querySelector('[data-testid=price-chart]').dataset.marks) > 0"
        )
        page.wait_for_function(
            "(old) => document.querySelector('[data-testid=equity]').innerText !== old", arg=equity
        )
        page.reload()
        expect_equity_drawn(page)
        page.get_by_test_id("stop").click()
        expect(page.get_by_test_id("state")).to_have_attribute("data-state", "halted", timeout=WAIT)
        expect(page.get_by_test_id("notices")).to_contain_text("Halted by dashboard:operator")
        assert page.problems == []


def test_lists_end_on_whole_rows_and_say_moments_shortly(
    browser: Browser, dashboard: RunningDashboard
) -> None:
    page = open_page(browser, dashboard.link)
    for name in ("Signals, with confidence", "Alerts", "Refused signals"):
        panel = page.get_by_role("region", name=name)
        expect(panel).to_contain_text("older, scroll", timeout=WAIT)
        cut = panel.get_by_role("list").evaluate(
            """(list) => {
              const end = list.getBoundingClientRect().bottom;
              const ends = [...list.children].map((row) => row.getBoundingClientRect().bottom);
              return Math.min(...ends.map((bottom) => Math.abs(bottom - end)));
            }"""
        )
        assert cut < 1.5, name
    alerts = page.get_by_role("region", name="Alerts")
    expect(alerts).to_contain_text(re.compile(r"refused until (\d\d-\d\d )?\d\d:\d\d UTC\."))
    when = alerts.locator("li time").first
    expect(when).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, "))
    assert not re.search(r"\dT\d\d:\d\d", page.locator("body").inner_text())


def test_signal_opens_the_events_it_led_to(browser: Browser, dashboard: RunningDashboard) -> None:
    page = open_page(browser, dashboard.link)
    signals = page.get_by_role("region", name="Signals, with confidence")
    signals.get_by_role("button").filter(has_text="Ordered").first.click()
    flow = signals.get_by_test_id("flow")
    expect(flow).to_contain_text(
        "SIGNAL_GENERATED → RISK_CHECK → ORDER_PLACED → ORDER_FILLED → POSITION_UPDATE",
        timeout=WAIT,
    )
    signals.get_by_role("button").filter(has_text="Refused").first.click()
    expect(flow).to_contain_text("SIGNAL_GENERATED → SIGNAL_REJECTED → ALERT_LOGGED", timeout=WAIT)


def test_link_used_twice_asks_for_the_secret(browser: Browser, dashboard: RunningDashboard) -> None:
    open_page(browser, dashboard.link).close()
    page = browser.new_context().new_page()
    page.goto(dashboard.link)
    expect(page.get_by_role("alert")).to_contain_text("used already", timeout=WAIT)
    page.get_by_label("Login secret").fill(dashboard.secret)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_test_id("state")).to_be_visible(timeout=WAIT)


def test_stop_by_keyboard_stops(browser: Browser, dashboard: RunningDashboard) -> None:
    page = open_page(browser, dashboard.link)
    page.keyboard.press("Control+.")
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "halted", timeout=WAIT)


def test_lost_connection_greys_values_and_comes_back(
    browser: Browser, dashboard: RunningDashboard
) -> None:
    page = open_page(browser, dashboard.link)
    page.context.set_offline(True)
    page.evaluate("() => window.dispatchEvent(new Event('offline'))")
    expect(page.locator("main")).to_have_class(re.compile(r"\bstale\b"), timeout=WAIT)
    expect(page.get_by_test_id("notices")).to_contain_text("Connection lost", timeout=WAIT)
    page.context.set_offline(False)
    expect(page.get_by_test_id("notices")).not_to_contain_text("Connection lost", timeout=WAIT)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_fits_its_width(
    browser: Browser, dashboard: RunningDashboard, screenshots: Path, width: int, theme: str
) -> None:
    page = open_page(browser, dashboard.link, width, theme)
    page.wait_for_timeout(1500)
    page.screenshot(path=screenshots / f"dashboard-{width}-{theme}.png", full_page=True)
    overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    stop = page.get_by_test_id("stop").bounding_box()
    assert stop is not None
    assert stop["y"] + stop["height"] <= 844
    assert stop["x"] + stop["width"] <= width
    assert page.problems == []
