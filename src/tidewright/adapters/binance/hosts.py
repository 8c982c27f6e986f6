"""Where Binance is: the real venue, its test network, and venues on this machine.

The three are types of their own. An `Endpoint` of one takes no `Credentials` of another: the type
checker says so, and so does the client when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar, Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

from tidewright.domain.errors import ConfigError


class Mainnet:
    """The real venue, where money is real."""

    name: ClassVar[str] = "mainnet"
    hosts: ClassVar[frozenset[str]] = frozenset(
        {
            "api.binance.com",
            "api-gcp.binance.com",
            *(f"api{number}.binance.com" for number in range(1, 5)),
        }
    )


class Testnet:
    """Binance's own test network, with keys and play money of its own."""

    name: ClassVar[str] = "testnet"
    hosts: ClassVar[frozenset[str]] = frozenset({"testnet.binance.vision"})


class Local:
    """A venue on this machine, as ``tidewright venue serve`` opens it."""

    name: ClassVar[str] = "local"
    hosts: ClassVar[frozenset[str]] = frozenset({"localhost"})


NetworkT = TypeVar("NetworkT", Mainnet, Testnet, Local)
"""One of the three networks."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[NetworkT]):
    """The address of a venue's REST interface, checked against its network.

    Parameters
    ----------
    network : type
        `Mainnet`, `Testnet` or `Local`.
    url : str
        Scheme, host and port, without a path.

    Raises
    ------
    ConfigError
        If the host is not one of the network's, or the way to it is not encrypted. Plain ``http``
        is for addresses of this machine alone.
    """

    network: type[NetworkT]
    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        extra = parts.username or parts.password or parts.query or parts.fragment
        if extra or parts.path not in ("", "/") or not _port_is_a_number(parts):
            # The address is not repeated: it may hold a password.
            raise ConfigError(
                f"address of {self.network.name} had more than scheme, host and port; "
                "expected such as 'https://api.binance.com'"
            )
        host = parts.hostname or ""
        loopback = self.network is Local and _is_loopback(host)
        if host not in self.network.hosts and not loopback:
            expected = ", ".join(sorted(self.network.hosts))
            raise ConfigError(f"host of {self.network.name} was {host!r}; expected {expected}")
        if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
            raise ConfigError(
                f"scheme of {host} was {parts.scheme!r}; expected 'https'"
                f"{' or http' if loopback else ''}"
            )

    @property
    def host(self) -> str:
        """Name of the host, without port."""
        return urlsplit(self.url).hostname or ""


def on_mainnet(url: str = "https://api.binance.com") -> Endpoint[Mainnet]:
    """Return the real venue's endpoint."""
    return Endpoint(Mainnet, url)


def on_testnet(url: str = "https://testnet.binance.vision") -> Endpoint[Testnet]:
    """Return the test network's endpoint."""
    return Endpoint(Testnet, url)


def on_this_machine(port: int) -> Endpoint[Local]:
    """Return the endpoint of a venue on a port of this machine."""
    return Endpoint(Local, f"http://127.0.0.1:{port}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _port_is_a_number(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False
