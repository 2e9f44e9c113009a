"""global_average_pooling2d: the mean of each channel, both passes; after lessons 2, 7.

forward   One number per image and channel: the mean over height and width.
          NumPy's mean takes several axes at once: which two of (N, H, W, C)?
          self._keep(x.shape, training, keep), then return x.mean(axis=(1, 2))
backward  The mean of H*W numbers: raise one of them by 1, and the mean rises by 1/(H*W).
          So every place of a channel gets the same: dy[n, c] / (H*W). The places are gone from dy: put two axes back.
          np.broadcast_to(dy[:, None, None, :] / (h * w), shape).copy()
"""

import numpy as np

from .... import nn
from ..compare import Suspects
from ..layer_questions import layer_exercise


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    yield x.sum(axis=(1, 2)), "This is the sum over the image; wanted is the mean."
    yield x.max(axis=(1, 2)), "This is the largest value of each channel; wanted is the mean."
    yield x.sum(axis=(1, 2)) / x.shape[1], "The sum is divided by H alone; there are H*W places."
    yield x.sum(axis=(1, 2)) / x.shape[2], "The sum is divided by W alone; there are H*W places."
    yield y / x.shape[3], "The mean is divided by the number of channels too; each channel has a mean of its own."


EXERCISE = layer_exercise(
    __doc__, nn.GlobalAveragePooling2D, [("maps of 4 x 5 x 3", (4, 5, 3)), ("maps of 1 x 6 x 2", (1, 6, 2))], _suspects
)
