"""relu: the rectified linear unit, both passes; after lesson 2.

forward   Each value for itself: it stays where it is positive, else it becomes 0.
          np.maximum takes the larger of two arrays place by place, and 0 counts as an array.
          self._keep(x > 0, training, keep), then return np.maximum(x, 0)
backward  Where x was positive, y = x, so the slope is 1; elsewhere y does not move at all.
          The gate belongs to the input x of the forward pass, not to dy: so forward must keep it.
          return dy * gate, where gate = self._recall() is x > 0 as forward kept it
special   At exactly 0 there is no slope, so a convention decides. Which one does the docstring name?
          x > 0 leaves 0 out, x >= 0 lets it in.
"""

import numpy as np

from .... import nn
from ..answer import Answer
from ..compare import Suspects
from ..exercise import Finding
from ..layer_questions import layer_exercise


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    yield np.minimum(x, 0), "Positive values are removed and negative ones kept: the other way round."
    yield np.abs(x), "Negative values change their sign; they must become zero."
    yield x, "Nothing is changed: negative values must become zero."
    yield (x > 0).astype(x.dtype), "This is the gate (0 or 1), not the output: where it is open, x itself passes."
    for slope in (0.01, 0.1, 0.2):
        yield np.where(x > 0, x, slope * x), "Negative values are made small (a leaky ReLU); they must become zero."


def shut_at_zero(answer: Answer) -> list[Finding]:
    """The convention at the kink."""
    layer = answer.thing()
    layer.forward(np.array([[-1.0, 0.0, 2.0]]), training=True)
    dx = np.asarray(layer.backward(np.ones((1, 3))))
    if dx[0, 1] == 0:
        return []
    sentence = "At x = 0 the gate is open; by convention it is shut there: x > 0, not x >= 0."
    return answer.found("special", sentence, (f"dx at x = 0 is {dx[0, 1]:g}",), at="forward")


EXERCISE = layer_exercise(
    __doc__, nn.ReLU, [("rows of 7", (7,)), ("maps of 4 x 5 x 3", (4, 5, 3))], _suspects, specials=[shut_at_zero]
)
