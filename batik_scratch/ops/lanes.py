"""Lanes: one instruction of the processor that does the same to several numbers side by side.

A vector register holds LANES float32 numbers: 16 with AVX-512, 8 with AVX2, 4 elsewhere. A compiler finds such
instructions by itself where a loop runs over numbers that lie side by side in memory. It cannot keep the sums of such a
loop in registers while another loop runs around it, and this is what a convolution of few channels needs. So here
lanes are values that a kernel names:

    load(numbers, at)         LANES numbers from place `at` on
    spread(numbers, at)       the number at `at`, in every lane
    store(numbers, at, v)     write the lanes of v to place `at` and those behind it
    v + a, v - a, -v, 2 * v   lane by lane
    add_product(v, a, b)      v + a b, lane by lane: one instruction on a processor that has a fused one
    larger(a, b)              a in the lanes where a > b, b in the others and where one of them is NaN
    choose(a, b, yes, no)     `yes` in the lanes where a >= b, `no` in the others and where one of them is NaN
    keep(v, bytes, at, q)     v in the lanes where the byte is q, 0 in the others

    load            4 5 6 7         spread          3 3 3 3
                    + + + +                         * * * *
    add_product     the same four sums at once      v + a b

Python runs these functions on small arrays, which is their meaning; numba puts vectors of LLVM in their place. LLVM
splits a vector that is longer than the processor's, so any LANES is right on any machine, and no result hangs on it:
lanes never meet.
"""

import operator
from typing import Any

import numpy as np

from .jit import plain_reason, stamped

COMPILED = plain_reason() is None
if COMPILED:
    import llvmlite.binding  # type: ignore[import-untyped]
    import numba
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic, models, overload, register_model


def _native_lanes() -> int:
    """How many float32 numbers a vector register holds of the processor that numba compiles for."""
    if not COMPILED:
        return 4
    named: str | None = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    features = named if named is not None else llvmlite.binding.get_host_cpu_features().flatten()
    have = features.split(",")
    return 16 if "+avx512f" in have else 8 if "+avx" in have else 4


LANES = _native_lanes()


LINE_OF_CACHE = 64  # bytes


def aligned(numbers: np.ndarray) -> np.ndarray:
    """A flat copy that begins where a line of the cache does: a vector that lies across two takes twice as long."""
    room = np.empty(numbers.size + LINE_OF_CACHE // numbers.itemsize, numbers.dtype)
    first = -room.ctypes.data % LINE_OF_CACHE // numbers.itemsize
    line = room[first : first + numbers.size]
    line.reshape(numbers.shape)[:] = numbers
    return line


@stamped
def load(numbers: np.ndarray, at: int) -> Any:
    """LANES numbers of a line, from place `at` on."""
    return numbers[at : at + LANES].copy()


@stamped
def spread(numbers: np.ndarray, at: int) -> Any:
    """The number at place `at` of a line, in every lane."""
    return np.full(LANES, numbers[at])


@stamped
def store(numbers: np.ndarray, at: int, v: Any) -> None:
    """Write the lanes of v to a line, from place `at` on; a line of bytes takes them as whole numbers."""
    numbers[at : at + LANES] = v


@stamped
def add_product(v: Any, a: Any, b: Any) -> Any:
    """v + a b."""
    return v + a * b


@stamped
def larger(a: Any, b: Any) -> Any:
    """a where a > b, else b: so also where a or b is NaN."""
    return np.where(a > b, a, b)


@stamped
def choose(a: Any, b: Any, yes: Any, no: Any) -> Any:
    """`yes` where a >= b, else `no`: so also where a or b is NaN."""
    return np.where(a >= b, yes, no)


@stamped
def keep(v: Any, numbers: np.ndarray, at: int, q: int) -> Any:
    """v where the line of bytes has the number q, from place `at` on; 0 elsewhere."""
    return np.where(numbers[at : at + LANES] == q, v, v.dtype.type(0))


if COMPILED:

    class _Lanes(types.Type):
        """The type of LANES numbers in a register."""

        def __init__(self, number: Any) -> None:
            self.number = number
            super().__init__(name=f"{LANES} lanes of {number}")

    @register_model(_Lanes)
    class _LanesModel(models.PrimitiveModel):
        def __init__(self, manager: Any, lanes: Any) -> None:
            number = manager.lookup(lanes.number).get_value_type()
            super().__init__(manager, lanes, ir.VectorType(number, LANES))

    def _place(context, builder, line_type, line, at):
        """A pointer to place `at` of a line."""
        data = context.make_array(line_type)(context, builder, line).data
        return builder.gep(data, [at])

    def _vector_at(context, builder, line_type, line, at):
        vector = context.get_value_type(_Lanes(line_type.dtype))
        return builder.bitcast(_place(context, builder, line_type, line, at), vector.as_pointer())

    def _in_all_lanes(builder, number, vector):
        undefined = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(first, undefined, everywhere)

    @intrinsic
    def _load(typing, numbers, at):
        def code(context, builder, signature, values):
            pointer = _vector_at(context, builder, signature.args[0], values[0], values[1])
            return builder.load(pointer, align=numbers.dtype.bitwidth // 8)

        return _Lanes(numbers.dtype)(numbers, types.intp), code

    @intrinsic
    def _spread(typing, numbers, at):
        def code(context, builder, signature, values):
            number = builder.load(_place(context, builder, signature.args[0], values[0], values[1]))
            return _in_all_lanes(builder, number, context.get_value_type(signature.return_type))

        return _Lanes(numbers.dtype)(numbers, types.intp), code

    @intrinsic
    def _store(typing, numbers, at, v):
        def code(context, builder, signature, values):
            pointer = _vector_at(context, builder, signature.args[0], values[0], values[1])
            lanes = values[2]
            if numbers.dtype != v.number:
                lanes = builder.fptoui(lanes, context.get_value_type(_Lanes(numbers.dtype)))
            builder.store(lanes, pointer, align=numbers.dtype.bitwidth // 8)
            return context.get_dummy_value()

        return types.void(numbers, types.intp, v), code

    @intrinsic
    def _add_product(typing, v, a, b):
        def code(context, builder, signature, values):
            vector = context.get_value_type(v)
            name = f"llvm.fmuladd.v{LANES}f{v.number.bitwidth}"
            function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
            return builder.call(function, [values[1], values[2], values[0]])

        return v(v, a, b), code

    @intrinsic
    def _larger(typing, a, b):
        def code(context, builder, signature, values):
            return builder.select(builder.fcmp_ordered(">", *values), *values)

        return a(a, b), code

    @intrinsic
    def _choose(typing, a, b, yes, no):
        def code(context, builder, signature, values):
            return builder.select(builder.fcmp_ordered(">=", values[0], values[1]), values[2], values[3])

        return a(a, b, yes, no), code

    @intrinsic
    def _keep(typing, v, numbers, at, q):
        def code(context, builder, signature, values):
            lanes, line, place, number = values
            byte = context.get_value_type(_Lanes(numbers.dtype))
            found = builder.load(_vector_at(context, builder, signature.args[1], line, place), align=1)
            wanted = _in_all_lanes(builder, builder.trunc(number, byte.element), byte)
            nothing = ir.Constant(context.get_value_type(v), None)
            return builder.select(builder.icmp_unsigned("==", found, wanted), lanes, nothing)

        return v(v, numbers, types.intp, types.intp), code

    @intrinsic
    def _plus(typing, a, b):
        return a(a, b), lambda context, builder, signature, values: builder.fadd(*values)

    @intrinsic
    def _minus(typing, a, b):
        return a(a, b), lambda context, builder, signature, values: builder.fsub(*values)

    @intrinsic
    def _negative(typing, a):
        return a(a), lambda context, builder, signature, values: builder.fneg(*values)

    @intrinsic
    def _times(typing, number, a):
        def code(context, builder, signature, values):
            return builder.fmul(_in_all_lanes(builder, values[0], context.get_value_type(a)), values[1])

        return a(a.number, a), code

    @overload(load)
    def _(numbers, at):
        return lambda numbers, at: _load(numbers, at)  # type: ignore[call-arg]

    @overload(spread)
    def _(numbers, at):
        return lambda numbers, at: _spread(numbers, at)  # type: ignore[call-arg]

    @overload(store)
    def _(numbers, at, v):
        return lambda numbers, at, v: _store(numbers, at, v)  # type: ignore[call-arg]

    @overload(add_product)
    def _(v, a, b):
        return lambda v, a, b: _add_product(v, a, b)  # type: ignore[call-arg]

    @overload(larger)
    def _(a, b):
        return lambda a, b: _larger(a, b)  # type: ignore[call-arg]

    @overload(choose)
    def _(a, b, yes, no):
        return lambda a, b, yes, no: _choose(a, b, yes, no)  # type: ignore[call-arg]

    @overload(keep)
    def _(v, numbers, at, q):
        return lambda v, numbers, at, q: _keep(v, numbers, at, q)  # type: ignore[call-arg]

    @overload(operator.add)
    def _(a, b):
        return (lambda a, b: _plus(a, b)) if isinstance(a, _Lanes) else None  # type: ignore[call-arg]

    @overload(operator.sub)
    def _(a, b):
        return (lambda a, b: _minus(a, b)) if isinstance(a, _Lanes) else None  # type: ignore[call-arg]

    @overload(operator.neg)
    def _(a):
        return (lambda a: _negative(a)) if isinstance(a, _Lanes) else None  # type: ignore[call-arg]

    @overload(operator.mul)
    def _(a, b):
        return (lambda a, b: _times(a, b)) if isinstance(b, _Lanes) else None  # type: ignore[call-arg]
