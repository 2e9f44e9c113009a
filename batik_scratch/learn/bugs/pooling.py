"""Poolings that send the gradient to the wrong place."""

import numpy as np

from ...nn import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from .exhibit import IMAGE, hang


@hang(MaxPooling2D(3, strides=1), "dx", "only the last overlap kept", IMAGE)
def OverlappingPoolAssigned(self, dy, dx):
    """`dx[winners] = dy` (or `+=` with index arrays): a pixel that wins in two windows gets the last one's gradient.

    Looks right   for windows that do not overlap, which is the usual pool; and `+=` looks as if it added.
    The check     has windows of 3 at stride 1, where a large pixel wins several times.
    Numbers       each wrong value is the dy of the last window that the pixel won; np.add.at adds them all.
    """
    winner, shape = self._recall()
    wrong = np.zeros(shape)
    n, i, j, c = np.indices(winner.shape)
    rows = i * self.strides[0] + winner // self.pool_size[1]
    columns = j * self.strides[1] + winner % self.pool_size[1]
    wrong[n, rows, columns, c] = dy
    return wrong


@hang(MaxPooling2D(2), "dx", "mask missing", (6, 6, 2))
def PoolSharesAmongAll(self, dy, dx):
    """The gradient of the mean in place of the maximum's: all places of a window share dy.

    Looks right   the total is right, window by window, and dx looks like a softer version of the true one.
    The check     nudges a pixel that is not the largest: nothing happens to y, and dx says something should.
    Numbers       where the true dx is zero this one is not; at the winners it is 1/4 of it.
    """
    wrong = np.zeros_like(dx)
    for u in range(self.pool_size[0]):
        for v in range(self.pool_size[1]):
            rows = slice(u, u + dy.shape[1] * self.strides[0], self.strides[0])
            columns = slice(v, v + dy.shape[2] * self.strides[1], self.strides[1])
            wrong[:, rows, columns] += dy / np.prod(self.pool_size)
    return wrong


@hang(MaxPooling2D(2), "dx", "shifted by one", (6, 8, 2))
class PaddedPoolReadUnpadded(MaxPooling2D):
    """A pool with a border: the winners are places of the padded input, and backward takes them for the input's own.

    Looks right   without padding; and with it, dx has the right values, nearly all of them.
    The check     pads by one: the gradient stands one place too far down and to the right.
    Numbers       dx[i + 1, j + 1] is the true dx[i, j].
    """

    def infer_shape(self, input_shape):
        h, w, c = input_shape
        return super().infer_shape((h + 2, w + 2, c))

    def forward(self, x, training=False, keep=None):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-1e9)
        shape, self.input_shape = self.input_shape, padded.shape[1:]
        y = super().forward(padded, training, keep)
        self.input_shape = shape
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        _, h, w, _ = np.subtract(self._recall()[1], (0, 2, 2, 0))
        return dx[:, :h, :w].copy() if dx is not None else None


@hang(MaxPooling2D((3, 2), strides=(3, 2)), "dx", "right for square windows alone", (6, 6, 2))
def PoolWindowTakenAsSquare(self, dy, dx):
    """The winner's number is split by the window's height where its width is needed.

    Looks right   for square windows, that is, nearly always.
    The check     has a window of 3x2: winners in its two lower rows are sent elsewhere.
    Numbers       the same layer with a 2x2 window passes.
    """
    winner, shape = self._recall()
    wrong = np.zeros(shape)
    n, i, j, c = np.indices(winner.shape)
    rows = np.minimum(i * self.strides[0] + winner // self.pool_size[0], shape[1] - 1)
    columns = np.minimum(j * self.strides[1] + winner % self.pool_size[0], shape[2] - 1)
    np.add.at(wrong, (n, rows, columns, c), dy)
    return wrong


@hang(MaxPooling2D(2), "dx", "zero in a region", (6, 4, 2))
def PoolLastRowsNotWritten(self, dy, dx):
    """dx is filled up to a bound that is one window short.

    Looks right   of 148 rows two are blank, at the edge, where there is mostly background.
    The check     has six rows.
    Numbers       zero in the last window's rows, right to all digits everywhere else.
    """
    dx[:, (dy.shape[1] - 1) * self.strides[0] :] = 0
    return dx


@hang(GlobalAveragePooling2D(), "dx", "constant factor", (4, 5, 2))
def AverageNotDivided(self, dy, dx):
    """dx hands dy on to every place and forgets that each had a share of 1 / (H W) only.

    Looks right   the layer has no weights; those below get gradients of the right direction, and Adam rescales them.
    The check     compares sizes.
    Numbers       H W times the true value, in every place: 20 for 4 x 5, 35 for 5 x 7.
    """
    return np.broadcast_to(dy[:, None, None, :], dx.shape).copy()


@hang(AveragePooling2D(3, 2, padding="same"), "dx", "right without padding alone", (6, 5, 2))
def EdgeWindowsTakenForWhole(self, dy, dx):
    """Every window hands on dy / (ph pw), those at the edge too, of which forward took the mean of fewer places.

    Looks right   in the middle of the picture, and everywhere without padding. Where zeros around the image count as
                  places, it is the right backward pass: of another layer.
    The check     has windows of 3 x 3 at stride 2 over 6 x 5, which reach over the edge.
    Numbers       dx is too small at the edge: 4 / 9 of the true value in the corner, whose window has 4 of 9 places.
    """
    return super(type(self), self).backward(dy * self._inside(dy.dtype))


@hang(AveragePooling2D((3, 2)), "dx", "constant factor", (7, 6, 2))
def AveragePoolNotDivided(self, dy, dx):
    """Every pixel of a window gets all of dy, and not its share of 1 / (ph pw).

    Looks right   it goes to the right pixels, and a max-pool does hand on all of dy.
    The check     compares sizes, with windows of 3 x 2.
    Numbers       6 times the true value, whatever the size of the pictures and of the batch.
    """
    return dx * np.prod(self.pool_size)
