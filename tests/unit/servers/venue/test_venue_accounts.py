"""The file of accounts: what it may say, and how it says what is wrong."""

from __future__ import annotations

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.servers.venue.accounts import parse_accounts, read_accounts, seeded_account
from tidewright.servers.venue.signing import Permission

PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


def test_account_is_read_whole():
    (terms,) = parse_accounts(
        "accounts:\n"
        "  - name: trader\n"
        "    api_key: key-1\n"
        "    secret: hush\n"
        "    balances: {USDT: 100000, BTC: 1.5}\n"
        "    maker_fee: 0\n"
        "    taker_fee: 0.00075\n"
        "    permissions: [USER_DATA]\n"
        "    addresses: [127.0.0.1]\n"
    )
    assert (terms.name, terms.api_key) == ("trader", "key-1")
    assert terms.balances == {"USDT": 100_000 * 10**8, "BTC": 150_000_000}
    assert (terms.maker_ppm, terms.taker_ppm) == (0, 750)
    key = terms.key(3)
    assert (key.account, key.permissions, key.addresses) == (
        3,
        {Permission.USER_DATA},
        {"127.0.0.1"},
    )


def test_little_is_needed_and_keys_may_be_public():
    lines = "".join(f"      {line}\n" for line in PEM.splitlines())
    (terms,) = parse_accounts(f"accounts:\n  - name: a\n    api_key: k\n    public_key: |\n{lines}")
    assert (terms.maker_ppm, terms.permissions, terms.balances) == (1_000, set(Permission), {})
    assert not terms.verifier.holds(b"x", "AAAA")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("accounts: []", "expected at least one account"),
        ("acounts: []", "did you mean 'accounts'"),
        ("accounts:\n  - {name: a, api_key: k}", "either secret or public_key"),
        ("accounts:\n  - {name: a, secret: s}", "'api_key' is missing"),
        (
            "accounts:\n  - {name: a, api_key: k, secret: s}\n  - {name: b, api_key: k, secret: s}",
            "line 3",
        ),
        ("accounts:\n  - {name: a, api_key: k, secret: s, balances: {USDT: -1}}", "from 0"),
        (
            "accounts:\n  - {name: a, api_key: k, secret: s, balances: {USDT: 1.123456789}}",
            "eight|8 decimal places",
        ),
        ("accounts:\n  - {name: a, api_key: k, secret: s, taker_fee: 1.5}", "from 0 up to 1"),
        (
            "accounts:\n  - {name: a, api_key: k, secret: s, taker_fee: 0.0000001}",
            "six decimal places",
        ),
        (
            "accounts:\n  - {name: a, api_key: k, secret: s, permissions: [TRAED]}",
            "did you mean 'TRADE'",
        ),
        ("accounts:\n  - {name: a, api_key: k, public_key: nonsense}", "expected PEM"),
    ],
)
def test_file_that_cannot_be_used_says_why(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        parse_accounts(text)


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        read_accounts(tmp_path / "nowhere.yaml")


def test_account_of_its_own_follows_from_the_seed():
    one, same, other = (seeded_account(seed, ("USDT", "BTC")) for seed in (7, 7, 8))
    assert (one.api_key, one.secret) == (same.api_key, same.secret)
    assert len({one.api_key, one.secret, other.api_key, other.secret}) == 4
    assert {len(text) for text in (one.api_key, one.secret)} == {64}
    assert one.terms.balances == {"USDT": 10**14, "BTC": 10**14}
