"""What clients ask beside the market when they start: coins, margins, fees, futures.

There is no margin and there are no futures here, so those answers are empty and true.
"""

from __future__ import annotations

from tidewright.servers.venue import parameters as read
from tidewright.servers.venue import writers
from tidewright.servers.venue.endpoint import Call, Endpoint
from tidewright.servers.venue.parameters import Field
from tidewright.servers.venue.rest.general import find_listing
from tidewright.servers.venue.signing import Permission

_USER = Permission.USER_DATA


def _coins(call: Call) -> object:
    balances = call.venue.exchange.balances(call.account)
    return [_coin(asset, free, locked) for asset, (free, locked) in balances.items()]


def _coin(asset: str, free: int, locked: int) -> object:
    return {
        "coin": asset,
        "depositAllEnable": True,
        "withdrawAllEnable": False,
        "name": asset,
        "free": writers.amount(free),
        "locked": writers.amount(locked),
        "freeze": "0",
        "withdrawing": "0",
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": False,
        "trading": True,
        "networkList": [],
    }


def _nothing(call: Call) -> object:
    return []


def _status(call: Call) -> object:
    return {"status": 0, "msg": "normal"}


def _fees(call: Call) -> object:
    account = call.venue.exchange.accounts[call.account]
    listings = call.venue.exchange.listings
    symbols = [find_listing(call).symbol] if "symbol" in call.values else list(listings)
    return [
        {
            "symbol": symbol,
            "makerCommission": writers.rate(account.maker_ppm),
            "takerCommission": writers.rate(account.taker_ppm),
        }
        for symbol in symbols
    ]


def _futures(call: Call) -> object:
    return {
        "timezone": "UTC",
        "serverTime": call.venue.told.now() // call.unit,
        "rateLimits": [],
        "exchangeFilters": [],
        "assets": [],
        "symbols": [],
    }


COINS = Endpoint(_coins, permission=_USER, weight=10)
MARGIN_PAIRS = Endpoint(_nothing, Field("symbol", read.symbol), permission=_USER)
ISOLATED_PAIRS = Endpoint(_nothing, Field("symbol", read.symbol), permission=_USER, weight=10)
SYSTEM_STATUS = Endpoint(_status)
TRADE_FEE = Endpoint(_fees, Field("symbol", read.symbol), permission=_USER)
FUTURES_INFO = Endpoint(_futures)
