"""A real exchange behind a script: what a client sees, and what the exchange's books say."""

from __future__ import annotations

import asyncio

import pytest

from fakes.faulty_exchange import OWN, all_heard, exchange_behind, heard
from tidewright.servers.venue.ledger_file import LedgerFile, lines, read_lines, with_faults

PLACE = "when: {request: {method: POST, path: /api/v3/order}, nth: 1}"


def exchange_with(rule):
    """Serve an exchange where one thing goes wrong."""
    return exchange_behind(f"rules:\n  - {{{rule}}}\n")


def within(rule):
    """Run a coroutine function against an exchange where one thing goes wrong."""

    def run(look):
        async def served():
            async with exchange_with(rule) as client:
                await look(client)

        return lambda: asyncio.run(served())

    return run


@within(f"{PLACE}, do: {{error: -1007, hide: 3s}}")
async def test_lost_answer_of_an_executed_order_is_found_by_its_id_after_a_while(client):
    assert await client.place() == (
        504,
        {
            "code": -1007,
            "msg": "Timeout waiting for response from backend server. Send status unknown; "
            "execution status unknown.",
        },
    )
    assert client.open == ["mine"]
    assert await client.find() == (400, {"code": -2013, "msg": "Order does not exist."})
    assert await client.ask("GET", "/api/v3/openOrders") == (200, [])
    client.rig.clock.turn(3)
    status, order = await client.find()
    assert (status, order["status"]) == (200, "NEW")
    # Sent again, it is refused while it stands: the first one arrived.
    assert await client.place() == (400, {"code": -2010, "msg": "Duplicate order sent."})


@within(f"{PLACE}, do: {{error: -1008}}")
async def test_overloaded_venue_executes_nothing(client):
    assert (await client.place())[0] == 503
    assert client.open == []


@within("when: {time: 5s}, do: {clock: -70s}")
async def test_shifted_clock_refuses_until_it_is_measured(client):
    late = {
        "code": -1021,
        "msg": "Timestamp for this request was 1000ms ahead of the server's time.",
    }
    assert (await client.place("before"))[0] == 200
    client.rig.clock.turn(5)
    assert await client.place("refused") == (400, late)
    raw = await client.rig.body("/api/v3/time")
    client.ahead = raw["serverTime"] - client.rig.clock.now() // 1_000_000
    assert client.ahead == -70_000
    status, placed = await client.place("measured")
    assert status == 200
    # The market itself goes on in its own time.
    assert placed["transactTime"] == client.rig.clock.now() // 1_000_000
    assert client.open == ["before", "measured"]


@within("when: {time: 5s}, do: {filters: {symbol: BTCUSDT, PRICE_FILTER: {tickSize: 0.5}}}")
async def test_coarser_tick_refuses_and_is_told(client):
    assert (await client.place("before", price="59000.01"))[0] == 200
    client.rig.clock.turn(5)
    refused = (400, {"code": -1013, "msg": "Filter failure: PRICE_FILTER"})
    assert await client.place("after", price="59000.01") == refused
    told = await client.rig.body("/api/v3/exchangeInfo?symbol=BTCUSDT")
    assert told["symbols"][0]["filters"][0]["tickSize"] == "0.50000000"
    assert (await client.place("rounded", price="59000.50"))[0] == 200


@within("when: {time: 5s}, do: {symbol_status: {symbol: BTCUSDT, to: HALT}}")
async def test_halted_symbol_refuses_and_is_told(client):
    client.rig.clock.turn(5)
    assert await client.place() == (400, {"code": -2010, "msg": "Market is closed."})
    told = await client.rig.body("/api/v3/exchangeInfo?symbol=BTCUSDT")
    assert told["symbols"][0]["status"] == "HALT"


@within(f"{PLACE}, do: {{restart: 4s}}")
async def test_restart_keeps_what_was_executed_before_the_cut(client):
    with pytest.raises(ConnectionError):
        await client.place()
    with pytest.raises(ConnectionError):
        await client.find()
    client.rig.clock.turn(4)
    assert (await client.find())[1]["status"] == "NEW"
    assert client.open == ["mine"]


@within("when: {message: {stream: btcusdt@depth*}, nth: 2}, do: skip")
async def test_skipped_change_of_the_book_shows_as_a_gap_of_its_numbers(client):
    async with client.listening("/ws/btcusdt@depth@100ms") as socket:
        for number in range(4):
            await client.place(str(number), price=str(59_000 - number))
            client.rig.clock.turn(0.1)
        first, third, fourth = await heard(socket, 3)
    assert third["U"] > first["u"] + 1
    assert fourth["U"] == third["u"] + 1


@within("when: {fill: {side: BUY}, nth: 1}, do: {duplicate: 2}")
async def test_fill_told_twice_has_one_trade_id(client):
    async with client.told() as socket:
        await client.trade("one")
        told = [one["event"] for one in await all_heard(socket)]
    fills = [one for one in told if one.get("x") == "TRADE"]
    assert [one["S"] for one in fills].count("BUY") == 2
    assert len({one["t"] for one in fills}) == 1
    assert len(client.exchange.fills(0, "BTCUSDT")) == 2


def test_ledger_file_tells_of_faults_before_what_they_happened_to(tmp_path):
    path = tmp_path / "ledger.jsonl"

    async def run():
        rule = "name: lost, when: {request: {side: BUY}, nth: [1, 3]}, do: {error: -1007}"
        async with exchange_with(rule) as client:
            file = LedgerFile(path, client.exchange.ledger, [OWN.terms.name])
            file.follow(client.rig.faulty.director.since)
            client.rig.venue.record = file.record
            for number in range(3):
                await client.place(str(number))
                client.rig.clock.turn(1)
            file.close()
            rows = list(read_lines(path.read_bytes(), "file"))
            own = lines(client.exchange.ledger.rows(), [OWN.terms.name])
            merged = list(read_lines(with_faults(own, client.rig.faulty.firings), "merged"))
            assert merged == rows

    asyncio.run(run())
    rows = list(read_lines(path.read_bytes(), "file"))
    assert [row["entry"] for row in rows] == ["fault", "taken", "taken", "fault", "taken"]
    assert [row.get("client_id") for row in rows] == [None, "0", "1", None, "2"]
    fault = rows[3]
    assert (fault["rule"], fault["did"], fault["count"]) == ("lost", ["error"], 3)
    assert fault["account"] == "test"
    assert fault["met"].startswith(
        "request over=rest method=POST path=/api/v3/order symbol=BTCUSDT"
    )
