"""Who sent a request: keys, signatures, permissions and time.

The payload of a signature is the query and the body as they were sent, one after the other without
a separator, minus the signature itself. HMAC-SHA256 signatures are hexadecimal and of either case;
Ed25519 signatures are base64, and their case counts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tidewright.domain.errors import ConfigError
from tidewright.servers.venue import errors

WINDOW = 5_000_000
"""recvWindow when none is sent, in thousandths of a millisecond."""
LONGEST_WINDOW = 60_000_000
_AHEAD = 1_000_000_000
_HEX = "^[A-Fa-f0-9]{64}$"
_IS_HEX = re.compile("[A-Fa-f0-9]{64}")
_IS_KEY = re.compile("[A-Za-z0-9_-]{1,128}")


class Permission(StrEnum):
    """What a key may do."""

    TRADE = "TRADE"
    USER_DATA = "USER_DATA"
    USER_STREAM = "USER_STREAM"


class Verifier(Protocol):
    """Tells true signatures from false ones."""

    def holds(self, payload: bytes, signature: str) -> bool:
        """Tell whether a signature is that of a payload."""


class HmacKey:
    """A secret that both sides know."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def holds(self, payload: bytes, signature: str) -> bool:
        """Tell whether a signature is that of a payload.

        Raises
        ------
        errors.ApiError
            If it is not hexadecimal.
        """
        if _IS_HEX.fullmatch(signature) is None:
            raise errors.illegal_characters("signature", _HEX)
        expected = hmac.new(self._secret, payload, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, signature.lower())


class Ed25519Key:
    """A public key; its private half never comes here.

    Parameters
    ----------
    pem : str
        ``-----BEGIN PUBLIC KEY-----`` and so on.

    Raises
    ------
    ConfigError
        If it is not an Ed25519 public key.
    """

    def __init__(self, pem: str) -> None:
        try:
            key = load_pem_public_key(pem.encode())
        except ValueError as error:
            raise ConfigError(f"public key was {pem[:40]!r}; expected PEM: {error}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ConfigError(f"public key was of {type(key).__name__}; expected Ed25519")
        self._key = key

    def holds(self, payload: bytes, signature: str) -> bool:
        """Tell whether a signature is that of a payload."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), payload)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and whose it is.

    Parameters
    ----------
    name : str
        What a client sends as X-MBX-APIKEY.
    account : int
        Number of the account.
    verifier : Verifier
        Checks signatures.
    permissions : frozenset of Permission
        What it may do.
    addresses : frozenset of str
        IP addresses it may be used from; empty is any.
    """

    name: str
    account: int
    verifier: Verifier
    permissions: frozenset[Permission] = frozenset(Permission)
    addresses: frozenset[str] = frozenset()


class KeyRing:
    """Every key the venue knows.

    Raises
    ------
    ConfigError
        If two have one name.
    """

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys: dict[str, ApiKey] = {}
        for key in keys:
            if key.name in self._keys:
                raise ConfigError(f"API key {key.name!r} was given twice; expected it once")
            self._keys[key.name] = key

    def find(self, name: str, permission: Permission, peer: str) -> ApiKey:
        """Return a key that may do something.

        Raises
        ------
        errors.ApiError
            -2014 for what cannot be a key, -2015 for a key that is not known, is used from a wrong
            address, or may not do this.
        """
        if _IS_KEY.fullmatch(name) is None:
            raise errors.bad_key_format()
        key = self._keys.get(name)
        if key is None or permission not in key.permissions:
            raise errors.rejected_key()
        if key.addresses and peer not in key.addresses:
            raise errors.rejected_key()
        return key


def signed_part(text: str) -> str:
    """Return a query or a form without its signature."""
    if "signature=" not in text:
        return text
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def payload(query: str, body: str) -> bytes:
    """Return what a request's signature must be of; both are text of one character per byte."""
    return (signed_part(query) + signed_part(body)).encode("latin-1")


def check_signature(key: ApiKey, payloads: Iterable[bytes], signature: str) -> None:
    """Refuse a signature that holds for none of some payloads.

    Raises
    ------
    errors.ApiError
        -1022, or -1100 for characters that no signature has.
    """
    if not any(key.verifier.holds(signed, signature) for signed in payloads):
        raise errors.bad_signature()


def check_time(timestamp: int, window: int, times: Iterable[int]) -> None:
    """Refuse a request that is too old or from the future.

    Parameters
    ----------
    timestamp : int
        When the client sent it, nanoseconds.
    window : int
        How old it may be, thousandths of a millisecond.
    times : iterable of int
        The venue's clocks; one that the request fits is enough.

    Raises
    ------
    errors.ApiError
        -1131 for a window above a minute, -1021 for the rest.
    """
    if window > LONGEST_WINDOW:
        raise errors.bad_window()
    early = False
    for now in times:
        early = timestamp >= now + _AHEAD
        if not early and now - timestamp <= window * 1_000:
            return
    raise errors.early() if early else errors.late()
