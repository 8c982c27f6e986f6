"""Random expressions and specs, and a slow evaluator that shares no code with the real one."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from tidewright.features.declarations import ColumnReference, declarations, resolve
from tidewright.strategy.expressions import (
    FUNCTIONS,
    Arithmetic,
    Call,
    Column,
    Comparison,
    Kind,
    Logic,
    Negate,
    Node,
    Not,
    Number,
    parse_condition,
    parse_number,
)
from tidewright.strategy.spec import (
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
)

COLUMNS: tuple[ColumnReference, ...] = (
    resolve("close", ()),
    resolve("high", ()),
    resolve("sma", (10,)),
    resolve("rsi", (14,)),
)
"""Layout of the random rows."""

_literals = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 70.0]),
    st.integers(0, 10**6).map(float),
    st.floats(0, 1e300, allow_nan=False).filter(lambda value: math.copysign(1, value) > 0),
).map(Number)


def _any_column() -> st.SearchStrategy[Node]:
    references = [resolve(name, ()) for name in declarations()]
    references += [resolve("sma", (7,)), resolve("bollinger_upper", (20, 2.5))]
    references += [
        replace(resolve("sma", (7,)), timeframe="4h"),
        replace(resolve("change", (20,)), across="rank"),
        replace(resolve("zscore", (9,)), across="zscore", by="sector"),
        replace(resolve("close", ()), timeframe="1d", across="demean", by="quote"),
    ]
    return st.sampled_from(references).map(Column)


@cache
def numbers(
    columns: st.SearchStrategy[Node], depth: int = 4, previous: bool = True
) -> st.SearchStrategy[Node]:
    """Return random number trees."""
    atoms = st.one_of(_literals, columns)
    if depth == 0:
        return atoms
    part = st.deferred(lambda: numbers(columns, depth - 1, previous))
    still = st.deferred(lambda: numbers(columns, depth - 1, previous=False))
    condition = st.deferred(lambda: conditions(columns, depth - 1, previous))
    choices = [
        atoms,
        st.builds(Negate, part),
        st.builds(Arithmetic, st.sampled_from("+-*/"), part, part),
        st.builds(lambda x: Call("abs", (x,)), part),
        st.builds(lambda f, a, b: Call(f, (a, b)), st.sampled_from(["min", "max"]), part, part),
        st.builds(lambda c, a, b: Call("when", (c, a, b)), condition, part, part),
    ]
    if previous:
        choices.append(st.builds(lambda x: Call("previous", (x,)), still))
    return st.one_of(choices)


@cache
def conditions(
    columns: st.SearchStrategy[Node], depth: int = 4, previous: bool = True
) -> st.SearchStrategy[Node]:
    """Return random condition trees."""
    number = st.deferred(lambda: numbers(columns, max(depth - 1, 0), previous))
    still = st.deferred(lambda: numbers(columns, max(depth - 1, 0), previous=False))
    comparison = st.builds(
        Comparison, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), number, number
    )
    if depth == 0:
        return comparison
    part = st.deferred(lambda: conditions(columns, depth - 1, previous))
    choices = [
        comparison,
        st.builds(Logic, st.sampled_from(["and", "or"]), part, part),
        st.builds(Not, part),
        st.builds(lambda x, a, b: Call("between", (x, a, b)), number, number, number),
    ]
    if previous:
        choices.append(
            st.builds(
                lambda f, a, b: Call(f, (a, b)),
                st.sampled_from(["crosses_above", "crosses_below"]),
                still,
                still,
            )
        )
    return st.one_of(choices)


any_number = numbers(_any_column())
any_condition = conditions(_any_column())
row_number = numbers(st.sampled_from(COLUMNS).map(Column))
row_condition = conditions(st.sampled_from(COLUMNS).map(Column))

_text = st.text(st.characters(blacklist_categories=["Cs"]), max_size=60).map(str.strip)
_distances = st.one_of(
    st.builds(AtrDistance, st.floats(1e-6, 1000), st.integers(2, 500)),
    st.builds(PercentDistance, st.floats(1e-6, 1000)),
)


def _rules() -> st.SearchStrategy[Expression | None]:
    return st.one_of(st.none(), st.builds(Expression, any_condition))


_names = st.builds(
    str.__add__,
    st.sampled_from(string.ascii_lowercase),
    st.text(string.ascii_lowercase + string.digits + "_", max_size=20),
)
_symbols = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=8)

_fixed_sizings = st.builds(
    SizingSpec,
    st.sampled_from([method for method in SizingMethod if method is not SizingMethod.KELLY]),
    st.decimals(Decimal("0.00000001"), 100, places=8),
)
_sizings = st.one_of(
    _fixed_sizings,
    st.builds(
        SizingSpec,
        st.just(SizingMethod.KELLY),
        st.decimals(Decimal("0.01"), 1, places=4),
        fallback=st.one_of(st.none(), _fixed_sizings),
    ),
)


_SHARES = [(25, 50, 25), (60, 40), (100,), (1, 2, 97)]


def _tiers(distances: st.SearchStrategy[Distance]) -> st.SearchStrategy[tuple[Tier, ...]]:
    """Draw no tiers, parts of one position, or positions of which the confidence chooses one."""

    def pieces(shares: tuple[int, ...]) -> st.SearchStrategy[tuple[Tier, ...]]:
        return st.tuples(
            *(st.builds(Tier, st.just(Decimal(share)), distances, distances) for share in shares)
        )

    def choices(steps: tuple[float, ...]) -> st.SearchStrategy[tuple[Tier, ...]]:
        share = st.sampled_from([Decimal(25), Decimal(50), Decimal(100)])
        return st.tuples(
            *(st.builds(Tier, share, distances, distances, st.just(step)) for step in steps)
        )

    return st.one_of(
        st.just(()),
        st.sampled_from(_SHARES).flatmap(pieces),
        st.sampled_from([(0.0, 0.62, 0.9), (0.0, 0.4), (0.0,)]).flatmap(choices),
    )


def _with_tiers(spec: StrategySpec, tiers: tuple[Tier, ...]) -> StrategySpec:
    if not tiers:
        return spec
    return replace(spec, tiers=tiers, stops=Stops(trailing=spec.stops.trailing))


_plain_specs: st.SearchStrategy[StrategySpec] = st.builds(
    StrategySpec,
    name=_names.filter(lambda name: name != "null"),
    version=st.integers(1, 1000),
    description=_text,
    universe=st.lists(_symbols, max_size=4, unique=True).map(tuple),
    timeframe=st.sampled_from(["", "1m", "4h", "1d"]),
    entry=st.builds(Sides, st.builds(Expression, any_condition), _rules()),
    exit=st.builds(Sides, _rules(), _rules()),
    confidence=st.builds(Expression, any_number),
    sizing=_sizings,
    stops=st.builds(
        Stops, _distances, st.one_of(st.none(), _distances), st.one_of(st.none(), _distances)
    ),
    time_stop_bars=st.integers(0, 1000),
    entry_order=st.one_of(
        st.just(EntryOrder()),
        st.builds(EntryOrder, st.just(OrderKind.LIMIT), _distances, st.integers(1, 100)),
    ),
)
specs: st.SearchStrategy[StrategySpec] = st.builds(_with_tiers, _plain_specs, _tiers(_distances))
"""Specs that can open a position and leave it."""


def _texts(*texts: str) -> st.SearchStrategy[Expression]:
    return st.sampled_from(texts).map(lambda text: Expression(parse_condition(text)))


_entries = st.one_of(
    _texts("rsi(14) < 55", "rsi(14) > 45", "close > sma(10)", "close < sma(10)"),
    _texts("crosses_above(close, sma(10))", "crosses_below(sma(5), sma(20))"),
    _texts("close > previous(highest(5))", "volume > volume_average(20)"),
    _texts("close > open", "rsi(14) > 45 and close < previous(close)"),
    st.builds(Expression, any_condition),
)
_exits = st.one_of(
    st.none(),
    _texts("rsi(14) > 60", "rsi(14) < 40", "close < sma(10)", "close > open"),
    st.builds(Expression, any_condition),
)
_near = st.one_of(
    st.builds(AtrDistance, st.floats(0.2, 4), st.integers(2, 20)),
    st.builds(PercentDistance, st.floats(0.01, 3)),
)
_maybe_near = st.one_of(st.none(), _near)

_amounts = st.one_of(
    st.builds(
        SizingSpec,
        st.sampled_from([SizingMethod.RISK_PERCENT, SizingMethod.PERCENT_OF_EQUITY]),
        st.sampled_from([Decimal("0.02"), Decimal(1), Decimal(30), Decimal(100)]),
    ),
    st.builds(
        SizingSpec,
        st.just(SizingMethod.FIXED_NOTIONAL),
        st.sampled_from([Decimal(6), Decimal(700), Decimal(10**9)]),
    ),
    st.builds(
        SizingSpec,
        st.just(SizingMethod.FIXED_QUANTITY),
        st.sampled_from([Decimal("0.01"), Decimal(1), Decimal(10**6)]),
    ),
)
_bulk_sizings = st.one_of(
    _amounts,
    _amounts,
    st.builds(
        SizingSpec,
        st.just(SizingMethod.VOLATILITY_TARGET),
        st.sampled_from([Decimal("0.5"), Decimal(10), Decimal(100)]),
        st.sampled_from([5, 30]),
    ),
    st.builds(
        SizingSpec,
        st.just(SizingMethod.KELLY),
        st.sampled_from([Decimal(1), Decimal("0.1")]),
        fallback=_amounts,
    ),
)

_plain_bulk_specs: st.SearchStrategy[StrategySpec] = st.builds(
    StrategySpec,
    name=st.just("drawn"),
    timeframe=st.sampled_from(["", "", "", "5m", "1h"]),
    entry=st.builds(Sides, st.one_of(st.none(), _entries, _entries), _entries),
    exit=st.builds(Sides, _exits, _exits),
    confidence=st.one_of(
        st.sampled_from([0.62, 0.9, 1.0, 0.31]).map(Number),
        st.just(parse_number("rsi(14) / 100 + 0.3")),
        st.just(parse_number("0.6 + rsi(14) / 1000")),
        st.just(parse_number("when(rsi(14) > 60, 0.7, close / previous(close) - 0.35)")),
    ).map(Expression),
    sizing=_bulk_sizings,
    stops=st.builds(Stops, st.one_of(_near, _maybe_near), _maybe_near, _maybe_near),
    time_stop_bars=st.sampled_from([7, 0, 1, 60]),
    entry_order=st.one_of(
        st.just(EntryOrder()),
        st.builds(EntryOrder, st.just(OrderKind.LIMIT), _near, st.integers(1, 12)),
    ),
)
bulk_specs: st.SearchStrategy[StrategySpec] = st.builds(
    _with_tiers, _plain_bulk_specs, _tiers(_near)
)
"""Specs that trade often on bars of a minute."""

Truth = bool | None
Row = Mapping[ColumnReference, float]


def slow_number(node: Node, now: Row, before: Row | None) -> float | None:
    """Return the value of a number tree by the language's written rules; None = unknown."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Column):
        return _known(now[node.reference])
    if isinstance(node, Negate):
        value = slow_number(node.operand, now, before)
        return None if value is None else -value
    if isinstance(node, Arithmetic):
        return _slow_arithmetic(node, now, before)
    assert isinstance(node, Call)
    if node.function == "previous":
        assert before is not None
        return slow_number(node.arguments[0], before, None)
    if node.function == "when":
        truth = slow_truth(node.arguments[0], now, before)
        if truth is None:
            return None
        return slow_number(node.arguments[1 if truth else 2], now, before)
    values = [slow_number(argument, now, before) for argument in node.arguments]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return {"abs": lambda: abs(known[0]), "min": lambda: min(known), "max": lambda: max(known)}[
        node.function
    ]()


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _slow_arithmetic(node: Arithmetic, now: Row, before: Row | None) -> float | None:
    left, right = slow_number(node.left, now, before), slow_number(node.right, now, before)
    if left is None or right is None or (node.operator == "/" and right == 0):
        return None
    try:
        return _known(
            {
                "+": lambda: left + right,
                "-": lambda: left - right,
                "*": lambda: left * right,
                "/": lambda: left / right,
            }[node.operator]()
        )
    except OverflowError:
        return None


def slow_truth(node: Node, now: Row, before: Row | None) -> Truth:
    """Return the value of a condition tree by Kleene's tables; None = unknown."""
    if isinstance(node, Not):
        truth = slow_truth(node.operand, now, before)
        return None if truth is None else not truth
    if isinstance(node, Logic):
        sides = (slow_truth(node.left, now, before), slow_truth(node.right, now, before))
        decisive = node.operator == "or"
        if decisive in sides:
            return decisive
        return None if None in sides else not decisive
    if isinstance(node, Comparison):
        return _slow_compare(
            node.operator, slow_number(node.left, now, before), slow_number(node.right, now, before)
        )
    assert isinstance(node, Call)
    assert FUNCTIONS[node.function].result is Kind.CONDITION
    values = [slow_number(argument, now, before) for argument in node.arguments]
    if node.function == "between":
        pairs = [("<=", values[1], values[0]), ("<=", values[0], values[2])]
    else:
        assert before is not None
        first, second = (slow_number(argument, before, None) for argument in node.arguments)
        above = node.function == "crosses_above"
        pairs = [
            ("<=" if above else ">=", first, second),
            (">" if above else "<", values[0], values[1]),
        ]
    truths = [_slow_compare(*pair) for pair in pairs]
    if False in truths:
        return False
    return None if None in truths else True


def _slow_compare(operator: str, left: float | None, right: float | None) -> Truth:
    if left is None or right is None:
        return None
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[operator]
