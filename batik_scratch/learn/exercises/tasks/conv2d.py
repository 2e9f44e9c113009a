"""conv2d: the convolution, both passes, with strides; after lessons 4, 5, 6.

forward   Write the docstring's sum as loops first: n, i, j, f outside, u, v, c inside. Slow is right.
          Window (i, j) begins at row i*sh, column j*sw, and there are (H - kh) // sh + 1 of them below each other.
          y[n, i, j, f] = (x[n, i*sh : i*sh + kh, j*sw : j*sw + kw] * kernel[..., f]).sum() + bias[f]
kernel    Look at the forward line: W[u, v, c, f] is multiplied by X[n, i*sh+u, j*sw+v, c] to make Y[n, i, j, f].
          So it collects that X times dY[n, i, j, f], over every n, i, j: the same loops, += into dkernel.
          dkernel[u, v, c, f] += x[n, i*sh + u, j*sw + v, c] * dy[n, i, j, f]
bias      b[f] is added to every output of filter f: every image, every place.
          Sum dy (N, OH, OW, F) over every axis but the last.
          self.grads["bias"] = dy.sum(axis=(0, 1, 2))
backward  In forward a pixel was read by several windows. Each of them sends a share of the gradient back.
          The same loops again, += into dx: what was multiplied by W on the way up is multiplied by W on the way down.
          dx[n, i*sh + u, j*sw + v, c] += kernel[u, v, c, f] * dy[n, i, j, f]
"""

import numpy as np

from .... import nn
from ....ops.conv_im2col import forward_plain
from ..compare import Suspects
from ..layer_questions import layer_exercise


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    assert isinstance(layer, nn.Conv2D)
    kernel, bias = layer.params["kernel"], layer.params["bias"]
    kh, kw, channels, _ = kernel.shape

    def by(kernel: np.ndarray) -> np.ndarray:
        return forward_plain(x, kernel, 0 * bias, layer.strides)

    yield y - bias, "The bias is not added."
    mixed = "The sum runs over the images too: each image has an output of its own, sum over axes 1, 2, 3 of a window."
    yield np.broadcast_to((y - bias).sum(axis=0), y.shape) + bias, mixed
    count = kh * kw * channels
    yield y + (count - 1) * bias, "The bias is added for every product; it belongs once to each output."
    yield y + (kh * kw - 1) * bias, "The bias is added at every place of the kernel; it belongs once to each output."
    turned = "The kernel is turned by 180 degrees; here it is not (cross-correlation, as everywhere in deep learning)."
    yield by(np.ascontiguousarray(kernel[::-1, ::-1])) + bias, turned
    if kh == kw:
        yield by(kernel.transpose(1, 0, 2, 3)) + bias, "Rows and columns of the kernel are swapped."
    first, last = np.zeros_like(kernel), np.zeros_like(kernel)
    first[:, :, 0], last[-1, -1] = kernel[:, :, 0], kernel[-1, -1]
    yield by(first) + bias, "Only the first channel is used: sum over all channels."
    for added in (bias, 0 * bias):
        yield by(last) + added, "Only the kernel's last place counts: add up over the places (+=, not =)."
    yield (y - bias) / count + bias, "This is the window's mean; a convolution is its sum."
    dense_windows = forward_plain(x, kernel, bias)[:, : y.shape[1], : y.shape[2]]
    yield dense_windows, "The stride is ignored: window (i, j) begins at (i*sh, j*sw)."


EXERCISE = layer_exercise(
    __doc__,
    nn.Conv2D,
    [  # as small as they can be: plain Python loops are a right answer, and the doctor runs them a thousand times
        ("a 3 x 3 kernel at stride 1", (4, 5, 2), {"filters": 3, "kernel_size": 3}),
        ("a 2 x 3 kernel at stride 1", (3, 5, 3), {"filters": 2, "kernel_size": (2, 3)}),
        ("a 3 x 2 kernel at strides 1, 2", (4, 6, 2), {"filters": 3, "kernel_size": (3, 2), "strides": (1, 2)}),
        ("2 x 2 at stride 3, a row left over", (6, 8, 1), {"filters": 2, "kernel_size": 2, "strides": 3}),
    ],
    _suspects,
)
