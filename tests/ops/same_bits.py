"""Do bits depend on threads? `python tests/ops/same_bits.py` runs every parallel kernel with one, two and three.

It prints the ops whose bits differ.

A process of its own: numba's pool has three threads only if NUMBA_NUM_THREADS says so at the start.
"""

import numba
import numpy as np
from kernel_sizes import winograd_steps
from kernel_truth import DirtyWorkspace, Size, draw, images

from batik_scratch.ops import (
    adam,
    chunks,
    conv_direct,
    conv_im2col,
    conv_winograd,
    dense,
    direct_kernels,
    dropout,
    pooling,
    relu,
    threads,
)

LENGTH = 10007  # of the flat operations: a prime, so that no number of threads divides it


def fused(ops, size):
    x, kernel, bias = (array.astype("float32") for array in images(size))
    room = DirtyWorkspace()
    y = room.take("y", (size.n, (size.h - 2) // 2, (size.w - 2) // 2, size.f), "float32")
    winner = room.take("winner", ops.winner_shape(x.shape, size.f), np.uint8)
    ops.forward_pooled(x, kernel, bias, y, winner)
    dy = draw(y.shape)[0].astype("float32")
    return (y, *ops.backward_pooled(x, kernel, dy, winner, room.take("dx", x.shape, "float32"), True, room))


def convolution(ops, size):
    x, kernel, bias = (array.astype("float32") for array in images(size))
    y = ops.forward(x, kernel, bias)
    return (y, *ops.backward(x, kernel, draw(y.shape)[0].astype("float32")))


def product():
    x, w, b, dy = (
        a.astype("float32") for a in draw((5, 2 * dense.LARGE // 9), (2 * dense.LARGE // 9, 9), (9,), (5, 9))
    )
    assert not dense._plain_is_best(x, w)
    return (dense.forward(x, w, b), *dense.backward(x, w, dy))


def pooled():
    x = np.rint(draw((5, 11, 9, 3))[0]).astype("float32")
    y, winner = pooling.forward(x, (3, 2), (1, 2))
    return y, winner, pooling.backward(y, winner, x.shape, (3, 2), (1, 2))


def flat():
    w, g, m, v = (array.astype("float32") for array in draw(*[(LENGTH,)] * 4))
    y, gate = relu.forward(w)
    bits = np.random.default_rng(0).integers(0, 2**16, LENGTH, np.uint16)
    dropped = dropout.forward(w, bits, 0.3)
    v = np.abs(v)
    adam.update(w, g, m, v, 1e-2, 0.9, 0.999, 1e-7)
    return y, gate, relu.backward(g, gate), *dropped, w, m, v


direct = Size(2 * chunks.CHUNKS + 1, 2 * direct_kernels.ROWS + 7, 10, 2, 3)
RUNS = {
    "conv_direct": lambda: fused(conv_direct, direct),
    "conv_winograd": lambda: fused(conv_winograd, winograd_steps()[3][0]),
    "conv_winograd of one image": lambda: fused(conv_winograd, winograd_steps()[1][0]),
    "conv_winograd unpooled": lambda: convolution(conv_winograd, Size(19, 14, 17, 3, 5)),
    "conv_direct unpooled": lambda: convolution(conv_direct, direct),
    "conv_im2col": lambda: convolution(conv_im2col, Size(19, 14, 17, 3, 5)),
    "dense": product,
    "pooling": pooled,
    "flat": flat,
}


def main() -> None:
    threads.allowed = lambda: 3  # on two processors, too
    for name, run in RUNS.items():
        results = []
        for number in (1, 2, 3):
            numba.set_num_threads(number)
            assert threads.count() == number
            results.append([np.copy(array) for array in run()])
        for other in results[1:]:
            if not all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True)):
                print(name)


if __name__ == "__main__":
    main()
