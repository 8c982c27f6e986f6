"""Size limits: functions of at most 80 lines, files of at most 800.

Small pieces can be read and tested; a limit that a machine holds needs no argument.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_LINES = 80
FILE_LINES = 800
PYTHON_FOLDERS = ("src", "tests", "scripts", "benchmarks", "examples")
PAGE_FOLDER = "ui/src"
PAGE_SUFFIXES = frozenset({".ts", ".tsx", ".css"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def too_long(path: Path) -> Iterator[str]:
    """Yield one line of text for each limit that a file breaks."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n") + 1
    if lines > FILE_LINES:
        yield f"{path}: the file has {lines} lines; at most {FILE_LINES} are allowed"
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield (
                    f"{path}:{node.lineno}: function {node.name} has {length} lines; "
                    f"at most {FUNCTION_LINES} are allowed"
                )


def files(root: Path = ROOT) -> Iterator[Path]:
    """Yield the files that people write, generated ones left out."""
    for folder in PYTHON_FOLDERS:
        yield from sorted((root / folder).rglob("*.py"))
    for path in sorted((root / PAGE_FOLDER).rglob("*")):
        if path.suffix in PAGE_SUFFIXES and not path.name.endswith(".d.ts"):
            yield path


def violations(root: Path = ROOT) -> list[str]:
    """Return one line of text for each broken limit."""
    return [line for path in files(root) for line in too_long(path)]


def main() -> int:
    """Print what is too long and return the exit code."""
    found = violations()
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
