import json
import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewright.app.validation.freqtrade import is_export, read_export
from tidewright.app.validation.imported import validate_imported
from tidewright.app.validation.imports import read_returns, read_trades
from tidewright.domain.errors import ConfigError

DAY = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = st.sampled_from(["date", "Date", " timestamp ", "time", "DateTime", ""])
RETURN_NAMES = st.sampled_from(["return", "Returns", "strategy returns", "Daily Return", "ret"])
FORMS = st.sampled_from(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S+00:00", "%Y%m%d"])


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@settings(max_examples=40, deadline=None)
@given(
    when=NAMES,
    what=RETURN_NAMES,
    form=FORMS,
    values=st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=40),
    turned=st.booleans(),
    extra=st.booleans(),
)
def test_returns_of_any_shape_come_back_in_order(
    tmp_path_factory, when, what, form, values, turned, extra
):
    rows = [
        f"{(DAY + timedelta(days=place)).strftime(form)},{value!r}" + (",x" if extra else "")
        for place, value in enumerate(values)
    ]
    head = f"{when},{what}" + (",comment" if extra else "")
    path = tmp_path_factory.mktemp("shapes") / "mine.csv"
    write(path, "\n".join([head, *(rows[::-1] if turned else rows)]))
    found = read_returns(path)
    days = (DAY - datetime(1970, 1, 1, tzinfo=UTC)).days + np.arange(len(values))
    kept = np.isin(days, found.days)
    np.testing.assert_allclose(
        found.profit[0][np.isin(found.days, days)], np.array(values)[kept], atol=1e-12
    )
    assert kept[np.array(values) != 0].all()


def test_equity_percent_and_intraday_rows(tmp_path):
    equity = write(tmp_path / "e.csv", "date,equity\n2024-01-01,100\n2024-01-02,110\n2024-01-03,99")
    assert read_returns(equity).profit[0].tolist() == pytest.approx([0.0, 0.1, -0.1])
    share = write(tmp_path / "p.csv", "date,return_pct\n2024-01-01,1.5\n2024-01-02,-2")
    assert read_returns(share).profit[0].tolist() == pytest.approx([0.015, -0.02])
    hours = "".join(f"2024-01-0{1 + hour // 2}T{10 + hour}:00:00,0.1\n" for hour in range(4))
    inside = read_returns(write(tmp_path / "h.csv", "time,return\n" + hours))
    assert inside.profit[0].tolist() == pytest.approx([0.21, 0.21])


@pytest.mark.parametrize("kind", ["parquet", "feather", "json"])
def test_other_kinds_of_file(tmp_path, kind):
    path = tmp_path / f"mine.{kind}"
    frame = pl.DataFrame({"date": ["2024-01-01", "2024-01-02"], "return": [0.01, 0.02]})
    if kind == "parquet":
        frame.write_parquet(path)
    elif kind == "feather":
        frame.write_ipc(path)
    else:
        write(path, json.dumps({"2024-01-01": 0.01, "2024-01-02": 0.02}))
    assert read_returns(path).profit[0].tolist() == pytest.approx([0.01, 0.02])


def test_calendar_follows_the_weekdays_of_the_file(tmp_path):
    every = "".join(f"2024-01-{day:02d},0.01\n" for day in range(1, 29) if day != 9)
    found = read_returns(write(tmp_path / "a.csv", "date,return\n" + every))
    assert found.every_day
    assert len(found.days) == 28
    assert found.profit[0].sum() == pytest.approx(0.27)
    weekdays = [DAY + timedelta(days=place) for place in range(28)]
    rows = "".join(f"{one:%Y-%m-%d},0.01\n" for one in weekdays if one.weekday() < 5)
    found = read_returns(write(tmp_path / "b.csv", "date,return\n" + rows))
    assert not found.every_day
    assert len(found.days) == 20


def test_every_other_column_is_a_try(tmp_path):
    path = write(tmp_path / "m.csv", "date,a,b\n2024-01-01,0.01,0.02\n2024-01-02,0.0,-0.01")
    found = read_returns(path)
    assert found.names == ("a", "b")
    np.testing.assert_allclose(found.profit, [[0.01, 0.0], [0.02, -0.01]], atol=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day_of_week,return\n1,0.1", "expected a column of dates"),
        ("date\n2024-01-01", "named return or equity"),
        ("date,return\n2024-01-01,0.1\n2024-01-02,much", "'return', row 2: value was 'much'"),
        ("date,return\n2024-01-01,0.1\nsoon,0.1", "'date', row 2: value was 'soon'"),
        ("date,return\n2024-01-01,0.1\n2024-01-02,-1.5", "row 2: return was -1.5"),
        ("date,return\n2024-01-01,12", "row 1: return was 12; expected a share"),
        ("date,equity\n2024-01-01,100\n2024-01-02,0", "row 2: equity was 0"),
    ],
)
def test_mistakes_in_returns_name_the_place(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        read_returns(write(tmp_path / "bad.csv", text))


TRADES = (
    "Entry Time,Exit Time,PnL,ReturnPct\n"
    "2024-01-01T10:00:00,2024-01-01T12:00:00,50,0.01\n"
    "2024-01-02T10:00:00,2024-01-04T12:00:00,-20,-0.004\n"
)


def test_trades_count_on_the_day_they_ended(tmp_path):
    path = write(tmp_path / "t.csv", TRADES)
    found = read_trades(path, 1_000.0)
    assert found.profit[0].tolist() == pytest.approx([0.05, 0.0, 0.0, -0.02])
    assert found.trades.profit == pytest.approx((0.05, -0.02))
    assert found.trades.minutes == pytest.approx((120.0, 3_000.0))
    shares = read_trades(path)
    assert shares.profit[0].sum() == pytest.approx(0.01 / 100 - 0.004 / 100)


@pytest.mark.parametrize(
    ("text", "initial", "words"),
    [
        ("exit_time,pnl\n2024-01-01,1", 10.0, "times of entry"),
        ("entry_time,pnl\n2024-01-01,1", 10.0, "times of exit"),
        ("entry_time,exit_time,pnl\n2024-01-01,2024-01-02,1", None, "--initial AMOUNT"),
        ("entry_time,exit_time,size\n2024-01-01,2024-01-02,1", 10.0, "a column of profits"),
        ("entry_time,exit_time,pnl\n2024-01-03,2024-01-02,1", 10.0, "row 1: the trade was left"),
        ("entry_time,exit_time,pnl", 10.0, "no trade"),
    ],
)
def test_mistakes_in_trades_name_the_place(tmp_path, text, initial, words):
    with pytest.raises(ConfigError, match=words):
        read_trades(write(tmp_path / "bad.csv", text), initial)


def export():
    """A backtest as freqtrade writes it, with what is not needed left out."""

    def trade(number, profit, *, short=False, is_open=False):
        opened = DAY + timedelta(days=number, hours=3)
        return {
            "pair": "BTC/USDT",
            "stake_amount": 100.0,
            "open_date": f"{opened:%Y-%m-%d %H:%M:%S}+00:00",
            "close_date": f"{opened + timedelta(hours=5):%Y-%m-%d %H:%M:%S}+00:00",
            "open_rate": 100.0,
            "close_rate": 101.0,
            "profit_abs": profit,
            "profit_ratio": profit / 100,
            "min_rate": 98.0,
            "max_rate": 105.0,
            "is_short": short,
            "is_open": is_open,
            "exit_reason": "roi",
        }

    trades = [trade(0, 10.0), trade(3, -5.0, short=True), trade(5, 1.0, is_open=True)]
    first = int(DAY.timestamp() * 1_000)
    strategy = {
        "trades": trades,
        "starting_balance": 1_000,
        "stake_currency": "USDT",
        "backtest_start_ts": first - 86_400_000,
        "backtest_end_ts": first + 9 * 86_400_000,
        "profit_total": 0.005,
    }
    return {"strategy": {"Mine": strategy}, "strategy_comparison": [], "metadata": {}}


@pytest.mark.parametrize("packed", [False, True])
def test_freqtrade_backtest(tmp_path, packed):
    path = tmp_path / ("backtest-result-2024.zip" if packed else "backtest-result-2024.json")
    text = json.dumps(export())
    if packed:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("backtest-result-2024.json", text)
            archive.writestr("backtest-result-2024_config.json", "{}")
            archive.writestr("backtest-result-2024_Mine.py", "")
    else:
        write(path, text)
    assert is_export(path)
    found = read_export(path)
    assert (found.name, found.initial, found.currency) == ("Mine", 1_000.0, "USDT")
    assert len(found.days) == 11
    assert found.profit[0][[1, 4]].tolist() == pytest.approx([0.01, -0.005])
    assert found.trades.adverse == pytest.approx((0.02, 0.05))
    assert found.trades.favourable == pytest.approx((0.05, 0.02))
    assert "1 trades were still open" in found.notes[0]


def test_mistakes_in_a_freqtrade_backtest_name_the_place(tmp_path):
    broken = export()
    del broken["strategy"]["Mine"]["trades"][1]["profit_abs"]
    with pytest.raises(ConfigError, match=r"strategy.Mine.trades.1.profit_abs: Field required"):
        read_export(write(tmp_path / "a.json", json.dumps(broken)))
    two = export()
    two["strategy"]["Yours"] = two["strategy"]["Mine"]
    path = write(tmp_path / "b.json", json.dumps(two))
    with pytest.raises(ConfigError, match=r"expected one of Mine, Yours"):
        read_export(path)
    with pytest.raises(ConfigError, match=r"did you mean 'Mine'"):
        read_export(path, "Mien")
    with pytest.raises(ConfigError, match=r"could not be read"):
        read_export(write(tmp_path / "c.zip", "no zip"))
    bare = export()
    del bare["strategy"]["Mine"]["starting_balance"]
    with pytest.raises(ConfigError, match=r"--initial AMOUNT"):
        read_export(write(tmp_path / "d.json", json.dumps(bare)))


def returns_file(tmp_path, drift, days=400, columns=1):
    drawn = np.random.default_rng(3)
    table = drawn.normal(drift, 0.01, (days, columns))
    names = ["return"] if columns == 1 else [f"try{place}" for place in range(columns)]
    rows = [
        f"{DAY + timedelta(days=place):%Y-%m-%d}," + ",".join(f"{one:.8f}" for one in row)
        for place, row in enumerate(table)
    ]
    return write(tmp_path / "mine.csv", "\n".join(["date," + ",".join(names), *rows]))


def test_more_tries_make_the_same_returns_less_believable(tmp_path):
    imported = read_returns(returns_file(tmp_path, 0.0018))
    once, often = validate_imported(imported, 1), validate_imported(imported, 50_000)
    assert once.deflation.p_value < 0.05 < often.deflation.p_value
    assert once.ruling.word == "PROMISING"
    assert often.ruling.word == "CANNOT TELL YET"
    assert once.noise is None
    assert [one.passed for one in once.checks[:3]] == [None, None, None]


def test_plain_loss_loses_without_a_market_beside_it(tmp_path):
    losing = validate_imported(read_returns(returns_file(tmp_path, -0.003)), 1)
    assert losing.ruling.word == "LOSES"


def test_tries_in_the_file_are_counted_by_what_they_resemble(tmp_path):
    imported = read_returns(returns_file(tmp_path, 0.0, columns=30))
    report = validate_imported(imported, None)
    assert report.deflation.tries == 30
    assert 15 < report.deflation.effective <= 30
    assert report.subject.tries is None
    with pytest.raises(ConfigError, match=r"expected at least 30"):
        validate_imported(imported, 3)


def test_too_few_days_are_told(tmp_path):
    imported = read_returns(returns_file(tmp_path, 0.0, days=10))
    with pytest.raises(ConfigError, match=r"10 days; expected at least 20"):
        validate_imported(imported, 1)
