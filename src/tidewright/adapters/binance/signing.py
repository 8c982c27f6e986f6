"""Signatures of requests: over the very characters that are sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tidewright.adapters.binance.hosts import NetworkT
from tidewright.domain.errors import ConfigError

Parameters = Sequence[tuple[str, str]]
"""Names and values of a request, in the order in which they are sent."""


class Signer(Protocol):
    """Whatever makes signatures that Binance can check."""

    def sign(self, payload: str) -> str:
        """Return the signature of a payload, as text."""


class HmacSigner:
    """Signs with a shared secret, HMAC-SHA256, in hexadecimal digits.

    Parameters
    ----------
    secret : str
        The secret that came with the API key.

    Raises
    ------
    ConfigError
        If the secret is empty.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ConfigError("API secret was empty; expected the secret that came with the key")
        self._secret = secret.encode()

    def sign(self, payload: str) -> str:
        """Return the signature of a payload, 64 hexadecimal digits."""
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()


class Ed25519Signer:
    """Signs with a private key that never leaves this machine, in base64.

    Parameters
    ----------
    pem : str
        The private key as PKCS#8 PEM, not encrypted.

    Raises
    ------
    ConfigError
        If it is no such key.
    """

    __slots__ = ("_key",)

    def __init__(self, pem: str) -> None:
        # The cause is left out of what is raised: its text may quote the key.
        try:
            key = load_pem_private_key(pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError("private key was not readable; expected an Ed25519 key as PKCS#8 PEM")
        self._key = key

    def sign(self, payload: str) -> str:
        """Return the signature of a payload, 88 characters of base64."""
        return base64.b64encode(self._key.sign(payload.encode())).decode()


@dataclass(frozen=True, slots=True)
class Credentials(Generic[NetworkT]):
    """A key of one network, and what signs for it; neither shows in a log.

    Parameters
    ----------
    network : type
        `Mainnet`, `Testnet` or `Local`: where the key is known.
    api_key : str
        Sent with every signed request.
    signer : Signer
        Signs for the key.

    Raises
    ------
    ConfigError
        If the key is empty or has characters that a header cannot carry.
    """

    network: type[NetworkT]
    api_key: str = field(repr=False)
    signer: Signer = field(repr=False)

    def __post_init__(self) -> None:
        if not self.api_key or not all("!" <= letter <= "~" for letter in self.api_key):
            raise ConfigError("API key was empty or not plain text; expected letters and digits")


def percent_encoded(parameters: Parameters) -> str:
    """Return parameters as ``name=value&...``, with everything but A-Z a-z 0-9 ``-_.~`` escaped."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)


def signed(parameters: Parameters, signer: Signer) -> str:
    """Return percent-encoded parameters with the signature over them as the last one."""
    payload = percent_encoded(parameters)
    return f"{payload}&signature={quote(signer.sign(payload), safe='')}"
