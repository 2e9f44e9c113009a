"""The kernels in lanes for another processor than this one: `python tests/ops/lanes_elsewhere.py`.

NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, or BATIK_SCRATCH_PLAIN=1, choose it. Prints the lanes, and fails if a number is
wrong. A process of its own: numba reads these at its start.
"""

from guarded_memory import GuardedNumPy
from kernel_truth import Size, check_convolution, check_fused

from batik_scratch.ops import (
    chunks,
    conv_direct,
    conv_winograd,
    direct_kernels,
    direct_squares,
    lanes,
    winograd_kernels,
    winograd_transforms,
    workspace,
)
from batik_scratch.ops.jit import plain_reason
from batik_scratch.ops.lanes import LANES


def kernels_in_python(width: int) -> None:
    """Without numba the package never enters its kernels: enter them here, on images that Python can do.

    Python checks what numba does not: a vector that is read or written beyond its line is too short there. And memory
    that a kernel asks for is full of NaN, so what it forgets to fill shows.
    """
    for module in (lanes, conv_direct, direct_kernels, direct_squares, winograd_kernels, winograd_transforms):
        module.LANES = width
    sizes = [(7, 9, 1, 1), (8, 6, width // 4 + 1, width), (5, 7, width + 1, width + 1), (6, 4, 2, 2 * width + 1)]
    for ops, kernels in ((conv_direct, direct_kernels), (conv_winograd, winograd_kernels)):
        ops.plain_reason, ops.runs_plain = lambda: None, lambda x: False
        ops.np = kernels.np = workspace.np = memory = GuardedNumPy()
        for size in sizes:
            check_fused(ops, Size(2, *size), dtypes=("float64",))
            check_convolution(ops, Size(2, *size), dtypes=("float64",))
        check_convolution(ops, Size(1, 3, 3, 1, 1), dtypes=("float64",))  # one output: its square lies half outside
        memory.assert_intact()
    direct_kernels.ROWS, conv_winograd._tile_rows = 2, lambda across, channels, filters: 2  # and what is left over
    check_fused(conv_direct, Size(1, 9, 6, 1, 1), dtypes=("float64",))
    check_convolution(conv_direct, Size(1, 7, 5, 1, 1), dtypes=("float64",))
    check_fused(conv_winograd, Size(chunks.CHUNKS + 1, 11, 5, 1, 1), dtypes=("float64",))
    conv_winograd.ENOUGH_TILES = 1  # parts that end inside an image
    check_fused(conv_winograd, Size(1, 19, 6, 1, 1), dtypes=("float64",))
    check_convolution(conv_winograd, Size(2, 11, 6, 1, 1), dtypes=("float64",))


def main() -> None:
    if plain_reason() is not None:
        kernels_in_python(LANES)
        kernels_in_python(2 * LANES)  # with four lanes four pixels are whole vectors, of however many channels
    else:
        for filters in (1, LANES, 2 * LANES + 3):
            for channels in (1, 3):
                check_fused(conv_direct, Size(2, 8, 9, channels, filters), dtypes=("float32",))
                check_convolution(conv_direct, Size(2, 7, 8, channels, filters), dtypes=("float32",))
        for filters, channels in ((1, 1), (LANES + 1, LANES), (3, LANES + 1)):
            check_fused(conv_winograd, Size(2, 8, 13, channels, filters), dtypes=("float32",))
            check_convolution(conv_winograd, Size(2, 7, 8, channels, filters), dtypes=("float32",))
    print(LANES)


if __name__ == "__main__":
    main()
