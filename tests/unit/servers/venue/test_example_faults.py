"""The fault scripts that are shipped do what their first lines say."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from fakes.pretend_venue import venue_with
from tidewright.servers.venue.faults.reading import read_script

FOLDER = Path(__file__).parents[4] / "examples" / "faults"


def example(name: str):
    return venue_with((FOLDER / f"{name}.yaml").read_text())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_example_says_what_it_does_and_is_read(path):
    assert path.read_text().startswith("# ")
    assert len(read_script(path).rules) >= 2


def test_answer_lost_leaves_an_order_that_is_found_by_its_id_after_a_while():
    async def run():
        async with example("answer-lost") as rig:
            answers = [await rig.place(f"id-{number}") for number in range(6)]
            assert [answer[9:12] for answer in answers] == [b"504"] * 5 + [b"200"]
            assert len(rig.venue.orders) == 6
            query = "/api/v3/order?symbol=BTCUSDT&origClientOrderId=id-4"
            assert (await rig.body(query))["code"] == -2013
            rig.clock.turn(2)
            assert (await rig.body(query))["orderId"] == 5

    asyncio.run(run())


def test_user_streams_go_mute_while_they_answer_pings_and_new_ones_speak():
    async def run():
        async with example("user-stream-mute") as rig:
            url = f"ws://127.0.0.1:{rig.port}/ws-api/v3"
            subscribe = json.dumps({"id": 1, "method": "userDataStream.subscribe.signature"})
            async with connect(url, proxy=None) as mute:
                await mute.send(subscribe)
                await mute.recv()
                for number in range(3):
                    await rig.place(str(number))
                told = [json.loads(await mute.recv())["event"] for _ in range(7)]
                assert [one["x"] for one in told] == ["NEW", "TRADE"] * 3 + ["TRADE"]
                rig.clock.turn(20)
                async with connect(url, proxy=None) as new:
                    await new.send(subscribe)
                    await new.recv()
                    await rig.place("late")
                    # The fourth new order is told of after what follows it.
                    told = [json.loads(await new.recv())["event"] for _ in range(2)]
                    assert [one["x"] for one in told] == ["TRADE", "NEW"]
                await asyncio.wait_for(await mute.ping(), 5)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(mute.recv(), 0.03)

    asyncio.run(run())


def test_clock_falls_behind_and_comes_back_and_the_tenth_order_is_banned():
    async def run():
        async with example("ban-and-clock") as rig:
            begin = rig.clock.now() // 1_000_000

            async def told() -> int:
                return (await rig.body("/api/v3/time"))["serverTime"] - begin

            assert await told() == 0
            rig.clock.turn(20)
            assert await told() == 20_000 - 70_000
            rig.clock.turn(20)
            assert await told() == 40_000
            await rig.place("early")
            rig.clock.turn(20)
            answers = [(await rig.place(str(number)))[9:12] for number in range(10)]
            assert answers == [b"200"] * 9 + [b"418"]
            assert len(rig.venue.orders) == 10
            assert b"Retry-After: 30" in await rig.ask("/api/v3/time")
            rig.clock.turn(30)
            assert (await rig.place("after"))[9:12] == b"200"

    asyncio.run(run())
