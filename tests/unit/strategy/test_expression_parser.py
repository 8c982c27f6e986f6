from __future__ import annotations

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import declarations, resolve
from tidewright.strategy.expressions import (
    FUNCTIONS,
    MAX_DEPTH,
    MAX_LENGTH,
    Arithmetic,
    Call,
    Column,
    Comparison,
    ExpressionError,
    Logic,
    Negate,
    Not,
    Number,
    check,
    columns_of,
    parse,
    parse_condition,
    parse_number,
    print_tree,
)

CLOSE = Column(resolve("close", ()))
RSI = Column(resolve("rsi", (14,)))


def test_rule_of_sma_cross_becomes_its_tree() -> None:
    tree = parse_condition("crosses_above(sma(10), sma(50)) and rsi(14) < 70")
    fast, slow = Column(resolve("sma", (10,))), Column(resolve("sma", (50,)))
    assert tree == Logic(
        "and", Call("crosses_above", (fast, slow)), Comparison("<", RSI, Number(70.0))
    )


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 - 2 - 3", Arithmetic("-", Arithmetic("-", Number(1), Number(2)), Number(3))),
        ("1 - (2 - 3)", Arithmetic("-", Number(1), Arithmetic("-", Number(2), Number(3)))),
        ("1 + 2 * 3", Arithmetic("+", Number(1), Arithmetic("*", Number(2), Number(3)))),
        ("-close * 2", Arithmetic("*", Negate(CLOSE), Number(2))),
        ("--1", Negate(Negate(Number(1)))),
        (".5e1", Number(5)),
        ("not close > 1 and close > 2", Logic(
            "and",
            Not(Comparison(">", CLOSE, Number(1))),
            Comparison(">", CLOSE, Number(2)),
        )),
    ],
)  # fmt: skip
def test_operators_bind_as_documented(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((close))>(1)", "close > 1"),
        ("(close > 1) and ((close > 2) or (close > 3))", "close > 1 and (close > 2 or close > 3)"),
        ("not (close > 1)", "not close > 1"),
        ("not (close > 1 and close > 2)", "not (close > 1 and close > 2)"),
        ("rsi > 1", "rsi(14) > 1"),
        ("close() > 1.50", "close > 1.5"),
        ("close\n  > 1", "close > 1"),
        ("-(1 + 2) / (3 * 4)", "-(1 + 2) / (3 * 4)"),
    ],
)
def test_printing_leaves_only_needed_parentheses(text: str, printed: str) -> None:
    assert print_tree(parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("close > smma(3)", 1, 9, "did you mean 'sma'?"),
        ("RSI(14) < 3", 1, 1, "did you mean 'rsi'?"),
        ("close > 1\nand opne < 2", 2, 5, "did you mean 'open'?"),
        ("close = 3", 1, 7, "'=='"),
        ("close > 1 && close < 2", 1, 11, "joined with 'and'"),
        ("close > 1 adn close < 2", 1, 11, "did you mean 'and'?"),
        ("close > open)", 1, 13, "expected an operator or the end, it was ')'"),
        ("(close > open", 1, 14, "expected ')'"),
        ("sma(10 > 3", 1, 11, "expected ',' or ')'"),
        ("close >", 1, 8, "it was the end"),
        ("", 1, 1, "empty"),
        ("  ", 1, 1, "empty"),
        ("1 < close < 3", 1, 11, "do not chain"),
        ("sma(close) > 1", 1, 5, "plain numbers"),
        ("sma(0) > 1", 1, 1, "window was 0"),
        ("sma(1, 2) > 1", 1, 1, "at most 1"),
        ("crosses_above(close) ", 1, 1, "takes 2 arguments"),
        ("1e999 > close", 1, 1, "1e999"),
        ("close[1] > 2", 1, 6, "previous(x)"),
        ("previous(previous(close)) > 1", 1, 10, "only one bar before"),
        ("crosses_above(previous(close), 1)", 1, 15, "only one bar before"),
    ],
)
def test_fault_is_named_with_its_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("rsi(14)", 1, "the expression has to be a condition, it was a number: rsi(14)"),
        ("rsi(14) and close > 1", 1, "the left side of 'and' has to be a condition"),
        ("close > 1 or 3", 14, "the right side of 'or' has to be a condition"),
        ("not close", 5, "what 'not' reverses"),
        ("-(close > 1) > 2", 2, "what '-' negates"),
        ("(close > 1) + 2 > 3", 1, "the left side of '+' has to be a number"),
        ("abs(close > 1) > 2", 5, "argument 'x' of abs"),
        ("when(close, 1, 2) > 2", 6, "argument 'condition' of when"),
    ],
)
def test_wrong_kind_is_named_with_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_condition(text)
    assert caught.value.column == column
    assert message in str(caught.value)


def test_condition_where_a_number_is_wanted_is_refused() -> None:
    with pytest.raises(ExpressionError, match="has to be a number, it was a condition"):
        parse_number("close > 1")


def test_excerpt_puts_the_caret_under_the_fault() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("close > 1 and\n\tclose > opn")
    shown, caret = caught.value.excerpt.split("\n")
    assert shown[caret.index("^") :] == "opn"


def test_excerpt_of_a_long_line_is_cut_around_the_fault() -> None:
    text = " + ".join(["close"] * 40) + " > opn"
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    shown, caret = caught.value.excerpt.split("\n")
    assert len(shown) < 100
    assert shown[caret.index("^") :] == "opn"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000,
        "(" * 1_000 + "close" + ")" * 1_000,
        "-" * 3_000 + "close",
        "not " * 900 + "close > 1",
        " + ".join(["close"] * 400),
        "abs(" * 900,
        "close" * 1_000,
    ],
)
def test_abusive_text_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=f"{MAX_DEPTH}|{MAX_LENGTH}"):
        parse(text)


def test_deepest_chain_is_read_printed_and_read_again() -> None:
    text = " and ".join(["close > 1"] * (MAX_DEPTH - 1))
    assert print_tree(parse(text)) == text


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Logic("and", CLOSE, CLOSE), "Column was a number; expected a condition"),
        (Comparison("<>", CLOSE, CLOSE), "operator was '<>'"),
        (Call("sqrt", (CLOSE,)), "function was 'sqrt'"),
        (Call("min", (CLOSE,)), "min had 1 arguments"),
        (Call("previous", (Call("previous", (CLOSE,)),)), "only one bar before"),
    ],
)
def test_tree_built_by_hand_is_checked(tree: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        check(tree)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-1.0, -0.0, float("nan"), float("inf")])
def test_literal_is_finite_and_not_negative(value: float) -> None:
    with pytest.raises(ConfigError, match="literal was"):
        Number(value)


def test_columns_are_listed_once_in_writing_order() -> None:
    tree = parse("close > sma(10) or rsi < 30 and close < sma(10)")
    assert [column.label for column in columns_of(tree)] == ["close", "sma(10)", "rsi(14)"]


def test_no_column_hides_behind_a_function() -> None:
    assert not set(FUNCTIONS) & set(declarations())
    assert not {"and", "or", "not"} & (set(FUNCTIONS) | set(declarations()))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("sma(10)@1h", "sma(10)@1h"),
        ("close @1d", "close@1d"),
        ("rank(change(20))", "rank(change(20))"),
        ("zscore(change(5)@1h, by = sector)", "zscore(change(5)@1h, by=sector)"),
        ("zscore(20)", "zscore(20)"),
        ("weight(rsi, by=quote)", "weight(rsi(14), by=quote)"),
    ],
)
def test_columns_of_other_timeframes_and_across_instruments(text, label):
    tree = parse(text)
    assert isinstance(tree, Column)
    assert tree.reference.label == print_tree(tree) == label
    assert parse(label) == tree


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sma(10)@1x", "timeframe was '1x'"),
        ("sma(10)@ 1h", "like sma\\(10\\)@1h"),
        ("close@1h@2h", "the end, it was '@2h'"),
        ("rank", "takes one column, like rank\\(change\\(20\\)\\)"),
        ("rank(5)", "it was 5"),
        ("rank(close + 1)", "it was close \\+ 1"),
        ("rank(rank(close))", "it was rank\\(close\\)"),
        ("demean(close, sector)", "expected by="),
        ("demean(close, by=sectr)", "did you mean 'sector'"),
        ("demean(close, by=sector, 3)", "expected '\\)'"),
    ],
)
def test_other_timeframes_and_sections_that_make_no_sense_are_told_with_their_place(text, reason):
    with pytest.raises(ExpressionError, match=reason):
        parse(text)
