"""Numbers of 16 and 32 bits inside compiled kernels: bfloat16 is kept as its bits (uint16) and computed in float32.

A loop over `read` and `put` is the same for both, and LLVM makes vector instructions of it: no call, no branch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

_INT, _FLOAT = ir.IntType(32), ir.FloatType()


@intrinsic  # type: ignore[untyped-decorator]
def _bits_of(_: Any, x: Any) -> Any:  # noqa: ARG001  (numba looks at the names)
    """The bits of a float32 as a uint32."""
    return types.uint32(types.float32), lambda _, builder, __, given: builder.bitcast(given[0], _INT)


@intrinsic  # type: ignore[untyped-decorator]
def _float_of(_: Any, x: Any) -> Any:  # noqa: ARG001
    """The float32 with the given bits."""
    return types.float32(types.uint32), lambda _, builder, __, given: builder.bitcast(given[0], _FLOAT)


@intrinsic  # type: ignore[untyped-decorator]
def _whole(_: Any, x: Any) -> Any:  # noqa: ARG001
    """A float32 cut to an int32, towards zero. `np.int32(x)` goes by way of 64 bits, which halves the width of the vectors."""
    return types.int32(types.float32), lambda _, builder, __, given: builder.fptosi(given[0], _INT)


@njit(inline="always")  # type: ignore[untyped-decorator]
def ordered(x: Any) -> Any:
    """A float32 as an int32 that orders as it does: LLVM makes vectors of the largest of integers, not of floats."""
    bits = np.int32(_bits_of(x))
    return np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@njit(inline="always")  # type: ignore[untyped-decorator]
def unordered(x: Any) -> Any:
    """The other way round."""
    return _float_of(np.uint32(x ^ ((x >> np.int32(31)) & np.int32(0x7FFFFFFF))))


def read(x: Any) -> Any:
    """A number of an array as float32; a uint16 is the bits of a bfloat16."""
    raise NotImplementedError("compiled only")


@overload(read, inline="always", strict=False)
def _read(x: Any) -> Any:
    if x == types.uint16:
        return lambda x: _float_of(np.uint32(np.uint32(x) << np.uint32(16)))
    return lambda x: np.float32(x)


def put(array: Any, at: Any, x: Any) -> Any:
    """Write a float32 to a place of a one-dimensional array, rounded to the nearest, ties to even."""
    raise NotImplementedError("compiled only")


@overload(put, inline="always", strict=False)
def _put(array: Any, at: Any, x: Any) -> Any:  # noqa: ARG001
    if array.dtype == types.uint16:

        def narrow(array, at, x):  # type: ignore[no-untyped-def]
            bits = _bits_of(np.float32(x))
            array[at] = np.uint16(
                (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
            )

        return narrow

    def same(array, at, x):  # type: ignore[no-untyped-def]
        array[at] = x

    return same


def exp(x: Any) -> Any:
    """e to the power of a float32 between -87 and 88, to 3e-7 of its value: 2**i by its bits, 2**f by a polynomial of degree 6
    that was fitted on -1 to 1. Numba's own calls a library for each number."""
    raise NotImplementedError("compiled only")


@overload(exp, inline="always", strict=False)
def _exp(x: Any) -> Any:  # noqa: ARG001
    def power(x):  # type: ignore[no-untyped-def]
        f32 = np.float32
        t = min(max(x, f32(-87.0)), f32(88.0)) * f32(1.4426950408889634)
        whole = _whole(t)
        f = t - f32(whole)
        p = f32(0.00015173814264164283)
        p = p * f + f32(0.0013594790462359008)
        p = p * f + f32(0.009623815112212724)
        p = p * f + f32(0.055491601126304)
        p = p * f + f32(0.24022413626623268)
        p = p * f + f32(0.693148625805859)
        p = p * f + f32(1.000000134058459)
        return p * _float_of(np.uint32((whole + np.int32(127)) << np.int32(23)))

    return power
