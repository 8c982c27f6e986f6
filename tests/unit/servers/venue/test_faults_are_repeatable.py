"""Same seed, same script, same requests: the same bytes on the wire."""

from __future__ import annotations

import asyncio
import json

import orjson
import pytest
from websockets.asyncio.client import connect

from fakes.pretend_venue import venue_with
from tidewright.domain.errors import ConfigError

SCRIPT = """
rules:
  - {when: {request: {method: POST}, probability: 0.3}, do: {error: -1007}}
  - {when: {request: {method: POST, side: SELL}, every: 4}, do: {truncate: 50%}}
  - {when: {request: {method: POST}, probability: 0.2}, do: [reset, {execute: false}]}
  - {when: {query: , probability: 0.3}, do: {stale: 5s}}
  - {when: {request: {method: POST}, nth: 9}, do: {hide: 8s}}
  - {when: {message: , probability: 0.2}, do: drop}
  - {when: {message: , probability: 0.2}, do: {reorder: 2}}
  - {when: {fill: , probability: 0.3}, do: duplicate}
  - {when: {event: , probability: 0.3}, do: {delay: 2s}}
  - {when: {time: 7s, again: 11s}, do: {clock: -3s}}
  - {when: {time: 12s, again: 11s}, do: {clock: 0s}}
"""


async def run(seed: int) -> tuple[list[bytes], list[object], list[object]]:
    """Return what HTTP and a market socket brought, and what fired."""
    told: list[bytes] = []
    async with (
        venue_with(SCRIPT, seed) as rig,
        connect(
            f"ws://127.0.0.1:{rig.port}/ws/btcusdt@depth", proxy=None, max_queue=None
        ) as market,
        connect(f"ws://127.0.0.1:{rig.port}/ws-api/v3", proxy=None, max_queue=None) as user,
    ):
        await user.send(json.dumps({"id": 0, "method": "userDataStream.subscribe.signature"}))
        pushed: list[object] = [await user.recv()]
        for number in range(40):
            try:
                told.append(await rig.place(f"order-{number}", "SELL" if number % 2 else "BUY"))
            except ConnectionResetError:
                told.append(b"reset")
            told.append(await rig.ask("/api/v3/openOrders"))
            told.append(await rig.ask("/api/v3/time"))
            rig.venue.publish({"e": "depthUpdate", "s": "BTCUSDT", "u": number})
            rig.clock.turn(1)
        rig.venue.publish({"e": "end"})
        rig.clock.turn(10)
        pushed += await _drain(market) + await _drain(user)
        return told, pushed, list(rig.faulty.firings)


async def _drain(socket) -> list[object]:
    """Return all that came: what the venue sent before a ping arrives before its pong."""
    await (await socket.ping())
    found = []
    while True:
        try:
            found.append(await asyncio.wait_for(socket.recv(), 0.02))
        except TimeoutError:
            return found


def test_two_runs_are_equal_byte_for_byte_and_another_seed_is_another_run():
    first, again, other = (asyncio.run(run(seed)) for seed in (5, 5, 6))
    assert first == again
    assert first[0] != other[0]
    assert len({firing.rule for firing in first[2]}) == 11
    assert b"reset" in first[0]
    assert orjson.dumps(first[2]) == orjson.dumps(again[2])


def test_script_with_an_unknown_symbol_does_not_start():
    async def start(script):
        async with venue_with(f"rules:\n  - {{when: {{time: 1s}}, do: {script}}}"):
            pass

    for script, told in (
        ("{symbol_status: {symbol: BTCUSD, to: HALT}}", r"did you mean 'BTCUSDT'"),
        ("{filters: {symbol: BTCUSDT, NOTIONAL: {minNotional: 5}}}", "has no filter NOTIONAL"),
        (
            "{filters: {symbol: BTCUSDT, PRICE_FILTER: {tickSize: 0.00015}}}",
            "tick was 15000e-8; expected whole 10000e-8",
        ),
    ):
        with pytest.raises(ConfigError, match=told):
            asyncio.run(start(script))
