"""Instructions of the machine that Python's integers do not offer, for compiled steps alone.

A sum that says whether it wrapped and a product of 128 bits are one instruction each; written out
in 64-bit arithmetic they are a dozen, and steps that count money take them by the hundred.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

_Emit = Callable[[Any, Any, Any, Any], Any]
_WORD = ir.IntType(64)
_WIDE = ir.IntType(128)
_FLAG = ir.IntType(32)
_PREFETCH = "llvm.prefetch.p0"
_PAIR: Any = cast("Any", types).UniTuple(types.uint64, 2)
_CHECKED: Any = cast("Any", types).Tuple((types.int64, types.boolean))


def _product_halves(typing: Any, a: Any, b: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        wide = builder.mul(builder.zext(values[0], _WIDE), builder.zext(values[1], _WIDE))
        high = builder.trunc(builder.lshr(wide, ir.Constant(_WIDE, 64)), _WORD)
        return context.make_tuple(builder, _PAIR, (high, builder.trunc(wide, _WORD)))

    return _PAIR(types.uint64, types.uint64), emit


def _wrapping_sum(typing: Any, a: Any, b: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        found = builder.sadd_with_overflow(*values)
        parts = builder.extract_value(found, 0), builder.extract_value(found, 1)
        return context.make_tuple(builder, _CHECKED, parts)

    return _CHECKED(types.int64, types.int64), emit


def _wrapping_product(typing: Any, a: Any, b: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        found = builder.smul_with_overflow(*values)
        parts = builder.extract_value(found, 0), builder.extract_value(found, 1)
        return context.make_tuple(builder, _CHECKED, parts)

    return _CHECKED(types.int64, types.int64), emit


def _fetch(typing: Any, column: Any, row: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        proxy = cast("Any", cgutils).create_struct_proxy(signature.args[0])
        data = proxy(context, builder, value=values[0]).data
        bytes_at = builder.bitcast(builder.gep(data, [values[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [bytes_at.type, _FLAG, _FLAG, _FLAG])
        call = cast("Any", cgutils).get_or_insert_function(builder.module, kind, _PREFETCH)
        # To read, into every level of the cache, data.
        builder.call(call, [bytes_at, _FLAG(0), _FLAG(3), _FLAG(1)])
        return context.get_dummy_value()

    return types.void(column, types.int64), emit


product_halves = cast(
    "Callable[[np.uint64, np.uint64], tuple[np.uint64, np.uint64]]", intrinsic(_product_halves)
)
"""In a compiled step: the high and low halves of the 128-bit product of two uint64."""
wrapping_sum = cast("Callable[[int, int], tuple[int, bool]]", intrinsic(_wrapping_sum))
"""In a compiled step: the low 64 bits of a sum of two int64, and whether it left int64."""
wrapping_product = cast("Callable[[int, int], tuple[int, bool]]", intrinsic(_wrapping_product))
"""In a compiled step: the low 64 bits of a product of two int64, and whether it left int64."""
fetch = cast("Callable[[NDArray[np.int64] | NDArray[np.float64], int], None]", intrinsic(_fetch))
"""In a compiled step: begin to bring an element of a contiguous array into the cache."""
