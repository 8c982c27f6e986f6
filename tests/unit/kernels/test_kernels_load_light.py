"""A command that runs a kernel does not wait for libraries that no kernel uses."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from tidewright.kernels.integer import mul_div
assert mul_div(3, 5, 2) == 8
found = {"scipy.linalg", "cffi"} & sys.modules.keys()
import scipy.linalg
assert scipy.linalg.det([[2.0]]) == 2.0
print(sorted(found))
"""


def test_a_compiled_step_loads_neither_linear_algebra_nor_c_bindings_and_hides_neither() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
