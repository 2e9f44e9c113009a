"""Convolutions whose dx is wrong."""

import copy

import numpy as np

from ...nn import Conv2D
from .exhibit import COLOURED, IMAGE, Room

EXHIBITS = Room()
hang = EXHIBITS.hang


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
