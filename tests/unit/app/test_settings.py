from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tidewright.app.settings import Mode, Settings, apply_overrides, load_settings
from tidewright.app.settings import names as setting_names
from tidewright.app.settings.reference import field_texts, settings_reference
from tidewright.domain.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def load(tmp_path):
    def read(text="", environment=None, overrides=(), env=""):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        env_file = tmp_path / ".env"
        env_file.write_text(env)
        return load_settings(
            path, environment=environment or {}, env_file=env_file, overrides=overrides
        )

    return read


def test_empty_file_gives_the_defaults(load):
    assert load() == Settings()
    assert load().mode is Mode.PAPER


def test_values_of_every_source_arrive_and_the_later_source_wins(load):
    text = "risk:\n  max_drawdown_percent: 11\n  cooldown_minutes: 11\n  max_open_orders: 11\n"
    settings = load(
        text + "server: {port: 11}",
        env="TIDEWRIGHT__RISK__COOLDOWN_MINUTES=12\nTIDEWRIGHT__RISK__MAX_OPEN_ORDERS=12\n"
        "TIDEWRIGHT__SERVER__PORT=12\n",
        environment={
            "TIDEWRIGHT__RISK__MAX_OPEN_ORDERS": "13",
            "TIDEWRIGHT__SERVER__PORT": "13",
            "TIDEWRIGHT_CACHE": "ignored",
        },
        overrides=["server.port=14"],
    )
    assert settings.risk.max_drawdown_percent == Decimal(11)
    assert settings.risk.cooldown_minutes == 12
    assert settings.risk.max_open_orders == 13
    assert settings.server.port == 14


def test_decimal_of_yaml_is_exact(load):
    assert load("paper:\n  slippage_percent: 0.1").paper.slippage_percent == Decimal("0.1")


def test_lists_may_be_written_with_commas_outside_the_file(load):
    assert load(environment={"TIDEWRIGHT__SYMBOLS": "AAPL, MSFT"}).symbols == ("AAPL", "MSFT")
    assert load("symbols: [AAPL, MSFT]").symbols == ("AAPL", "MSFT")


@pytest.mark.parametrize("written", ["off", "'off'"])
def test_limit_can_be_switched_off_by_the_word(load, written):
    assert load(f"risk:\n  max_consecutive_losses: {written}").risk.max_consecutive_losses == "off"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("risk:\n  max_drawdwn_percent: 3", "config.yaml:2: .*did you mean 'risk.max_drawdown_p"),
        ("\nrsk:\n  max_drawdown_percent: 3", "config.yaml:2: .*'rsk'"),
        ("circuit_breaker:\n  cooldwn_minutes: 3", "did you mean 'circuit_breaker.cooldown_minut"),
        ("max_drawdwn_percent: 3", "did you mean 'max_drawdown_percent'"),
        ("risk:\n  min_confidense: 1", "unknown setting"),
        ("notes: [x]", "unknown setting 'notes'"),
    ],
)
def test_unknown_name_is_an_error_with_place_and_nearest_name(load, text, expected):
    with pytest.raises(ConfigError, match=expected):
        load(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("risk:\n  cooldown_minutes: x", "config.yaml:2: risk.cooldown_minutes was 'x'"),
        ("risk:\n  max_drawdown_percent: 300", "config.yaml:2: risk.max_drawdown_percent was"),
        ("risk:\n  max_drawdown_percent: .nan", "max_drawdown_percent"),
        ("signals:\n  min_confidence: 1.5", "config.yaml:2: signals.min_confidence was 1.5"),
        ("signals:\n  min_confidence: 0", "min_confidence was"),
        ("paper:\n  slippage_percent: 60", "config.yaml:2: paper.slippage_percent was 60"),
        ("mode: dry", "config.yaml:1: mode was 'dry'"),
        ("mode: live", "live_confirmed"),
        ("server:\n  host: 0.0.0.0", "config.yaml:2: server.host was '0.0.0.0'"),
        ("server:\n  host: example.org", "other machines"),
        ("server:\n  port: 70000", "0 to 65535"),
        ("account:\n  initial_balance: 0", "above 0"),
        ("account:\n  name: a/b", "letters and digits"),
        ("seed: -1", "config.yaml:1: seed was -1"),
        ("loop_seconds: 0", "loop_seconds was 0"),
        ("mode: paper\nmode: live", "config.yaml:2: mode was given twice"),
        ("- paper", "expected names with values"),
        ("risk: 3", "config.yaml:1: expected names with values"),
        ("a: b: c", "not valid YAML"),
        ("? [a]\n: b", "expected a name"),
    ],
)
def test_unfit_value_is_an_error_that_names_place_and_value(load, text, expected):
    with pytest.raises(ConfigError, match=expected):
        load(text)


def test_environment_is_named_in_its_errors(load):
    with pytest.raises(ConfigError, match="TIDEWRIGHT__SERVER__PORT: server.port was 'x'"):
        load(environment={"TIDEWRIGHT__SERVER__PORT": "x"})


def test_secret_is_never_shown(load):
    settings = load("database:\n  url: postgresql://u:hidden@h/d")
    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.decision_document()
    assert settings.database.resolved_url(Path("home")) == "postgresql://u:hidden@h/d"
    with pytest.raises(ConfigError) as error:
        load("database:\n  url: [hidden]")
    assert "hidden" not in str(error.value)


def test_default_database_lies_in_the_home(load):
    assert load().database.resolved_url(Path("/h")) == "sqlite:////h/data/trading.db"


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "none.yaml", environment={})


def test_remote_host_is_accepted_with_consent(load):
    assert load("server:\n  host: 0.0.0.0\n  allow_remote: true").server.host == "0.0.0.0"


def test_file_with_older_names_is_read(load):
    settings = load(
        """
mode: paper
symbols: [AAPL, MSFT, GOOGL, NVDA, AMZN]
loop_interval_seconds: 10
risk_management:
  risk_per_trade_percent: 1.5
circuit_breaker:
  max_consecutive_losses: 4
  max_daily_loss_krw: 500000
  loss_type: realized
paper_trading:
  initial_balance_krw: 10000000
  simulate_latency_ms: 50
data_validation:
  max_data_age_minutes: 20
order_manager:
  order_timeout_seconds: 45
dashboard:
  port: 8080
ml:
  enabled: true
  min_confidence: 0.7
database:
  path: data/other.db
  backup_enabled: true
strategy:
  sma_short: 10
logging:
"""
    )
    assert settings.risk.max_consecutive_losses == 4
    assert settings.risk.max_daily_loss == Decimal(500_000)
    assert settings.account.currency == "KRW"
    assert settings.paper_settings().initial_balance == Decimal(10_000_000)
    assert settings.paper_settings().currency == "KRW"
    assert settings.execution.order_timeout_seconds == 45
    assert settings.server.port == 8080
    assert settings.risk_settings().min_confidence == Decimal("0.7")
    assert settings.risk_settings().max_data_age_minutes == 20
    assert [note.split(": ")[1].split()[0] for note in settings.notes] == [
        "ml.enabled",
        "database.backup_enabled",
        "strategy.sma_short",
    ]


def test_flat_name_of_one_section_is_accepted(load):
    assert load("max_drawdown_percent: 20").risk.max_drawdown_percent == Decimal(20)


def test_amount_in_another_currency_than_the_account_is_refused(load):
    with pytest.raises(ConfigError, match="is in KRW, but account.currency was 'USD'"):
        load("account:\n  currency: USD\nrisk:\n  max_daily_loss_krw: 5")


def test_every_older_name_stands_for_a_setting():
    known = set(setting_names.known_names())
    assert set(setting_names.LEAF_ALIASES.values()) <= known
    assert {name for name in setting_names.SECTION_ALIASES.values() if name} <= set(
        setting_names.sections()
    )
    assert not known & set(setting_names.LEAF_ALIASES)


def test_overrides_change_settings_and_check_them_again(load):
    settings = load("risk:\n  cooldown_minutes: 7")
    changed = apply_overrides(settings, ["risk.max_drawdown_percent=20", "symbols=A,B"])
    assert changed.risk.max_drawdown_percent == Decimal(20)
    assert changed.risk.cooldown_minutes == 7
    assert changed.symbols == ("A", "B")
    with pytest.raises(ConfigError, match="--set risk.max_drawdown_percent=0: risk.max_drawd"):
        apply_overrides(settings, ["risk.max_drawdown_percent=0"])
    with pytest.raises(ConfigError, match="NAME=VALUE"):
        apply_overrides(settings, ["risk"])


def test_overriding_nothing_changes_nothing(load):
    settings = load("risk:\n  max_daily_loss: off\nhealth:\n  check_interval_seconds: 1")
    assert apply_overrides(settings, []) == settings


@pytest.mark.parametrize(
    ("text", "decides"),
    [
        ("risk:\n  max_drawdown_percent: 20", True),
        ("signals:\n  min_confidence: 0.7", True),
        ("symbols: [A]", True),
        ("data:\n  max_data_age_minutes: 20", True),
        ("server:\n  port: 9", False),
        ("database:\n  busy_timeout_ms: 9", False),
    ],
)
def test_digest_follows_what_decisions_depend_on(load, text, decides):
    assert (load(text).settings_digest() != load().settings_digest()) is decides


def test_written_reference_is_in_step_with_the_code():
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert page == settings_reference(), (
        "run: python -m tidewright.app.settings.reference > docs/reference/settings.md"
    )


def test_every_setting_is_explained():
    for section, cls in [("", Settings), *setting_names.sections().items()]:
        explained = field_texts(cls)
        for name in setting_names.known_names():
            head, _, leaf = name.rpartition(".")
            if head == section:
                assert explained.get(leaf), f"{name} has no text"


def test_shipped_example_is_accepted():
    path = ROOT / "examples" / "tidewright.yaml"
    assert load_settings(path, environment={}, env_file=None).notes == ()
    assert set(yaml.safe_load(path.read_text()))


def test_shipped_environment_example_is_accepted():
    path = ROOT / ".env.example"
    lines = path.read_text().splitlines()
    written = [line.lstrip("# ") for line in lines if "TIDEWRIGHT__" in line]
    assert written
    variables = dict(line.split("=", 1) for line in written)
    load_settings(ROOT / "examples" / "tidewright.yaml", environment=variables, env_file=None)
