"""Convolutions whose dx is wrong, and then those whose kernel or bias gradient is."""

import copy

import numpy as np

from ...nn import Conv2D
from ...ops.im2col import im2col
from .exhibit import COLOURED, IMAGE, hang


@hang(Conv2D(3, 2, strides=2), "dx", "right for stride 1 alone", (6, 7, 2))
def StrideIgnoredInBackward(self, dy, dx):
    """The backward pass scatters its windows as if the stride were one.

    Looks right   at stride 1 it is, and many networks, and many tests, have no other.
    The check     tries a stride of 2: five of six values of dx are off, by no factor and in no one place.
    Numbers       the very same layer with strides (1, 1) agrees to twelve digits.
    """
    kernel, (kh, kw) = self.params["kernel"], self.kernel_size
    wrong = np.zeros_like(dx)
    for i in range(dy.shape[1]):
        for j in range(dy.shape[2]):
            wrong[:, i : i + kh, j : j + kw] += np.einsum("nf,uvcf->nuvc", dy[:, i, j], kernel)
    return wrong


@hang(Conv2D(3, (2, 3)), "dx", "kernel not flipped", IMAGE)
def KernelNotFlipped(self, dy, dx):
    """dx is written as a convolution of dy, and the kernel's turn by 180 degrees is forgotten (or done once too often).

    Looks right   the shape is right, and for a kernel that is symmetric (a blur, a Laplacian) so are the values.
    The check     has a random kernel: every value of dx is wrong, also for 1 image and 1 channel.
    Numbers       dx equals, to all digits, the true gradient of the layer with kernel[::-1, ::-1].
    """
    other = copy.copy(self)
    other.params = self.params | {"kernel": np.ascontiguousarray(self.params["kernel"][::-1, ::-1])}
    return Conv2D.backward(other, dy, need_grads=False)


@hang(Conv2D(3, 3), "dx", "only the last overlap kept", IMAGE)
def OverlapAssigned(self, dy, dx):
    """col2im with `=` where overlapping windows need `+=`: only the last window's gradient stays.

    Looks right   without overlap (stride = kernel) it is; the picture of dx even looks like the right one, but paler.
    The check     has a kernel larger than the stride: wrong wherever two windows meet.
    Numbers       each value is the share of the last window that covers it; pixels of one window alone are right.
    """
    kernel, (kh, kw), (sh, sw) = self.params["kernel"], self.kernel_size, self.strides
    wrong = np.zeros_like(dx)
    for i in range(dy.shape[1]):
        for j in range(dy.shape[2]):
            window = np.einsum("nf,uvcf->nuvc", dy[:, i, j], kernel)
            wrong[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = window
    return wrong


@hang(Conv2D(4, 3, padding="same"), "dx", "padding not cut off", IMAGE)
def PaddingNotCutOff(self, dy, dx):
    """dx keeps the border of zeros that forward put around its input.

    Looks right   its inner part is right to the last bit, and a layer below that sums over places, as a bias does,
                  takes the larger array without a complaint.
    The check     compares shapes first: one gradient per input, no more.
    Numbers       dx is larger by kernel - 1, and its inner part is right.
    """
    return np.pad(dx, ((0, 0), *self._pads(self.input_shape), (0, 0)))


@hang(Conv2D(4, 3, padding="same"), "dx", "shifted by one", IMAGE)
def PaddingCutAtOneEnd(self, dy, dx):
    """The border of zeros is cut off dx at the end alone: `dx[:, :h, :w]`.

    Looks right   the shape is right, and a picture shifted by one pixel looks like the picture.
    The check     pads: all of dx is wrong.
    Numbers       dx[i + 1, j + 1] is the true dx[i, j].
    """
    (top, _), (left, _) = self._pads(self.input_shape)
    _, h, w, _ = dx.shape
    return np.pad(dx, ((0, 0), (top, 0), (left, 0), (0, 0)))[:, :h, :w]


@hang(Conv2D(3, (2, 3)), "dx", "transposed", COLOURED)
def FiltersTakenForChannels(self, dy, dx):
    """dx runs through the kernel with filters and channels not swapped: dY[f] W[., ., f, c] for W[., ., c, f].

    Looks right   with as many filters as channels, as in the middle of a VGG, all shapes fit.
    The check     is run on just such a layer; with other sizes NumPy itself would have stopped it.
    Numbers       dx is the gradient of the layer whose kernel has its last two axes exchanged.
    """
    other = copy.copy(self)
    other.params = self.params | {"kernel": np.ascontiguousarray(self.params["kernel"].swapaxes(2, 3))}
    return Conv2D.backward(other, dy, need_grads=False)


@hang(Conv2D(3, (2, 3)), "dx", "edge left out", IMAGE)
def LastRowLeftOut(self, dy, dx):
    """The loop over output rows ends one too early: `range(oh - 1)`.

    Looks right   all but the lowest pixels are right, and of 148 rows of dy one is not missed in training.
    The check     has four rows of dy: without the last, two of the five rows of dx are wrong.
    Numbers       dx is the true one for a dy whose last row is zero.
    """
    shorter = dy.copy()
    shorter[:, -1] = 0
    return Conv2D.backward(self, shorter, need_grads=False)


@hang(Conv2D(4, (2, 3)), "dx", "only one channel counted", IMAGE)
def OnlyTheFirstFilter(self, dy, dx):
    """The sum over filters is forgotten: dx comes from filter 0 alone.

    Looks right   in the first lesson, with one filter, it is.
    The check     has four filters: the sign of dx is right in two places of three, its size in none.
    Numbers       dx is the true one for a dy that is zero in all other filters.
    """
    first = np.zeros_like(dy)
    first[..., 0] = dy[..., 0]
    return Conv2D.backward(self, first, need_grads=False)


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
