"""Strategy specs as text: YAML or JSON read with the place of every fault, and written back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

import yaml

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.strategy.document import DocumentError, Value, read_document
from tidewright.strategy.expressions import (
    ExpressionError,
    Kind,
    Negate,
    Node,
    Number,
    is_free,
    parse,
    print_number,
)
from tidewright.strategy.model import (
    MAX_BARS,
    MAX_DESCRIPTION,
    MAX_SYMBOLS,
    MAX_TIERS,
    NAME_EXPECTED,
    SCHEMA_VERSION,
    AtrDistance,
    Distance,
    EntryOrder,
    Expression,
    OrderKind,
    PercentDistance,
    Sides,
    SizingMethod,
    SizingSpec,
    Stops,
    StrategySpec,
    Tier,
    check_tradable,
    default_confidence,
    is_name,
    is_symbol,
)

__all__ = [
    "SCHEMA_VERSION",
    "AtrDistance",
    "Distance",
    "EntryOrder",
    "Expression",
    "OrderKind",
    "PercentDistance",
    "Sides",
    "SizingMethod",
    "SizingSpec",
    "SpecTemplate",
    "Stops",
    "StrategySpec",
    "Tier",
    "check_tradable",
    "dump_spec",
    "load_spec",
    "load_template",
]

ALL = "all"
"""Written for a universe of every symbol."""
ANY = "any"
"""Written for the feed's own timeframe."""

_KEYS = (
    "schema",
    "name",
    "version",
    "description",
    "parameters",
    "universe",
    "timeframe",
    "entry",
    "exit",
    "confidence",
    "sizing",
    "stops",
    "tiers",
    "time_stop_bars",
    "entry_order",
)
_SIDES = ("long", "short")
_STOPS = ("stop_loss", "take_profit", "trailing")
_PERCENT_MAX = Decimal(1_000)

T = TypeVar("T")


_NO_VALUES: Mapping[str, float] = MappingProxyType({})
_LARGEST_PARAMETER = Decimal(10) ** 12
_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SpecTemplate:
    """A document with named numbers: one spec for each choice of them.

    Parameters
    ----------
    root : Value
        The document.
    parameters : mapping of str to float
        Its named numbers and their defaults.
    """

    root: Value
    parameters: Mapping[str, float]

    def spec(self, values: Mapping[str, float] = _NO_VALUES) -> StrategySpec:
        """Return the spec with some named numbers other than their defaults.

        Raises
        ------
        ConfigError
            If a name is not one of the document's, or the spec would not be valid.
        """
        for name, value in values.items():
            self.check_name(name)
            if not math.isfinite(value):
                raise self.root.error(f"parameter {name} was {value}; expected a finite number")
        chosen = {**self.parameters, **values}
        names = {name: print_number(value) for name, value in chosen.items()}
        return _read_spec(replace(self.root, names=names))

    def check_name(self, name: str) -> None:
        """Make sure that a name is one of the document's named numbers.

        Raises
        ------
        ConfigError
            If it is not.
        """
        if name not in self.parameters:
            raise self.root.error(
                f"parameter was {name!r}; expected one of the document's: "
                f"{', '.join(self.parameters) or 'none'}{nearest(name, self.parameters)}"
            )


def load_template(text: str, source: str = "") -> SpecTemplate:
    """Return a document with its named numbers still open.

    Parameters
    ----------
    text, source : str
        As for `load_spec`.

    Raises
    ------
    ConfigError
        If the document cannot be read, or a parameter is no number, is named like something of the
        expression language, or is used nowhere.
    """
    root = read_document(text, source)
    found = root.fields(_KEYS, required=("schema", "name", "entry"))
    part = found.get("parameters")
    if part is None or part.is_empty:
        return SpecTemplate(root, _NO_VALUES)
    used = {word for key, value in found.items() if key != "parameters" for word in _words(value)}
    parameters: dict[str, float] = {}
    for name, value in part.entries().items():
        if not (is_name(name) and is_free(name)):
            raise value.error(
                f"parameter was named {name!r}; expected {NAME_EXPECTED}, and no word of the "
                "expression language"
            )
        if name not in used:
            raise value.error(f"parameter {name!r} is used nowhere in the document")
        parameters[name] = float(value.number(-_LARGEST_PARAMETER, _LARGEST_PARAMETER))
    return SpecTemplate(root, MappingProxyType(parameters))


def _words(value: Value) -> Iterator[str]:
    if value.is_mapping:
        for part in value.entries().values():
            yield from _words(part)
    elif value.is_list:
        for part in value.items():
            yield from _words(part)
    elif not value.is_empty:
        yield from _WORD.findall(value.text())


def load_spec(text: str, source: str = "") -> StrategySpec:
    """Return the spec that a document states, its named numbers at their defaults.

    Parameters
    ----------
    text : str
        YAML or JSON, at most 65,536 characters.
    source : str
        Name of the document, for messages.

    Raises
    ------
    ConfigError
        If the document is no valid spec; the message names document, line and key, and for
        expressions the place within them.
    """
    return load_template(text, source).spec()


def _read_spec(root: Value) -> StrategySpec:
    found = root.fields(_KEYS, required=("schema", "name", "entry"))
    schema = found["schema"].integer(0, 1_000)
    if schema != SCHEMA_VERSION:
        hint = ": use a newer build" if schema > SCHEMA_VERSION else ""
        raise found["schema"].error(f"was {schema}; expected {SCHEMA_VERSION}{hint}")

    def optional(key: str, read: Callable[[Value], T], default: T) -> T:
        value = found.get(key)
        return default if value is None or value.is_empty else read(value)

    spec = _placed(
        root,
        lambda: StrategySpec(
            name=found["name"].matched(is_name, NAME_EXPECTED),
            version=optional("version", lambda value: value.integer(1, MAX_BARS), 1),
            description=optional("description", _description, ""),
            universe=optional("universe", _universe, ()),
            timeframe=optional("timeframe", _timeframe, ""),
            entry=_sides(found["entry"]),
            exit=optional("exit", _sides, Sides()),
            confidence=optional("confidence", _number, default_confidence()),
            sizing=optional("sizing", _sizing, SizingSpec()),
            stops=optional("stops", _stops, Stops()),
            tiers=optional("tiers", _tiers, ()),
            time_stop_bars=optional("time_stop_bars", lambda value: value.integer(0, MAX_BARS), 0),
            entry_order=optional("entry_order", _entry_order, EntryOrder()),
        ),
    )
    _placed(root, lambda: check_tradable(spec))
    return spec


def _placed(value: Value, make: Callable[[], T]) -> T:
    """Run a constructor; its complaint is told with the place in the document."""
    try:
        return make()
    except DocumentError:
        raise
    except ConfigError as error:
        raise value.error(str(error)) from error


def _description(value: Value) -> str:
    return value.matched(
        lambda text: len(text.strip()) <= MAX_DESCRIPTION, f"at most {MAX_DESCRIPTION} characters"
    ).strip()


def _universe(value: Value) -> tuple[str, ...]:
    if not value.is_list:
        value.matched(ALL.__eq__, f"{ALL!r} or a list of symbols")
        return ()
    items = value.items()
    if not 0 < len(items) <= MAX_SYMBOLS:
        raise value.error(f"had {len(items)} symbols; expected 1 to {MAX_SYMBOLS}, or {ALL!r}")
    symbols = tuple(item.matched(is_symbol, "a symbol such as BTCUSDT") for item in items)
    for item, symbol in zip(items, symbols, strict=True):
        if symbols.count(symbol) > 1:
            raise item.error(f"symbol {symbol} came twice")
    return symbols


def _timeframe(value: Value) -> str:
    text = value.text()
    if text == ANY:
        return ""
    _placed(value, lambda: timeframe_nanoseconds(text))
    return text


def _sides(value: Value) -> Sides:
    found = value.fields(_SIDES)

    def rule(side: str) -> Expression | None:
        part = found.get(side)
        return None if part is None or part.is_empty else _expression(part, Kind.CONDITION)

    return Sides(rule("long"), rule("short"))


def _number(value: Value) -> Expression:
    return _expression(value, Kind.NUMBER)


def _expression(value: Value, kind: Kind) -> Expression:
    try:
        return Expression(parse(value.text(), kind, _numbers(value.names)))
    except ExpressionError as error:
        raise value.error(f"in the expression, {error}") from error


def _numbers(names: Mapping[str, str]) -> dict[str, Node]:
    return {
        name: Negate(Number(float(text[1:]))) if text.startswith("-") else Number(float(text))
        for name, text in names.items()
    }


def _sizing(value: Value) -> SizingSpec:
    found = value.fields(("method", "value", "period", "fallback"), required=("method", "value"))
    method = SizingMethod(found["method"].choice(SizingMethod))
    number = found["value"].number(Decimal(0), Decimal(10) ** 12, open_low=True)
    if "period" in found and method is not SizingMethod.VOLATILITY_TARGET:
        raise found["period"].error("belongs to volatility_target; expected none")
    period = found["period"].integer(2, MAX_BARS) if "period" in found else SizingSpec().period
    fallback = _sizing(found["fallback"]) if "fallback" in found else None
    return _placed(found["value"], lambda: SizingSpec(method, number, period, fallback))


def _stops(value: Value) -> Stops:
    found = value.fields(_STOPS)

    def distance(key: str) -> Distance | None:
        part = found.get(key)
        return None if part is None or part.is_empty else _distance(part)

    return Stops(*(distance(key) for key in _STOPS))


def _tiers(value: Value) -> tuple[Tier, ...]:
    items = value.items()
    if not 0 < len(items) <= MAX_TIERS:
        raise value.error(f"had {len(items)} tiers; expected 1 to {MAX_TIERS}")
    return tuple(_tier(item) for item in items)


def _tier(value: Value) -> Tier:
    keys = ("share", "stop_loss", "take_profit", "from_confidence")
    found = value.fields(keys, required=keys[:3])
    share = found["share"].number(Decimal(0), Decimal(100), open_low=True)
    stop, target = _distance(found["stop_loss"]), _distance(found["take_profit"])
    chosen = found.get("from_confidence")
    confidence = None if chosen is None else float(chosen.number(Decimal(0), Decimal(1)))
    return _placed(value, lambda: Tier(share, stop, target, confidence))


def _distance(value: Value) -> Distance:
    found = value.fields(("atr", "period", "percent"))
    if ("atr" in found) == ("percent" in found):
        raise value.error(f"had keys {', '.join(found) or 'none'}; expected atr or percent")
    if "percent" in found:
        if "period" in found:
            raise found["period"].error("belongs to atr; expected percent alone")
        percent = found["percent"]
        number = percent.number(Decimal(0), _PERCENT_MAX, open_low=True)
        return _placed(percent, lambda: PercentDistance(float(number)))
    multiple = float(found["atr"].number(Decimal(0), _PERCENT_MAX, open_low=True))
    period = found["period"].integer(1, MAX_BARS) if "period" in found else None
    return _placed(
        found.get("period", found["atr"]),
        lambda: AtrDistance(multiple) if period is None else AtrDistance(multiple, period),
    )


def _entry_order(value: Value) -> EntryOrder:
    found = value.fields(("type", "offset", "expire_after_bars"), required=("type",))
    kind = OrderKind(found["type"].choice(OrderKind))
    offset = _distance(found["offset"]) if "offset" in found else None
    expire = found["expire_after_bars"].integer(0, MAX_BARS) if "expire_after_bars" in found else 0
    return _placed(value, lambda: EntryOrder(kind, offset, expire))


class _Plain(str):
    """Text that is written without quotes where YAML allows it."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes `_Plain` text plainly and never writes aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_plain(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    tag: str = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, str(text))


_Dumper.add_representer(_Plain, _represent_plain)

_Written = Mapping[str, object]


def dump_spec(spec: StrategySpec) -> str:
    """Return a spec as YAML; loading it gives an equal spec."""
    order: dict[str, object] = {"type": spec.entry_order.kind.value}
    if spec.entry_order.offset is not None:
        order["offset"] = _written_distance(spec.entry_order.offset)
        order["expire_after_bars"] = spec.entry_order.expire_after_bars
    document: dict[str, object] = {
        "schema": spec.schema,
        "name": spec.name,
        "version": spec.version,
        "description": spec.description,
        "universe": list(spec.universe) or ALL,
        "timeframe": spec.timeframe or ANY,
        "entry": _written_sides(spec.entry),
        "exit": _written_sides(spec.exit),
        "confidence": _Plain(spec.confidence.text),
        "sizing": _written_sizing(spec.sizing),
        "stops": {
            key: _written_distance(distance)
            for key in _STOPS
            if (distance := getattr(spec.stops, key)) is not None
        },
        "time_stop_bars": spec.time_stop_bars,
        "entry_order": order,
    }
    if spec.tiers:
        document["tiers"] = [_written_tier(tier) for tier in spec.tiers]
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


def _written_tier(tier: Tier) -> dict[str, object]:
    written: dict[str, object] = {
        "share": _Plain(format(tier.share, "f")),
        "stop_loss": _written_distance(tier.stop_loss),
        "take_profit": _written_distance(tier.take_profit),
    }
    if tier.from_confidence is not None:
        written["from_confidence"] = _Plain(print_number(tier.from_confidence))
    return written


def _written_sizing(sizing: SizingSpec) -> dict[str, object]:
    written: dict[str, object] = {
        "method": sizing.method.value,
        "value": _Plain(format(sizing.value, "f")),
    }
    if sizing.method is SizingMethod.VOLATILITY_TARGET:
        written["period"] = sizing.period
    if sizing.fallback is not None:
        written["fallback"] = _written_sizing(sizing.fallback)
    return written


def _written_sides(sides: Sides) -> _Written:
    rules = {"long": sides.long, "short": sides.short}
    return {side: _Plain(rule.text) for side, rule in rules.items() if rule is not None}


def _written_distance(distance: Distance) -> _Written:
    if isinstance(distance, PercentDistance):
        return {"percent": _Plain(print_number(distance.percent))}
    return {"atr": _Plain(print_number(distance.multiple)), "period": distance.period}
