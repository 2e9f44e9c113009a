"""dense: the fully connected layer, both passes; after lessons 1, 2.

forward   One image is a row x (D,). Unit u computes the sum over d of x[d] W[d, u], plus b[u].
          All images and units at once are one matrix product: (N, D) @ (D, U) is (N, U).
          y = x @ self.params["kernel"] + self.params["bias"]; and keep x before you return.
kernel    dW has W's shape (D, U). Entry (d, u) collects, over all images, input d times upstream gradient u.
          A sum over the images is a product whose inner axis is N: which of x (N, D) and dy (N, U) must be turned?
          self.grads["kernel"] = x.T @ dy. No division by N: the loss has done that.
bias      The bias of unit u is added to every image's output u: so it collects the gradient of every image.
          Sum dy (N, U) over the axis that is not in b (U,).
          self.grads["bias"] = dy.sum(axis=0)
backward  Input d reaches the loss through every unit u, with weight W[d, u]: add up over the units.
          dX (N, D) from dY (N, U) and W (D, U): the inner axis of the product is U.
          return dy @ self.params["kernel"].T
"""

import numpy as np

from .... import nn
from ..compare import Suspects
from ..layer_questions import layer_exercise


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    kernel, bias = layer.params["kernel"], layer.params["bias"]
    yield x @ kernel, "The bias is not added."
    yield x @ kernel - bias, "The bias is subtracted instead of added."
    yield np.maximum(y, 0), "Negative outputs are cut off; the activation is a layer of its own."
    yield y / len(x), "The output is divided by the number of images; only the loss does that."


EXERCISE = layer_exercise(
    __doc__,
    nn.Dense,
    [("5 features, 4 units", (5,), {"units": 4}), ("7 features, 1 unit", (7,), {"units": 1})],
    _suspects,
)
