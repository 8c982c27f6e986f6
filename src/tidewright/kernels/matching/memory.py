"""Flat arrays as bare addresses inside compiled steps, and bits of words.

A compiled step that takes an array counts its references on the way in and out, which costs several
times a step of a few nanoseconds. An address costs nothing. The loop that takes the arrays from its
caller keeps them alive while the steps work on their addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tidewright.kernels.matching.layout import Float32, Float64, Int64

_Emit = Callable[[Any, Any, Any, Any], Any]


def _address(typing: Any, array: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        proxy = cast("Any", cgutils).create_struct_proxy(signature.args[0])
        return proxy(context, builder, value=values[0]).data

    return cast("Any", types).CPointer(array.dtype)(array), emit


def _onward(typing: Any, words: Any, places: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        return builder.gep(values[0], [values[1]])

    return words(words, types.int64), emit


def _prefetch(typing: Any, words: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        number = ir.IntType(32)
        place = builder.bitcast(values[0], ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        fetch = cast("Any", cgutils).get_or_insert_function(
            builder.module, kind, "llvm.prefetch.p0"
        )
        # For writing, to be kept in every cache, data and not code.
        builder.call(fetch, [place, *(ir.Constant(number, flag) for flag in (1, 3, 1))])
        return context.get_dummy_value()

    return types.none(words), emit


def _lowest_bit(typing: Any, word: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), emit


def _highest_bit(typing: Any, word: Any) -> tuple[Any, _Emit]:  # noqa: ANN401
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        zeros = builder.ctlz(values[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.int64), emit


address = cast("Callable[[Int64], Int64]", intrinsic(_address))
"""In a compiled step: the address of a contiguous int64 array, indexed like it."""
float_address = cast("Callable[[Float64], Float64]", intrinsic(_address))
"""In a compiled step: the address of a contiguous float64 array, indexed like it."""
small_address = cast("Callable[[Float32], Float32]", intrinsic(_address))
"""In a compiled step: the address of a contiguous float32 array, indexed like it."""
onward = cast("Callable[[Int64, int], Int64]", intrinsic(_onward))
"""In a compiled step: an address some places further on."""
float_onward = cast("Callable[[Float64, int], Float64]", intrinsic(_onward))
"""In a compiled step: a float64 address some places further on."""
small_onward = cast("Callable[[Float32, int], Float32]", intrinsic(_onward))
"""In a compiled step: a float32 address some places further on."""
prefetch = cast("Callable[[Int64 | Float64], None]", intrinsic(_prefetch))
"""In a compiled step: ask for the cache line of an address, long before it is needed."""
lowest_bit = cast("Callable[[int], int]", intrinsic(_lowest_bit))
"""In a compiled step: the place of the lowest bit set of a word that is not 0."""
highest_bit = cast("Callable[[int], int]", intrinsic(_highest_bit))
"""In a compiled step: the place of the highest bit set of a word that is not 0."""
