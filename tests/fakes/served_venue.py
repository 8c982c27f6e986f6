"""A whole venue served from a thread of the test's own process, as `tw venue serve` does it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tidewright.domain.time import MINUTE
from tidewright.servers.venue.accounts import parse_accounts
from tidewright.servers.venue.serve import VenueServer, VenueSettings

SIGNER = Ed25519PrivateKey.from_private_bytes(b"venue tests, no secret of anyone")
SIGNER_KEY = "signer-key"
SIGNER_PEM = SIGNER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
_PUBLIC = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ACCOUNTS = """
accounts:
  - name: trader
    api_key: trader-key
    secret: trader-secret
    balances: {USDT: 1000000, BTC: 10, ETH: 100}
    taker_fee: 0.00075
  - name: other
    api_key: other-key
    secret: other-secret
    balances: {USDT: 1000000, BTC: 10, ETH: 100}
  - name: watcher
    api_key: watcher-key
    secret: watcher-secret
    permissions: [USER_DATA]
  - name: signer
    api_key: signer-key
    balances: {USDT: 1000000}
    public_key: |
""" + "".join(f"      {line}\n" for line in _PUBLIC.decode().splitlines())
KEY, SECRET = "trader-key", "trader-secret"
OTHER_KEY, OTHER_SECRET = "other-key", "other-secret"


@contextlib.contextmanager
def served(settings: VenueSettings | None = None) -> Iterator[tuple[VenueServer, int]]:
    """Serve a venue with three accounts on a free port; yield it and the port."""
    settings = settings or VenueSettings(history=2 * MINUTE)
    settings = replace(settings, port=0, accounts=settings.accounts or parse_accounts(ACCOUNTS))
    server = VenueServer(settings)
    ports: list[int] = []
    ready = threading.Event()

    def tell(port: int) -> None:
        ports.append(port)
        ready.set()

    thread = threading.Thread(target=server.run, args=(tell,), daemon=True)
    thread.start()
    try:
        assert ready.wait(60)
        yield server, ports[0]
    finally:
        server.stop()
        thread.join(10)
    assert not thread.is_alive()
