"""Convolutions whose kernel or bias gradient is wrong."""

import numpy as np

from ...nn import Conv2D
from ...ops.im2col import im2col
from .exhibit import IMAGE, Room

EXHIBITS = Room()
hang = EXHIBITS.hang


@hang(Conv2D(3, 2), "bias", "constant factor", IMAGE)
def BiasAveraged(self, dy, db):
    """The bias gradient is averaged over the places instead of summed.

    Looks right   sign and order are right, and Adam, which divides by the gradient's size, trains nearly as well.
    The check     compares sizes too: the bias is off by the same factor in every filter.
    Numbers       1 / (OH OW), whatever the batch: 1/20 for 4 x 5 places, 1/35 for 5 x 7.
    """
    return dy.mean(axis=(1, 2)).sum(axis=0)


@hang(Conv2D(4, (2, 3)), "bias", "bias summed over the wrong axes", IMAGE)
def BiasOverTheWrongAxes(self, dy, db):
    """The bias gradient is summed over axes (0, 2, 3), as one copies it from a channels-first layer: rows are kept.

    Looks right   where the output has as many rows as filters, even the shape is right.
    The check     is run on just such a layer: each bias gets the sum of one row of places.
    Numbers       dy.sum(axis=(0, 2, 3)); the total over all filters is still right, which is why a printed sum
                  misleads.
    """
    return dy.sum(axis=(0, 2, 3))


@hang(Conv2D(3, (2, 3)), "kernel", "axes mixed up", IMAGE)
def NonSquareKernelTakenAsSquare(self, dy, dw):
    """dW is filled by a window whose height and width are exchanged.

    Looks right   for 3x3 and 5x5 kernels, and few use others.
    The check     has a 2x3 kernel: the first and the last weight are right, those between are not.
    Numbers       the same values in another order: dW.reshape(kw, kh, C, F), turned back.
    """
    kh, kw, c, f = dw.shape
    return np.ascontiguousarray(dw.reshape(kw, kh, c, f).transpose(1, 0, 2, 3))


@hang(Conv2D(3, 2), "kernel", "shifted by one", IMAGE)
def ShiftedByOne(self, dy, dw):
    """dW pairs each output pixel with the window beside its own (padding counted in forward, not in backward).

    Looks right   in a photograph neighbouring windows are nearly equal, so dW is nearly right and the network learns.
    The check     has an input without neighbours: shuffled values.
    Numbers       dW is, to all digits, that of the input moved by one column.
    """
    x = np.roll(self._recall(), 1, axis=2)
    columns = im2col(x, self.kernel_size, self.strides).reshape(-1, dw[..., 0].size)
    return (columns.T @ dy.reshape(-1, self.filters)).reshape(dw.shape)


@hang(Conv2D(3, (2, 3)), "kernel", "only one image counted", IMAGE)
def LastImageOnly(self, dy, dw):
    """A loop over the images that stores each one's dW with `=`: the last one stays.

    Looks right   with a batch of one, the favourite batch of a first test.
    The check     has three images.
    Numbers       dW is the true one for a dy that is zero but for its last image.
    """
    last = np.zeros_like(dy)
    last[-1] = dy[-1]
    Conv2D.backward(self, last, need_dx=False)
    return self.grads["kernel"]


@hang(Conv2D(3, (2, 3)), "kernel", "accumulates over calls", IMAGE)
class GradientsAddUpOverCalls(Conv2D):
    """`self.grads["kernel"] += ...` and nobody sets it to zero between two batches.

    Looks right   in the first backward pass, and a check that runs only one.
    The check     runs backward twice and wants the same gradient.
    Numbers       the second answer is twice the first, the third three times: in training the steps grow and grow.
    """

    def backward(self, dy, need_dx=True, need_grads=True):
        before = self.grads.get("kernel", 0)
        dx = super().backward(dy, need_dx, need_grads)
        if need_grads:
            self.grads["kernel"] = self.grads["kernel"] + before
        return dx


@hang(Conv2D(3, (2, 3)), "kernel", "mirrored", IMAGE)
def GradientMirrored(self, dy, dw):
    """dW is stored flipped: the 180 degrees of the true convolution, which this layer does not have.

    Looks right   dx is right; of dW the shape, the sum and the norm are, and for a 1x1 kernel all of it.
    The check     samples all weights: each holds its opposite's gradient, only the middle of an odd kernel would be
                  right.
    Numbers       dW[::-1, ::-1] is the true one.
    """
    return np.ascontiguousarray(dw[::-1, ::-1])
