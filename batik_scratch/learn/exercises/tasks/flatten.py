"""flatten: the layer that only changes the shape; after lesson 2.

forward   Each image becomes one row; the images stay apart. NumPy's own order (H, then W, then C) is the wanted one.
          reshape works out one length by itself if you say -1.
          self._keep(x.shape, training, keep), then return x.reshape(len(x), -1).copy()
backward  No number was changed, only moved: so each gradient goes back to where its number came from.
          What must forward keep, for backward to know x's shape?
          return dy.reshape(self._recall()).copy(), where forward kept x.shape
"""

import numpy as np

from .... import nn
from ..compare import Suspects
from ..layer_questions import layer_exercise


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    n = len(x)
    channels_first = "The channels come first in each row; here they come last: H, then W, C."
    yield x.transpose(0, 3, 1, 2).reshape(n, -1), channels_first
    yield x.transpose(0, 2, 1, 3).reshape(n, -1), "Rows and columns are swapped: H comes first, then W, then C."
    mixed = "The values of different images are mixed: keep the first axis, reshape(len(x), -1), without order='F'."
    yield x.reshape(n, -1, order="F"), mixed
    yield x.reshape(-1, n).T, mixed


EXERCISE = layer_exercise(
    __doc__, nn.Flatten, [("maps of 3 x 4 x 2", (3, 4, 2)), ("maps of 1 x 5 x 3", (1, 5, 3))], _suspects
)
