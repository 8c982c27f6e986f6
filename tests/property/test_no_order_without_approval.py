"""No path from a signal to a broker goes around the gate.

The syntax tree of every source file is read: only ``risk/approval.py`` may make an approval token
or an approved order, and nothing may make one by a side door (copy, replace, ``__new__``, pickle,
a name in a string).
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import tidewright
from fakes.risk_cases import NOON, make_account, make_gate, make_intent
from tidewright.domain.codec import plain, tag, untag
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.facts import RecordedSubmission, SubmitOrder
from tidewright.domain.orders import ApprovalToken, ApprovedOrder, LimitCheck, OrderRecord

ROOT = Path(tidewright.__file__).parent
MAKER = ROOT / "risk" / "approval.py"
DEFINED = ROOT / "domain" / "orders.py"
GUARDED = {"ApprovedOrder", "ApprovalToken"}
FIELDS = {field.name for field in dataclasses.fields(ApprovedOrder)}
SIDE_DOORS = {"__new__", "__reduce__", "__reduce_ex__", "__setstate__", "__class__"}
CLONERS = {"copy", "deepcopy"}
UNPICKLERS = {"pickle", "dill", "cloudpickle", "shelve", "marshal"}


def called_name(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def annotations(tree: ast.AST) -> set[ast.AST]:
    """Nodes that only name a type: annotations, and the second argument of ``isinstance``."""
    roots: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            roots.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            roots.append(node.returns)
        elif isinstance(node, ast.Call) and called_name(node) in {"isinstance", "issubclass"}:
            roots += node.args[1:]
        elif isinstance(node, ast.MatchClass):
            roots.append(node.cls)
    return {inner for root in roots if root is not None for inner in ast.walk(root)}


def violations(source: str, name: str = "planted.py") -> Iterator[str]:
    """Yield every line that could make an approved order."""
    tree = ast.parse(source, name)
    harmless = annotations(tree) | {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        found = None if node in harmless else violation(node)
        if found:
            yield f"{name}:{getattr(node, 'lineno', 0)} {found}"


def violation(node: ast.AST) -> str:
    """Return what a node could do, empty when it is harmless."""
    match node:
        case ast.ImportFrom() | ast.Import():
            return import_violation(node)
        case ast.Name(id=word) if word in GUARDED:
            return f"uses {word} as a value"
        case ast.Attribute(attr=word) if word in GUARDED | SIDE_DOORS:
            return f"uses {word}"
        case ast.Constant(value=str(text)) if any(word in text for word in GUARDED):
            return "names a guarded class in a string"
        case ast.Call(keywords=given) if called_name(node) in {"replace", "__replace__"}:
            changed = {keyword.arg for keyword in given}
            return "replaces fields" if changed & FIELDS or None in changed else ""
        case ast.Call(func=ast.Name(id=word)) if word in CLONERS:
            return "clones"
    return ""


def import_violation(node: ast.ImportFrom | ast.Import) -> str:
    modules = {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        modules.add(node.module.split(".")[0])
    if modules & UNPICKLERS:
        return "unpickles"
    for alias in node.names:
        if alias.name in {"ApprovalToken", "*"} or (alias.name in GUARDED and alias.asname):
            return f"imports {alias.name}"
    return ""


def sources() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path not in (MAKER, DEFINED))


def test_only_the_approval_module_makes_approved_orders() -> None:
    found = [
        line
        for path in sources()
        for line in violations(path.read_text(), path.relative_to(ROOT).as_posix())
    ]
    # Processes of one run hand work to each other; it is made and read there alone.
    assert [line for line in found if not line.startswith("app/processes.py")] == []
    assert [line.split(" ")[1] for line in found] == ["unpickles"]


def test_the_definition_itself_makes_none() -> None:
    calls = [
        called_name(node)
        for node in ast.walk(ast.parse(DEFINED.read_text()))
        if isinstance(node, ast.Call)
    ]
    assert not GUARDED & set(calls)


def test_the_approval_module_is_used_by_the_gate_alone() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if "risk.approval" in path.read_text() or "import approval" in path.read_text()
    ]
    assert users == ["risk/gate.py"]


@pytest.mark.parametrize(
    "planted",
    [
        "ApprovedOrder(intent, (), token)",
        "orders.ApprovedOrder(intent, (), token)",
        "from tidewright.domain.orders import ApprovalToken",
        "from tidewright.domain.orders import ApprovedOrder as Passed",
        "from tidewright.domain.orders import *",
        "maker = ApprovedOrder",
        "maker = {'order': ApprovedOrder}",
        "type(order)",
        "replace(order, intent=other)",
        "dataclasses.replace(order, checks=())",
        "dataclasses.replace(order, **changes)",
        "object.__new__(kind)",
        "order.__class__ = kind",
        "order.__reduce__()",
        "deepcopy(order)",
        "import pickle",
        "from pickle import loads",
        "getattr(orders, 'ApprovedOrder')",
    ],
)
def test_every_planted_side_door_is_found(planted: str) -> None:
    if planted == "type(order)":
        assert list(violations(planted)) == []
    else:
        assert list(violations(planted))


def test_naming_the_type_is_no_violation() -> None:
    source = (
        "from tidewright.domain.orders import ApprovedOrder\n"
        "def place(order: ApprovedOrder) -> ApprovedOrder | None:\n"
        '    """Place an ApprovedOrder."""\n'
        "    return order if isinstance(order, ApprovedOrder) else None\n"
    )
    assert list(violations(source)) == []


def approved() -> ApprovedOrder:
    decision = make_gate().check(make_intent(), make_account())
    assert isinstance(decision, ApprovedOrder)
    return decision


@pytest.mark.parametrize("token", [None, object(), "token", ApprovalToken])
def test_without_the_token_nothing_is_made(token: object) -> None:
    with pytest.raises(TypeError, match="approval token"):
        ApprovedOrder(make_intent(), (LimitCheck("a", "b", "c"),), token)  # type: ignore[arg-type]


def test_stored_submission_reads_back_as_a_record() -> None:
    name, written = tag(SubmitOrder(approved()))
    assert name == "RecordedSubmission"
    assert isinstance(written, RecordedSubmission)


def test_codec_cannot_build_an_approved_order() -> None:
    fields = {"intent": plain(make_intent()), "checks": [], "token": None}
    with pytest.raises(DataIntegrityError):
        untag("ApprovedOrder", fields)
    with pytest.raises(DataIntegrityError):
        untag("ApprovalToken", {})


def test_order_record_is_no_approved_order() -> None:
    assert not isinstance(OrderRecord(make_intent(), state="sent"), ApprovedOrder)  # type: ignore[arg-type]


def test_copies_made_in_tests_carry_the_same_intent() -> None:
    order = approved()
    for clone in (copy.copy(order), pickle.loads(pickle.dumps(order))):
        assert clone.intent == order.intent
    assert order.intent.ts_decided == NOON
