"""The living market as a feed: the same for a seed wherever it resumes, from whatever was saved."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from tidewright.app.feeds import agents
from tidewright.app.feeds.agents import HISTORY_START, TRADING_START, AgentFeed
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import Slice
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.time import MINUTE
from tidewright.kernels.matching import layout as at

SEED = 11
MINUTES = 200


@pytest.fixture(scope="module")
def continuous() -> list[Slice]:
    """Return the first minutes of a market that never stopped."""
    return take(AgentFeed(SEED), 0, MINUTES)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save a state every twenty minutes."""
    monkeypatch.setattr(agents, "STATE_MINUTES", 20)
    monkeypatch.setattr(agents, "KEPT_MINUTES", 60)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the minutes at which markets were set going, as they are."""
    minutes: list[int] = []
    make = agents._make_minutes

    def noted(market: agents.AgentMarket, begin: int, end: int) -> agents.Int64:
        minutes.append(begin)
        return make(market, begin, end)

    monkeypatch.setattr(agents, "_make_minutes", noted)
    return minutes


def take(feed: AgentFeed, after: int, count: int) -> list[Slice]:
    return list(islice(feed.slices(after), count))


def minute(number: int) -> int:
    return HISTORY_START + number * MINUTE


def test_slices_are_whole_minutes_of_bars_that_fit_together(continuous: list[Slice]) -> None:
    for number, slice_ in enumerate(continuous):
        assert slice_.ts_known == minute(number + 1)
        names = [bar.instrument for bar in slice_.events]
        assert names == sorted(names) == [one.id for one in AgentFeed(SEED).instruments]
        for bar in slice_.events:
            assert bar.ts_event == minute(number)
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.volume > 0


def test_resumed_anywhere_it_gives_the_same_bars(continuous: list[Slice], often: None) -> None:
    draw = np.random.default_rng(5)
    feed = AgentFeed(SEED)
    for after in (0, *draw.integers(minute(0) - 1, minute(MINUTES - 10), 6).tolist()):
        rest = [one for one in continuous if one.ts_known > after][:15]
        assert take(feed, after, len(rest)) == rest


def test_restart_goes_on_from_the_state_saved_last(
    continuous: list[Slice], often: None, begun: list[int], tmp_path: Path
) -> None:
    take(AgentFeed(SEED, cache=tmp_path / "market"), 0, 150)
    begun.clear()
    again = take(AgentFeed(SEED, cache=tmp_path / "market"), minute(131), 30)
    assert again == continuous[131:161]
    assert min(begun) == 120


def test_damaged_states_are_left_out(
    continuous: list[Slice], often: None, begun: list[int], tmp_path: Path
) -> None:
    folder = tmp_path / "market"
    take(AgentFeed(SEED, cache=folder), 0, 150)
    draw = np.random.default_rng(2)
    for number, path in enumerate(sorted(folder.iterdir())):
        data = bytearray(path.read_bytes())
        data[int(draw.integers(len(data)))] ^= 64
        path.write_bytes(data[: number * 40_000] if number % 2 else data)
    begun.clear()
    assert take(AgentFeed(SEED, cache=folder), minute(141), 3) == continuous[141:144]
    assert min(begun) == 0


def test_renamed_states_and_those_of_other_markets_are_left_out(
    continuous: list[Slice], often: None, begun: list[int], tmp_path: Path
) -> None:
    folder = tmp_path / "market"
    take(AgentFeed(SEED + 1, cache=folder), 0, 50)
    other = next(folder.glob("*-40.state"))
    take(AgentFeed(SEED, cache=tmp_path / "own"), 0, 50)
    own = next((tmp_path / "own").glob("*-40.state"))
    (folder / own.name).write_bytes(other.read_bytes())
    (folder / own.name.replace("-40.", "-60.")).write_bytes(own.read_bytes())
    begun.clear()
    assert take(AgentFeed(SEED, cache=folder), minute(61), 3) == continuous[61:64]
    assert min(begun) == 0


def test_only_states_near_the_last_one_are_kept(often: None, tmp_path: Path) -> None:
    take(AgentFeed(SEED, cache=tmp_path), 0, 190)
    kept = sorted(int(path.stem.rpartition("-")[2]) for path in tmp_path.iterdir())
    assert kept == [120, 140, 160, 180]


def test_a_folder_that_takes_nothing_only_costs_time(
    continuous: list[Slice], often: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "market").write_text("no folder")
    assert take(AgentFeed(SEED, cache=tmp_path / "market"), 0, 30) == continuous[:30]
    assert "was not saved" in caplog.text


def test_another_seed_is_another_market(continuous: list[Slice]) -> None:
    assert take(AgentFeed(SEED + 1), 0, 5) != continuous[:5]


def test_minutes_move_as_those_of_real_coins_do() -> None:
    slices = take(AgentFeed(3), 0, 600)
    assert slices[359].ts_known == TRADING_START
    closes = np.array([[bar.close for bar in one.events] for one in slices], np.float64)
    returns = np.diff(np.log(closes), axis=0)
    deviation = dict(
        zip([bar.instrument for bar in slices[0].events], 1e4 * returns.std(axis=0), strict=True)
    )
    assert 5 < deviation["BTCUSDT"] < 15
    assert all(5 < value < 30 for value in deviation.values())
    assert np.abs(returns).max() < 0.03
    together = np.corrcoef(returns.T)[np.triu_indices(len(deviation), 1)]
    assert 0.1 < together.mean() < 0.8


def test_no_coin_or_money_comes_or_goes() -> None:
    feed = AgentFeed(SEED)
    fresh = [one.market(SEED) for one in agents.AGENT_INSTRUMENTS]
    slices = feed.slices(0)
    list(islice(slices, 30))
    slices.close()
    (markets,) = feed._idle
    for living, new in zip(markets, fresh, strict=True):
        held, begun = (one.accounts[:, at.N_RATES :] for one in (living, new))
        assert (held >= 0).all()
        assert held.reshape(len(held), -1, 2).sum(axis=(0, 2)).tolist() == (
            begun.reshape(len(begun), -1, 2).sum(axis=(0, 2)).tolist()
        )


def test_finished_candles_are_the_bars_in_whatever_order_they_are_looked_at(
    continuous: list[Slice], often: None
) -> None:
    feed = AgentFeed(SEED)
    take(feed, 0, 120)
    for number in (100, 101, 119, 60, 61, 118):
        for bar in continuous[number].events:
            assert feed.forming(bar.instrument, bar.ts_event, 1.0) == bar


def test_forming_candles_grow_into_the_bar(continuous: list[Slice]) -> None:
    feed = AgentFeed(SEED)
    bar = continuous[30].events[1]
    seen = [feed.forming("BTCUSDT", bar.ts_event, share / 20) for share in range(21)]
    assert (seen[0].volume, seen[0].open) == (0, continuous[29].events[1].close)
    assert seen[-1] == bar
    for before, after in pairwise(seen[1:]):
        assert after.open == bar.open
        assert after.low <= before.low <= before.high <= after.high
        assert before.volume <= after.volume


def test_book_and_trades_are_those_of_the_candle(continuous: list[Slice]) -> None:
    feed = AgentFeed(SEED)
    instruments = {one.id: one for one in feed.instruments}
    for bar in continuous[20].events:
        instrument = instruments[bar.instrument]
        forming = feed.forming(bar.instrument, bar.ts_event, 0.6)
        picture = feed.book(bar.instrument, bar.ts_event, 0.6)
        depth = picture.depth
        assert depth.time == bar.ts_event + 36 * MINUTE // 60
        bids, asks = [price for price, _ in depth.bids], [price for price, _ in depth.asks]
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
        assert all(quantity > 0 for _, quantity in (*depth.bids, *depth.asks))
        last = picture.trades[-1]
        assert last.price == int(instrument.price(forming.close) * UNITS_PER_CURRENCY)
        assert last.time < depth.time
        assert 20 <= len(picture.trades) <= 40


def test_asking_first_for_the_book_needs_no_bars_before() -> None:
    assert AgentFeed(SEED).book("SOLUSDT", minute(2), 0.0).depth.bids


def test_end_is_the_last_moment() -> None:
    slices = list(AgentFeed(SEED, end=minute(13)).slices(0))
    assert slices[-1].ts_known == minute(13)


def test_instruments_say_who_trades_them_and_keep_their_stated_steps() -> None:
    found = next(one for one in AgentFeed(1).instruments if one.id == "BTCUSDT")
    assert found.venue == "agents"
    assert found.source.startswith("market of traders; steps and fees as of binance")
    assert (str(found.tick_size), str(found.lot_size)) == ("0.01", "0.00001")


def test_wrong_words_are_refused() -> None:
    with pytest.raises(ConfigError, match="seed was -1"):
        AgentFeed(-1)
    with pytest.raises(ConfigError, match="expected one of BNBUSDT"):
        AgentFeed(1).forming("BTCUSD", HISTORY_START, 0.5)
    with pytest.raises(ConfigError, match="expected one of BNBUSDT"):
        AgentFeed(1).book("BTCUSDT", HISTORY_START - MINUTE, 0.5)
