"""max_pooling2d: max-pooling, both passes, with overlaps and ties; after lessons 4, 7.

forward   Window (i, j) begins at row i*sh, column j*sw and is ph x pw large; take its maximum, channel by channel.
          x[:, i*sh : i*sh + ph, j*sw : j*sw + pw] is that window of all images and channels: (N, ph, pw, C).
          y[:, i, j] = window.max(axis=(1, 2)), in two loops over i and j
backward  Only the winner of a window had any influence on the output: it gets all of dy there, the others nothing.
          A pixel that wins in two overlapping windows collects from both: +=, into zeros of x's shape.
          winner = window.reshape(N, ph*pw, C).argmax(axis=1); its row is i*sh + winner // pw, its column
            j*sw + winner % pw
special   `window == window.max()` is true at several places where values are equal.
          argmax names one place only: the first.
"""

import numpy as np

from .... import nn
from ..answer import Answer
from ..compare import Suspects
from ..exercise import Finding
from ..layer_questions import layer_exercise


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    assert isinstance(layer, nn.MaxPooling2D)
    (ph, pw), (sh, sw) = layer.pool_size, layer.strides
    every = np.lib.stride_tricks.sliding_window_view(x, (ph, pw), axis=(1, 2))  # (N, H-ph+1, W-pw+1, C, ph, pw)
    windows = every[:, ::sh, ::sw]
    yield windows.mean(axis=(4, 5)), "This is each window's mean; wanted is its largest value."
    yield windows.min(axis=(4, 5)), "This is each window's smallest value; wanted is the largest."
    yield np.abs(windows).max(axis=(4, 5)), "This is the largest size without sign; wanted is the largest value."
    yield np.maximum(y, 0), "Negative maxima become 0: begin with the window's first value, or -np.inf, not with 0."
    largest = np.broadcast_to(windows.max(axis=(3, 4, 5))[..., None], y.shape)
    yield largest, "All channels get the same value: the maximum is taken in each channel for itself."
    dense_windows = every.max(axis=(4, 5))[:, : y.shape[1], : y.shape[2]]
    yield dense_windows, "The stride is ignored: window (i, j) begins at (i*sh, j*sw)."
    if ph * sh <= x.shape[1]:
        yield x[:, ::sh, ::sw][:, : y.shape[1], : y.shape[2]], "This is each window's first value, not its largest."


def first_of_equals(answer: Answer) -> list[Finding]:
    """The convention for ties."""
    layer = answer.thing(2)
    layer.build((2, 2, 1), np.random.default_rng(0))
    layer.forward(np.zeros((1, 2, 2, 1)), training=True)
    dx = np.asarray(layer.backward(np.ones((1, 1, 1, 1)))).ravel()
    if dx.tolist() == [1, 0, 0, 0]:
        return []
    details = (f"a window of four zeros, upstream gradient 1: dx is {dx.tolist()}, should be [1, 0, 0, 0]",)
    sentence = "Where several values are equally large, only the first one in reading order gets the gradient."
    return answer.found("special", sentence, details)


EXERCISE = layer_exercise(
    __doc__,
    nn.MaxPooling2D,
    [
        ("2 x 2 windows side by side", (4, 6, 3), {"pool_size": 2}),
        ("2 x 2 windows, a row and a column left over", (5, 7, 2), {"pool_size": 2}),
        ("3 x 2 windows at strides 2, 1, which overlap", (7, 5, 2), {"pool_size": (3, 2), "strides": (2, 1)}),
    ],
    _suspects,
    specials=[first_of_equals],
)
