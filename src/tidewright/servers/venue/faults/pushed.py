"""What a message that the venue pushes is, in the words of a fault script."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from tidewright.exchange.faults import Occurrence, Subject

_BY_EVENT = {
    "trade": "trade",
    "aggTrade": "aggTrade",
    "depthUpdate": "depth",
    "24hrTicker": "ticker",
    "24hrMiniTicker": "miniTicker",
    "1hTicker": "ticker_1h",
    "4hTicker": "ticker_4h",
    "1dTicker": "ticker_1d",
    "avgPrice": "avgPrice",
}


def user_event(event: Mapping[str, object], account: str) -> Occurrence:
    """Return what a script sees of an event of an account."""
    execution = _word(event, "x")
    return Occurrence(
        Subject.FILL if execution == "TRADE" else Subject.EVENT,
        {
            "event": _word(event, "e"),
            "execution": execution,
            "symbol": _word(event, "s"),
            "side": _word(event, "S"),
            "type": _word(event, "o"),
            "account": account,
            "client_id": _word(event, "C") or _word(event, "c"),
        },
    )


def message(sockets: str, stream: str, symbol: str, account: str) -> Occurrence:
    """Return what a script sees of a message about to leave on a socket."""
    fields = {"sockets": sockets, "stream": stream, "symbol": symbol, "account": account}
    return Occurrence(Subject.MESSAGE, fields)


def stream_of(text: bytes, only: str) -> tuple[str, str] | None:
    """Return stream and symbol of a market message; None for an answer to a request.

    Parameters
    ----------
    text : bytes
        The message's JSON.
    only : str
        The stream that the connection's address names, if it names one alone.
    """
    document = orjson.loads(text)
    stream = ""
    if isinstance(document, dict):
        if "result" in document or "error" in document:
            return None
        stream = _word(document, "stream")
        document = document.get("data", document)
    if isinstance(document, list):
        return stream or only, ""
    if not isinstance(document, dict):
        return None
    stream = stream or only or _derived(document)
    named = stream.partition("@")[0] if "@" in stream else ""
    return stream, _word(document, "s") or named.upper()


def _derived(event: Mapping[str, object]) -> str:
    """Return the stream that an event without its name must come from, as far as it tells."""
    symbol, kind = _word(event, "s").lower(), _word(event, "e")
    candle = event.get("k")
    if isinstance(candle, dict):
        return f"{symbol}@kline_{_word(candle, 'i')}"
    if kind:
        return f"{symbol}@{_BY_EVENT.get(kind, kind)}"
    return f"{symbol}@bookTicker" if symbol else ""


def _word(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
