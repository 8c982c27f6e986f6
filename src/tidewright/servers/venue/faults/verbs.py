"""Read what a rule does: one reader for each verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

from tidewright.domain.errors import nearest
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.exchange.faults import actions
from tidewright.exchange.faults.actions import Action
from tidewright.exchange.faults.conditions import SOCKETS
from tidewright.exchange.spot.values import Reason, Refusal, SymbolStatus
from tidewright.servers.venue import errors
from tidewright.servers.venue.faults.lengths import length_of_time, share
from tidewright.strategy.document import Value

_MILLION = 1_000_000
_MOST = 1_000_000
_LARGEST = Decimal(10) ** 10
_WHICH = (*SOCKETS, "all")


def _known(error: errors.ApiError, *, may_execute: bool = False) -> tuple[int, str, bool]:
    return error.status, error.message, may_execute


ERRORS: Mapping[int, tuple[int, str, bool]] = MappingProxyType(
    {
        -1000: (503, "Unknown error, please check your request or try again later.", True),
        -1001: (503, "Internal error; unable to process your request. Please try again.", False),
        -1003: _known(errors.too_much_weight(6_000, "1 MINUTE", 60)),
        -1006: (
            500,
            "An unexpected response was received from the message bus. Execution status unknown.",
            True,
        ),
        -1007: (
            504,
            "Timeout waiting for response from backend server. Send status unknown; "
            "execution status unknown.",
            True,
        ),
        -1008: _known(errors.of_refusal(Refusal(Reason.BOOK_FULL))),
        -1015: _known(errors.too_many_orders(100, "10 SECOND", 10)),
        -1021: _known(errors.late()),
        -1022: _known(errors.bad_signature()),
        -2010: _known(errors.of_refusal(Refusal(Reason.NO_BALANCE))),
        -2011: _known(errors.of_refusal(Refusal(Reason.UNKNOWN_ORDER))),
        -2013: _known(errors.no_such_order()),
        -2014: _known(errors.bad_key_format()),
        -2015: _known(errors.rejected_key()),
    }
)
"""Errors by code: HTTP status, message, and whether the request may have been executed."""

_UNITS = UNITS_PER_CURRENCY
_STEPS = {"minQty": ("lowest", _UNITS), "maxQty": ("highest", _UNITS), "stepSize": ("step", _UNITS)}
_SIDES = ("bid", "ask")

FILTER_FIELDS: Mapping[str, Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "PRICE_FILTER": {
            "minPrice": ("lowest", _UNITS),
            "maxPrice": ("highest", _UNITS),
            "tickSize": ("tick", _UNITS),
        },
        "LOT_SIZE": _STEPS,
        "MARKET_LOT_SIZE": _STEPS,
        "MIN_NOTIONAL": {"minNotional": ("lowest", _UNITS), "avgPriceMins": ("minutes", 1)},
        "NOTIONAL": {
            "minNotional": ("lowest", _UNITS),
            "maxNotional": ("highest", _UNITS),
            "avgPriceMins": ("minutes", 1),
        },
        "PERCENT_PRICE": {
            "multiplierUp": ("up_ppm", _MILLION),
            "multiplierDown": ("down_ppm", _MILLION),
            "avgPriceMins": ("minutes", 1),
        },
        "PERCENT_PRICE_BY_SIDE": {
            **{
                f"{side}Multiplier{way.title()}": (f"{side}_{way}_ppm", _MILLION)
                for side in _SIDES
                for way in ("up", "down")
            },
            "avgPriceMins": ("minutes", 1),
        },
        "MAX_POSITION": {"maxPosition": ("most", _UNITS)},
        "ICEBERG_PARTS": {"limit": ("most", 1)},
        "MAX_NUM_ORDERS": {"maxNumOrders": ("most", 1)},
        "MAX_NUM_ALGO_ORDERS": {"maxNumAlgoOrders": ("most", 1)},
        "MAX_NUM_ICEBERG_ORDERS": {"maxNumIcebergOrders": ("most", 1)},
        "TRAILING_DELTA": {
            f"{end}Trailing{way.title()}Delta": (f"{word}_{way}", 1)
            for end, word in (("min", "lowest"), ("max", "highest"))
            for way in ("above", "below")
        },
    }
)
"""Fields of filters as the protocol calls them: our name for each, and units in one."""


def read_actions(value: Value) -> tuple[Action, ...]:
    """Return the actions of a ``do``: one word, a mapping of verbs, or a list of both.

    Raises
    ------
    DocumentError
        If a verb is unknown or its words do not fit.
    """
    if value.is_list:
        return tuple(action for item in value.items() for action in read_actions(item))
    if value.is_mapping:
        return tuple(_read_action(verb, about) for verb, about in value.entries().items())
    verb = value.text()
    if verb in READERS and verb not in _ALONE:
        raise value.error(f"{verb} came alone; expected what about it, like '{verb}: ...'")
    return (_read_action(verb, value),)


def _read_action(verb: str, about: Value) -> Action:
    reader = READERS.get(verb)
    if reader is None:
        raise about.error(
            f"verb {verb!r} is unknown; expected one of {', '.join(READERS)}"
            f"{nearest(verb, READERS)}"
        )
    return reader(about)


def _bare(make: Callable[[], Action], verb: str) -> Callable[[Value], Action]:
    def read(value: Value) -> Action:
        if not value.is_empty and value.text() not in ("true", verb):
            raise value.error(f"was {value.text()[:80]!r}; expected nothing after {verb}")
        return make()

    return read


def _flag(value: Value) -> bool:
    return value.choice(("true", "false")) == "true"


def _truncate(value: Value) -> Action:
    if not value.is_mapping:
        return _cut(value, body=False)
    fields = value.fields(("to", "body"), ("to",))
    return _cut(fields["to"], body="body" in fields and _flag(fields["body"]))


def _cut(value: Value, *, body: bool) -> Action:
    text = value.text()
    if text.endswith("%") or "." in text:
        return actions.Truncate(share_ppm=share(value), body=body)
    return actions.Truncate(value.integer(0, _MOST), body=body)


def _html(value: Value) -> Action:
    if value.is_empty or value.text() == "html":
        return actions.Html()
    return actions.Html(value.integer(200, 599))


def _error(value: Value) -> Action:
    if not value.is_mapping:
        return _known_error(value)
    fields = value.fields(("code", "status", "message"))
    if "code" not in fields:
        if "status" not in fields or "message" in fields:
            raise value.error("had no code; expected one, or a status alone")
        return _plain_status(fields["status"].integer(400, 599))
    code = _code(fields["code"])
    status, message, executes = ERRORS.get(code, (400, "", False))
    if "status" in fields:
        status = fields["status"].integer(400, 599)
        executes = executes if code in ERRORS else status >= 500
    if "message" in fields:
        message = fields["message"].text()
    return actions.Error(status, code, message, executes)


def _known_error(value: Value) -> Action:
    if not value.text().startswith("-"):
        return _plain_status(value.integer(400, 599))
    code = _code(value)
    if code not in ERRORS:
        raise value.error(
            f"was {code}; expected a message with it, like "
            f"'{{code: {code}, message: ...}}', or one of {', '.join(map(str, ERRORS))}"
        )
    status, message, executes = ERRORS[code]
    return actions.Error(status, code, message, executes)


def _plain_status(status: int) -> Action:
    return actions.Error(status, 0, "", status >= 500)


def _code(value: Value) -> int:
    text = value.matched(
        lambda text: text[:1] == "-" and text[1:].isdigit() and len(text) < 7,
        "an error code such as -1007",
    )
    return int(text)


def _ban(value: Value) -> Action:
    if not value.is_mapping:
        return actions.Ban(length_of_time(value))
    fields = value.fields(("for", "status"), ("for",))
    status = int(fields["status"].choice(("418", "429"))) if "status" in fields else 418
    return actions.Ban(length_of_time(fields["for"]), status)


def _mute(value: Value) -> Action:
    sockets, fields = _which(value, "for", "mute")
    return actions.Mute(sockets, length_of_time(fields["for"]) if "for" in fields else 0)


def _close(value: Value) -> Action:
    sockets, fields = _which(value, "code", "close")
    code = fields["code"].integer(1000, 4999) if "code" in fields else 1001
    return actions.Close(sockets, code)


def _which(value: Value, more: str, verb: str) -> tuple[str, dict[str, Value]]:
    """Return the kind of sockets meant, empty for the one it is about, and the fields."""
    if value.is_mapping:
        fields = value.fields(("sockets", more))
        kind = fields["sockets"].choice(_WHICH) if "sockets" in fields else ""
        return kind, fields
    if value.is_empty or value.text() == verb:
        return "", {}
    return value.choice(_WHICH), {}


def _filters(value: Value) -> Action:
    fields = value.fields(("symbol", *FILTER_FIELDS), ("symbol",))
    symbol = fields.pop("symbol").text()
    if not fields:
        raise value.error(f"named no filter; expected one of {', '.join(FILTER_FIELDS)}")
    changes = []
    for name, filter_value in fields.items():
        known = FILTER_FIELDS[name]
        for key, number in filter_value.fields(tuple(known)).items():
            field, units = known[key]
            amount = number.number(Decimal(0), _LARGEST) * units
            if amount != amount.to_integral_value():
                raise number.error(f"was {number.text()}; expected whole parts of 1/{units}")
            changes.append((name, field, int(amount)))
    return actions.Filters(symbol, tuple(changes))


def _symbol_status(value: Value) -> Action:
    fields = value.fields(("symbol", "to"), ("symbol", "to"))
    return actions.SetStatus(
        fields["symbol"].text(), SymbolStatus(fields["to"].choice(tuple(SymbolStatus)))
    )


def _restart(value: Value) -> Action:
    if not value.is_mapping:
        if value.is_empty or value.text() == "restart":
            return actions.Restart()
        return actions.Restart(length_of_time(value))
    fields = value.fields(("for", "lose"))
    if "lose" in fields:
        fields["lose"].choice(("nothing",))
    return actions.Restart(length_of_time(fields["for"]) if "for" in fields else 0)


def _counted(make: Callable[[int], Action], verb: str, low: int) -> Callable[[Value], Action]:
    def read(value: Value) -> Action:
        if value.is_empty or value.text() == verb:
            return make(low)
        return make(value.integer(low, _MOST))

    return read


READERS: Mapping[str, Callable[[Value], Action]] = MappingProxyType(
    {
        "delay": lambda value: actions.Delay(length_of_time(value)),
        "drop": _bare(actions.Drop, "drop"),
        "reset": _bare(actions.Reset, "reset"),
        "truncate": _truncate,
        "empty": _bare(actions.Empty, "empty"),
        "html": _html,
        "error": _error,
        "ban": _ban,
        "execute": lambda value: actions.Execute(_flag(value)),
        "hide": lambda value: actions.Hide(length_of_time(value)),
        "stale": lambda value: actions.Stale(length_of_time(value)),
        "duplicate": _counted(actions.Duplicate, "duplicate", 2),
        "reorder": _counted(actions.Reorder, "reorder", 1),
        "skip": _counted(actions.Skip, "skip", 1),
        "mute": _mute,
        "close": _close,
        "clock": lambda value: actions.Clock(length_of_time(value, signed=True)),
        "filters": _filters,
        "symbol_status": _symbol_status,
        "restart": _restart,
    }
)
"""The reader of each verb."""

_ALONE = frozenset(
    {"drop", "reset", "empty", "html", "duplicate", "reorder", "skip", "mute", "close", "restart"}
)
"""Verbs that need no word about them."""
