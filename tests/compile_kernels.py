"""Compile the kernels of one dtype: `python tests/compile_kernels.py float32`; conftest.py does it for both at once."""

import sys

import numpy as np

from batik_scratch import nn
from batik_scratch.ops import conv_direct, conv_loops, conv_winograd


def compile_kernels(dtype: str) -> None:
    """Walk through each algorithm once, the layers one by one and as fused steps, in both directions."""
    rng = np.random.default_rng(0)
    x = rng.random((2, 20, 20, 3)).astype(dtype)  # (N, H, W, C)
    for algorithm in ("auto", "im2col"):
        model = nn.paper_cnn((70, 70, 3), random_state=0, dtype=dtype, algorithm=algorithm)
        model.compile(nn.Adam())
        large = rng.random((1, 70, 70, 3)).astype(dtype)
        model.fit(large, np.zeros(1, int), verbose=0)  # the dense layer is large enough to be split
        dx = model.backward(model.forward(large, training=True), need_dx=True)
        assert dx.dtype == dtype
    kernel, bias = rng.random((3, 3, 3, 2)).astype(dtype), rng.random(2).astype(dtype)
    for ops in (conv_direct, conv_winograd):  # without pooling, too
        ops.backward(x, kernel, ops.forward(x, kernel, bias))
    for layer in (nn.Absolute(), nn.AveragePooling2D(), nn.BatchNormalization(), nn.Standardization()):
        layer.astype(dtype).build(x.shape[1:], rng)
        layer.backward(layer.forward(x, training=True))
    for strides in ((), ((1, 1),)):
        conv_loops.backward(x, kernel, conv_loops.forward(x, kernel, bias, *strides), *strides)


if __name__ == "__main__":
    compile_kernels(sys.argv[1])
