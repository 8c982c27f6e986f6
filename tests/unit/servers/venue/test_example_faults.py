"""The fault scripts that are shipped do what their first lines say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fakes.faulty_exchange import all_heard, exchange_behind
from tidewright.servers.venue.faults.reading import read_script

FOLDER = Path(__file__).parents[4] / "examples" / "faults"


def example(name: str):
    return exchange_behind((FOLDER / f"{name}.yaml").read_text())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_example_says_what_it_does_and_is_read(path):
    assert path.read_text().startswith("# ")
    assert len(read_script(path).rules) >= 2


def test_answer_lost_leaves_an_order_that_is_found_by_its_id_after_a_while():
    async def run():
        async with example("answer-lost") as client:
            answers = [await client.place(f"id-{number}") for number in range(6)]
            assert [status for status, _ in answers] == [504] * 5 + [200]
            assert {body["code"] for _, body in answers[:5]} == {-1007}
            assert len(client.open) == 6
            assert (await client.find("id-4"))[1]["code"] == -2013
            client.rig.clock.turn(2)
            assert (await client.find("id-4"))[1]["status"] == "NEW"

    asyncio.run(run())


def executions(messages):
    """Return what was told of orders: executions with the side of their order."""
    told = (one["event"] for one in messages)
    return [(one["x"], one["S"]) for one in told if one["e"] == "executionReport"]


def test_user_streams_go_mute_while_they_answer_pings_and_new_ones_speak():
    async def run():
        async with example("user-stream-mute") as client, client.told() as mute:
            await client.trade("first")
            await client.trade("second")
            # The third fill comes twice, and the fourth new order after what follows it.
            assert executions(await all_heard(mute)) == [
                *[("NEW", "SELL"), ("NEW", "BUY"), ("TRADE", "BUY"), ("TRADE", "SELL")],
                *[("NEW", "SELL"), ("TRADE", "BUY"), ("TRADE", "BUY")],
                *[("NEW", "BUY"), ("TRADE", "SELL")],
            ]
            client.rig.clock.turn(20)
            async with client.told() as fresh:
                await client.trade("third")
                assert len(executions(await all_heard(fresh))) >= 4
            assert await all_heard(mute) == []
            assert len(client.exchange.fills(0, "BTCUSDT")) == 6

    asyncio.run(run())


def test_clock_falls_behind_and_comes_back_and_the_tenth_order_is_banned():
    async def run():
        async with example("ban-and-clock") as client:
            clock = client.rig.clock
            assert (await client.place("right"))[0] == 200
            clock.turn(20)
            assert (await client.place("ahead"))[1]["code"] == -1021
            client.ahead = -70_000
            assert (await client.place("measured"))[0] == 200
            clock.turn(20)
            assert (await client.place("late"))[1]["code"] == -1021
            client.ahead = 0
            clock.turn(20)
            answers = [(await client.place(str(number)))[0] for number in range(10)]
            assert answers == [200] * 9 + [418]
            assert b"Retry-After: 30" in await client.rig.ask("/api/v3/time")
            clock.turn(30)
            assert (await client.place("after"))[0] == 200
            assert len(client.open) == 2 + 9 + 1

    asyncio.run(run())
