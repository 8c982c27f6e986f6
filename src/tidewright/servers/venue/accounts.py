"""Who may trade at the venue: a file of accounts, or one account for tests.

A file is YAML::

    accounts:
      - name: trader
        api_key: my-key
        secret: my-secret            # or public_key: an Ed25519 key in PEM
        balances: {USDT: 100000, BTC: 1.5}
        maker_fee: 0.001             # parts of what is received
        taker_fee: 0.001
        permissions: [TRADE, USER_DATA, USER_STREAM]
        addresses: [127.0.0.1]       # any, when left out
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import from_decimal
from tidewright.servers.venue.signing import ApiKey, Ed25519Key, HmacKey, Permission, Verifier
from tidewright.strategy.document import Value, read_document

_FIELDS = (
    "name",
    "api_key",
    "secret",
    "public_key",
    "balances",
    "maker_fee",
    "taker_fee",
    "permissions",
    "addresses",
)
_LARGEST = Decimal(10) ** 10
_ONE, _MILLION = Decimal(1), Decimal(1_000_000)
_FEE_PPM = 1_000
_TEST_BALANCE = 1_000_000


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """One account as a person describes it.

    Parameters
    ----------
    name, api_key : str
        The account's name, and what its owner sends as X-MBX-APIKEY.
    verifier : Verifier
        Checks its owner's signatures.
    balances : mapping of str to int
        What it begins with: asset to units of 1e-8.
    maker_ppm, taker_ppm : int
        Fees in millionths of what a trade brings.
    permissions : frozenset of Permission
        What its key may do.
    addresses : frozenset of str
        IP addresses it may be used from; empty is any.
    """

    name: str
    api_key: str
    verifier: Verifier
    balances: Mapping[str, int] = field(default_factory=dict)
    maker_ppm: int = _FEE_PPM
    taker_ppm: int = _FEE_PPM
    permissions: frozenset[Permission] = frozenset(Permission)
    addresses: frozenset[str] = frozenset()

    def key(self, number: int) -> ApiKey:
        """Return its key, given its number at the exchange."""
        return ApiKey(self.api_key, number, self.verifier, self.permissions, self.addresses)


@dataclass(frozen=True, slots=True)
class SeededAccount:
    """The account of a venue that was given none.

    Parameters
    ----------
    api_key, secret : str
        Derived from the seed, so that a script can know them; they guard nothing.
    terms : AccountTerms
        The account.
    """

    api_key: str
    secret: str
    terms: AccountTerms


def seeded_account(seed: int, assets: Sequence[str]) -> SeededAccount:
    """Return an account that owns a million of every asset."""
    key, secret = (
        _letters(f"{what} of the test account, seed {seed}") for what in ("key", "secret")
    )
    balances = {asset: _TEST_BALANCE * 10**8 for asset in assets}
    return SeededAccount(key, secret, AccountTerms("test", key, HmacKey(secret), balances))


def read_accounts(path: Path) -> tuple[AccountTerms, ...]:
    """Return the accounts of a file.

    Raises
    ------
    ConfigError
        If it cannot be read or describes none; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"accounts {path} cannot be read: {error}") from error
    return parse_accounts(text, path.name)


def parse_accounts(text: str, source: str = "accounts") -> tuple[AccountTerms, ...]:
    """Return the accounts that a YAML text describes.

    Raises
    ------
    ConfigError
        If it describes none; the message names the line.
    """
    root = read_document(text, source)
    listed = root.fields(("accounts",), ("accounts",))["accounts"]
    found: list[AccountTerms] = []
    for item in listed.items():
        terms = _account(item)
        for earlier in found:
            if terms.name == earlier.name or terms.api_key == earlier.api_key:
                raise item.error(f"name or api_key of {terms.name!r} was used before")
        found.append(terms)
    if not found:
        raise listed.error("was empty; expected at least one account")
    return tuple(found)


def _account(item: Value) -> AccountTerms:
    fields = item.fields(_FIELDS, ("name", "api_key"))
    if ("secret" in fields) == ("public_key" in fields):
        raise item.error("expected either secret or public_key")
    balances = fields["balances"].entries("asset: amount") if "balances" in fields else {}
    permissions = fields["permissions"].items() if "permissions" in fields else ()
    addresses = fields["addresses"].items() if "addresses" in fields else ()
    return AccountTerms(
        name=fields["name"].text(),
        api_key=fields["api_key"].text(),
        verifier=_verifier(fields),
        balances={asset: _amount(value) for asset, value in balances.items()},
        maker_ppm=_fee(fields, "maker_fee"),
        taker_ppm=_fee(fields, "taker_fee"),
        permissions=frozenset(Permission(one.choice(Permission)) for one in permissions)
        or frozenset(Permission),
        addresses=frozenset(one.text() for one in addresses),
    )


def _verifier(fields: Mapping[str, Value]) -> Verifier:
    if "secret" in fields:
        return HmacKey(fields["secret"].text())
    try:
        return Ed25519Key(fields["public_key"].text())
    except ConfigError as error:
        raise fields["public_key"].error(str(error)) from error


def _amount(value: Value) -> int:
    try:
        return from_decimal(value.number(Decimal(0), _LARGEST))
    except ConfigError as error:
        raise value.error(str(error)) from error


def _fee(fields: Mapping[str, Value], name: str) -> int:
    if name not in fields:
        return _FEE_PPM
    parts = fields[name].number(Decimal(0), _ONE) * _MILLION
    if parts != int(parts):
        raise fields[name].error("expected at most six decimal places")
    return int(parts)


def _letters(text: str) -> str:
    """Return 64 letters and digits that follow from a text."""
    digest = hashlib.sha512(text.encode()).digest()
    return base64.b64encode(digest, altchars=b"xX").decode()[:64]
