"""Where the API is reached and how long a session lasts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tidewright.domain.errors import ConfigError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of the API server.

    Parameters
    ----------
    host : str
        Address it listens on.
    port : int
        Port it listens on.
    allowed_hosts : tuple of str
        Further host names under which a browser may reach it, such as that of a reverse proxy.
    https : bool
        Whether browsers reach it by HTTPS, through a reverse proxy; cookies are then marked
        Secure.
    session_timeout_minutes : float
        A session without a request for this long ends.
    session_hours : float
        A session ends after this long in any case.
    static : Path
        Folder of the built page.

    Raises
    ------
    ConfigError
        If other machines could reach it without HTTPS.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    https: bool = False
    session_timeout_minutes: float = 30.0
    session_hours: float = 12.0
    static: Path = STATIC

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.https:
            raise ConfigError(
                f"host was {self.host!r}, which other machines reach; expected one of "
                f"{', '.join(sorted(LOOPBACK))}, or https: true with TLS in front of it"
            )

    @property
    def hosts(self) -> frozenset[str]:
        """Host names that requests may carry, without port."""
        return frozenset({"127.0.0.1", "localhost", "[::1]", self.host, *self.allowed_hosts})
