"""Wrong answers as students write them, in plain loops, each with the name that it must get."""

import numpy as np

from batik_scratch import nn


class Elementwise(nn.Layer):
    """y = f(x) place by place; dx = dy * slope(x), or slope(x, y), right or not."""

    def __init__(self, f, slope):
        super().__init__()
        self.f, self.slope = f, slope

    def forward(self, x, training=False, keep=None):
        self._keep(x.copy(), training, keep)
        return self.f(x)

    def backward(self, dy, need_dx=True, need_grads=True):
        x = self._recall()
        arguments = (x, self.f(x))[: self.slope.__code__.co_argcount]
        return dy * self.slope(*arguments)


class Convolution(nn.Conv2D):
    """Right: a convolution over output places, whose parts the wrong ones below replace."""

    def forward(self, x, training=False, keep=None):
        padded = np.pad(x, ((0, 0), *self._pads(x.shape[1:]), (0, 0)))
        self._keep(padded, training, keep)
        y = np.zeros((len(x), *self.output_shape))
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                y[:, i, j] = np.tensordot(self.window(padded, i, j), self.params["kernel"], 3) + self.params["bias"]
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        x = self._recall()
        dkernel, dx = np.zeros_like(self.params["kernel"]), np.zeros_like(x)
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                self.add_kernel(dkernel, x, dy, i, j)
                self.add_dx(dx, dy[:, i, j], i, j)
        self.grads = {"kernel": dkernel, "bias": self.bias_gradient(dy)}
        (top, bottom), (left, right) = self._pads(self.input_shape)
        return dx[:, top : dx.shape[1] - bottom, left : dx.shape[2] - right]

    def window(self, x, i, j):
        (kh, kw), (sh, sw) = self.kernel_size, self.strides
        return x[:, i * sh : i * sh + kh, j * sw : j * sw + kw]

    def add_kernel(self, dkernel, x, dy, i, j):
        dkernel += np.tensordot(self.window(x, i, j), dy[:, i, j], (0, 0))

    def add_dx(self, dx, dy, i, j):
        self.window(dx, i, j)[...] += np.tensordot(dy, self.params["kernel"], (1, 3))

    def bias_gradient(self, dy):
        return dy.sum(axis=(0, 1, 2))


class StrideForgottenInKernel(Convolution):
    def add_kernel(self, dkernel, x, dy, i, j):
        kh, kw = self.kernel_size
        dkernel += np.tensordot(x[:, i : i + kh, j : j + kw], dy[:, i, j], (0, 0))


class KernelAssigned(Convolution):
    def add_kernel(self, dkernel, x, dy, i, j):
        dkernel[...] = np.tensordot(self.window(x, i, j), dy[:, i, j], (0, 0))


class FirstImageOfEachWindow(Convolution):
    def add_kernel(self, dkernel, x, dy, i, j):
        dkernel += np.tensordot(self.window(x, i, j)[:1], dy[:1, i, j], (0, 0))


class HeightAndWidthSwapped(Convolution):
    def add_dx(self, dx, dy, i, j):
        self.window(dx, i, j)[...] += np.tensordot(dy, self.params["kernel"].swapaxes(0, 1), (1, 3))


class MeanOverFilters(Convolution):
    def add_dx(self, dx, dy, i, j):
        self.window(dx, i, j)[...] += np.tensordot(dy, self.params["kernel"], (1, 3)) / self.filters


class FirstPixelOfEachWindow(Convolution):
    def add_dx(self, dx, dy, i, j):
        self.window(dx, i, j)[:, 0, 0] += np.tensordot(dy, self.params["kernel"], (1, 3))[:, 0, 0]


class BiasOneNumber(Convolution):
    def bias_gradient(self, dy):
        return dy.sum()


class BiasKeepsPlaces(Convolution):
    def bias_gradient(self, dy):
        return dy.sum(axis=0)


class BiasAddedTwice(Convolution):
    def forward(self, x, training=False, keep=None):
        return super().forward(x, training, keep) + self.params["bias"]


class DyTurnedRound(Convolution):
    def backward(self, dy, need_dx=True, need_grads=True):
        turned = super().backward(dy[:, ::-1, ::-1])
        super().backward(dy)
        return turned


class KernelStaysAMatrix(Convolution):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        self.grads["kernel"] = self.grads["kernel"].reshape(-1, self.filters)
        return dx


class MeanOfEverything(Convolution):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        self.grads["kernel"] = self.grads["kernel"] / dy[..., 0].size
        return dx


class AlwaysTheFirstOfTheWindow(nn.MaxPooling2D):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = np.zeros(self._recall()[1])
        dx[:, ::2, ::2] = dy
        return dx


class Sigmoid(nn.Layer):
    def forward(self, x, training=False, keep=None):
        y = 1 / (1 + np.exp(-x))
        self._keep(y, training, keep)
        return y


class SigmoidWithoutDy(Sigmoid):
    def backward(self, dy, need_dx=True, need_grads=True):
        return self._recall() * (1 - self._recall())


class SigmoidHalf(Sigmoid):
    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * (1 - self._recall())


class DropsWhatWasKept(nn.Dropout):
    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * (self._recall() == 0)


class NothingDropped(nn.Dropout):
    def backward(self, dy, need_dx=True, need_grads=True):
        return dy.copy()


class ShutWhereOpen(nn.ReLU):
    def backward(self, dy, need_dx=True, need_grads=True):
        return np.where(self._recall(), 0, dy)


class GateItself(nn.ReLU):
    def backward(self, dy, need_dx=True, need_grads=True):
        return self._recall().astype(float)


class OuterOfMeans(nn.Dense):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        self.grads["kernel"] = np.outer(self._recall().mean(axis=0), dy.mean(axis=0))
        return dx


class BiasOverUnits(nn.Dense):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        self.grads["bias"] = dy.sum(axis=1)
        return dx


class ColumnsForRows(nn.Dense):
    def backward(self, dy, need_dx=True, need_grads=True):
        super().backward(dy)
        return self.params["kernel"] @ dy.T


class BiasStaysARow(nn.Dense):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        self.grads["bias"] = dy.sum(axis=0, keepdims=True)
        return dx


class FlatAsBefore(nn.Flatten):
    def backward(self, dy, need_dx=True, need_grads=True):
        return dy.copy()


class DividedByTheHeightAlone(nn.GlobalAveragePooling2D):
    def backward(self, dy, need_dx=True, need_grads=True):
        n, h, w, c = self._recall()
        return np.broadcast_to(dy[:, None, None] / h, (n, h, w, c)).copy()


IMAGE = (5, 6, 3)
RIGHT = (Convolution(4, (2, 3), (1, 2), "same"), IMAGE)
ANSWERS = [
    (StrideForgottenInKernel(4, (2, 3), (1, 2), "same"), IMAGE, "kernel", "right for stride 1 alone"),
    (KernelAssigned(4, (2, 3), (1, 2), "same"), IMAGE, "kernel", "only one place counted"),
    (FirstImageOfEachWindow(4, (2, 3), (1, 2), "same"), IMAGE, "kernel", "only one image counted"),
    (HeightAndWidthSwapped(4, 3, padding="same"), IMAGE, "dx", "transposed"),
    (HeightAndWidthSwapped(4, (2, 3), padding="same"), IMAGE, "dx", "transposed"),
    (MeanOverFilters(4, (2, 3), (1, 2), "same"), IMAGE, "dx", "constant factor"),
    (FirstPixelOfEachWindow(4, (2, 3), (1, 2), "same"), IMAGE, "dx", "shares missing"),
    (BiasOneNumber(4, (2, 3), (1, 2), "same"), IMAGE, "bias", "bias summed over the wrong axes"),
    (BiasKeepsPlaces(4, (2, 3), (1, 2), "same"), IMAGE, "bias", "bias summed over the wrong axes"),
    (BiasAddedTwice(4, (2, 3), (1, 2), "same"), IMAGE, "bias", "constant factor"),
    (DyTurnedRound(4, (2, 3), (1, 2), "same"), IMAGE, "dx", "mirrored"),
    (KernelStaysAMatrix(4, (2, 3), (1, 2), "same"), IMAGE, "kernel", "wrong shape"),
    (MeanOfEverything(4, (2, 3), (1, 2), "same"), IMAGE, "kernel", "constant factor"),
    (AlwaysTheFirstOfTheWindow(2), (6, 6, 2), "dx", "winner not looked up"),
    (SigmoidWithoutDy(), (4,), "dx", "upstream gradient ignored"),
    (SigmoidHalf(), (4,), "dx", "local factor"),
    (DropsWhatWasKept(0.2), (30,), "dx", "mask inverted"),
    (NothingDropped(0.2), (30,), "dx", "mask missing"),
    (ShutWhereOpen(), (4, 5), "dx", "mask inverted"),
    (GateItself(), (4, 5), "dx", "upstream gradient ignored"),
    (OuterOfMeans(3), (5,), "kernel", "right for one image alone"),
    (BiasOverUnits(3), (5,), "bias", "bias summed over the wrong axes"),
    (ColumnsForRows(3), (5,), "dx", "transposed"),
    (BiasStaysARow(3), (5,), "bias", "wrong shape"),
    (FlatAsBefore(), (3, 4, 2), "dx", "wrong shape"),
    (DividedByTheHeightAlone(), (4, 5, 2), "dx", "constant factor"),
]
