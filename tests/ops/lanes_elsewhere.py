"""The direct convolution for another processor than this one: `python tests/ops/lanes_elsewhere.py`.

NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, or BATIK_SCRATCH_PLAIN=1, choose it. Prints the lanes, and fails if a number is
wrong. A process of its own: numba reads these at its start.
"""

import numpy as np
from kernel_truth import Size, check_convolution, check_fused, draw, images

from batik_scratch.ops import conv_direct, direct_kernels
from batik_scratch.ops.jit import plain_reason
from batik_scratch.ops.lanes import LANES


def kernels_in_python() -> None:
    """Without numba the package never enters its kernels: enter them here, on images that Python can do."""
    for size in (Size(1, 6, 5, 2, LANES + 1), Size(1, 5, 6, 1, 2 * LANES)):
        x, kernel, bias = images(size)
        padded = -(-size.f // LANES) * LANES
        y, won = conv_direct.forward_pooled_plain(x, kernel, bias)
        got, winner = np.empty(y.shape), np.empty((size.n, y.shape[1], y.shape[2] * padded), np.uint8)
        k, b = conv_direct._by_vector(kernel), conv_direct._padded(bias)
        direct_kernels.forward_pooled(x, k, b, np.arange(5.0), got, winner)
        np.testing.assert_allclose(got, y, rtol=0, atol=1e-12)
        assert np.array_equal(winner.reshape(*y.shape[:3], padded)[..., : size.f], won)
        dy = draw(y.shape)[0]
        dx, dk = np.empty(x.shape), np.empty((direct_kernels.CHUNKS, padded // LANES, size.c, 9 * LANES))
        dbias = np.empty((direct_kernels.CHUNKS, padded))
        direct_kernels.backward(x, conv_direct._in_squares(kernel), dy, padded, True, winner, dx, dk, dbias)
        truth = conv_direct.backward_pooled_plain(x, kernel, dy, won)
        dkernel = dk.sum(axis=0).reshape(-1, size.c, 3, 3, LANES).transpose(2, 3, 1, 0, 4).reshape(3, 3, size.c, padded)
        for array, expected in zip((dx, dkernel[..., : size.f], dbias.sum(axis=0)[: size.f]), truth, strict=True):
            np.testing.assert_allclose(array, expected, rtol=0, atol=1e-12)


def main() -> None:
    if plain_reason() is not None:
        kernels_in_python()
    else:
        for filters in (1, LANES, 2 * LANES + 3):
            for channels in (1, 3):
                check_fused(conv_direct, Size(2, 8, 9, channels, filters), dtypes=("float32",))
                check_convolution(conv_direct, Size(2, 7, 8, channels, filters), dtypes=("float32",))
    print(LANES)


if __name__ == "__main__":
    main()
