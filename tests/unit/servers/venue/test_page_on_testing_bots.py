"""What the page on testing a bot shows is run, and does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from fakes.served_venue import served
from tidewright.domain.time import MINUTE
from tidewright.servers.venue.accounts import seeded_account
from tidewright.servers.venue.serve import VenueSettings, assets_of

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/how-to/test-your-bot.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SETTINGS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


OWN = seeded_account(VenueSettings().seed, assets_of(()))
RICH = 1_000_000 * 10**8


def test_page_shows_the_key_of_the_usual_seed():
    assert OWN.api_key in PAGE
    assert OWN.secret in PAGE
    assert len(SNIPPETS) == 2
    (settings,) = SETTINGS
    assert orjson.loads(settings)["key"] == OWN.api_key


@pytest.mark.full
@pytest.mark.parametrize("snippet", SNIPPETS, ids=["ccxt", "binance"])
def test_snippet_of_the_page_buys(snippet, request):
    pytest.importorskip(request.node.callspec.id)
    with served(VenueSettings(history=MINUTE, accounts=(OWN.terms,))) as (server, port):
        code = snippet.replace("127.0.0.1:8089", f"127.0.0.1:{port}")
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
        )
        held = server.exchange.balances(0)["BTC"][0]
    assert ran.stdout.split()[0] in ("closed", "FILLED"), ran.stderr
    assert held > RICH
