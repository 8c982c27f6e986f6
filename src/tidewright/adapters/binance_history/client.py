"""One polite caller of Binance's ``klines`` endpoint: limits, pauses, retries."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import orjson

from tidewright.adapters.binance_history.parse import MILLISECOND, KlinePage, parse_klines
from tidewright.domain.errors import ConfigError, RateLimited, Rejected, Transient, nearest

PAGE_LIMIT = 1_000
"""Most candles in one answer."""

INTERVALS = (
    *("1s", "1m", "3m", "5m", "15m", "30m"),
    *("1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w"),
)
"""Timeframes that Binance serves."""

_UNKNOWN_SYMBOL = -1121
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How to call.

    Parameters
    ----------
    base_url : str
        Where the REST interface is; the default serves public market data only.
    timeout_seconds : float
        Longest wait for one answer.
    max_retry_attempts : int
        Repetitions of a call that failed in passing.
    base_retry_delay_seconds : float
        First pause before a repetition; doubled each time.
    weight_budget : int
        Used request weight a minute at which to wait for the next minute; Binance allows 6,000
        for everything behind one address.
    longest_pause_seconds : float
        A pause asked for beyond this is an error instead: bans last up to three days.
    """

    base_url: str = "https://data-api.binance.vision"
    timeout_seconds: float = 10.0
    max_retry_attempts: int = 5
    base_retry_delay_seconds: float = 1.0
    weight_budget: int = 4_800
    longest_pause_seconds: float = 600.0


class KlineClient:
    """Fetch pages of candles.

    Parameters
    ----------
    settings : ClientSettings
        How to call.
    sleep : callable
        Waits for some seconds.
    clock : callable
        Wall clock in seconds since 1970.
    """

    def __init__(
        self,
        settings: ClientSettings | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or ClientSettings()
        self._sleep = sleep
        self._clock = clock
        self._http = httpx.Client(
            base_url=self.settings.base_url, timeout=self.settings.timeout_seconds
        )

    def __enter__(self) -> KlineClient:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def page(self, symbol: str, interval: str, start: int, end: int) -> KlinePage:
        """Return up to `PAGE_LIMIT` candles that open in [start, end), oldest first.

        Parameters
        ----------
        symbol, interval : str
            Such as ``"BTCUSDT"`` and ``"1m"``.
        start, end : int
            Nanoseconds UTC.

        Raises
        ------
        ConfigError
            If Binance does not know the symbol or interval, or does not serve this place.
        Rejected
            If it refuses for another reason.
        RateLimited
            If it asks for a pause longer than ``longest_pause_seconds``.
        Transient
            If every repetition failed.
        """
        if interval not in INTERVALS:
            raise ConfigError(
                f"timeframe was {interval!r}; expected one of {', '.join(INTERVALS)}"
                f"{nearest(interval, INTERVALS)}"
            )
        parameters: dict[str, str | int] = {
            "symbol": symbol,
            "interval": interval,
            "startTime": -(-start // MILLISECOND),
            "endTime": -(-end // MILLISECOND) - 1,
            "limit": PAGE_LIMIT,
        }
        delay = self.settings.base_retry_delay_seconds
        for attempt in range(self.settings.max_retry_attempts + 1):
            try:
                return self._once(parameters)
            except RateLimited as error:
                if attempt == self.settings.max_retry_attempts:
                    raise
                self._pause(error)
            except Transient:
                if attempt == self.settings.max_retry_attempts:
                    raise
                self._sleep(delay)
                delay *= 2
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, error: RateLimited) -> None:
        if error.retry_after > self.settings.longest_pause_seconds:
            raise error
        self._sleep(error.retry_after)

    def _once(self, parameters: dict[str, str | int]) -> KlinePage:
        try:
            answer = self._http.get("/api/v3/klines", params=parameters)
        except httpx.TransportError as error:
            raise Transient(f"{self.settings.base_url} did not answer: {error}") from error
        if answer.status_code != httpx.codes.OK:
            raise _error(answer, str(parameters["symbol"]))
        page = parse_klines(answer.content)
        self._keep_budget(answer)
        return page

    def _keep_budget(self, answer: httpx.Response) -> None:
        """Wait for the next minute when the address has used up its share of this one."""
        used = answer.headers.get("x-mbx-used-weight-1m", "0")
        if used.isdigit() and int(used) >= self.settings.weight_budget:
            self._sleep(_MINUTE - self._clock() % _MINUTE)


def _error(answer: httpx.Response, symbol: str) -> Exception:
    status = answer.status_code
    code, reason = _reason(answer)
    said = f"{answer.url.host} answered {status}: {reason}"
    if status in (418, 429):
        after = answer.headers.get("retry-after", "")
        return RateLimited(said, float(after) if after.isdigit() else _MINUTE)
    if status in (403, 451):
        return ConfigError(f"{said}; it does not serve this place: set another base URL")
    if code == _UNKNOWN_SYMBOL:
        return ConfigError(f"symbol was {symbol!r}; expected one that {answer.url.host} trades")
    if status >= 500 or status == 408:
        return Transient(said)
    return Rejected(said, str(code))


def _reason(answer: httpx.Response) -> tuple[int, str]:
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return 0, answer.text[:120]
    if isinstance(body, dict) and isinstance(body.get("code"), int):
        return body["code"], str(body.get("msg", ""))
    return 0, answer.text[:120]
