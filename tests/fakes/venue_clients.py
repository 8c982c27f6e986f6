"""Unmodified clients of Binance, pointed at a venue on this machine."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import AsyncIterator
from typing import Any

HOST = "127.0.0.1"


def load_clients() -> None:
    """Import the clients, so that nobody waits for it later."""
    import ccxt.pro

    assert ccxt.pro.binance is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import binance

    assert binance.AsyncClient is not None


@contextlib.asynccontextmanager
async def ccxt_pro(port: int, key: str = "", secret: str = "") -> AsyncIterator[Any]:
    """ccxt.pro with its addresses set, and nothing but spot markets asked for."""
    import ccxt.pro

    client = ccxt.pro.binance(
        {
            "apiKey": key,
            "secret": secret,
            "options": {
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
                "defaultType": "spot",
            },
        }
    )
    api = client.urls["api"]
    rest, sockets = f"http://{HOST}:{port}", f"ws://{HOST}:{port}"
    for name in ("public", "private", "v1"):
        api[name] = f"{rest}/api/v3"
    api["sapi"] = f"{rest}/sapi/v1"
    api["ws"]["spot"] = api["ws"]["margin"] = f"{sockets}/ws"
    api["ws"]["ws-api"]["spot"] = f"{sockets}/ws-api/v3"
    try:
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def python_binance(
    port: int, key: str = "", secret: str = "", **options: Any
) -> AsyncIterator[tuple[Any, Any]]:
    """python-binance's client and socket manager with their addresses set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from binance import AsyncClient, BinanceSocketManager

    class Client(AsyncClient):  # type: ignore[misc]
        API_URL = f"http://{HOST}:{port}/api"
        MARGIN_API_URL = f"http://{HOST}:{port}/sapi"
        WS_API_URL = f"ws://{HOST}:{port}/ws-api/v3"

    class Manager(BinanceSocketManager):  # type: ignore[misc]
        STREAM_URL = f"ws://{HOST}:{port}/"

    client = await Client.create(key, secret, **options)
    try:
        yield client, Manager(client)
    finally:
        await client.close_connection()
