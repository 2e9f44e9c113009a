"""Real bugs of public codebases, each as a small subclass. The gradient check must catch every one."""

import numpy as np

from batik_scratch import nn
from batik_scratch.ops.im2col import im2col


class StrideIgnoredInBackward(nn.Conv2D):
    """The backward pass scatters as if the stride were one."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        x, kernel = self._recall(), self.params["kernel"]
        wrong = np.zeros_like(x)
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                wrong[:, i : i + kernel.shape[0], j : j + kernel.shape[1]] += np.einsum(
                    "nf,uvcf->nuvc", dy[:, i, j], kernel
                )
        return wrong if dx is not None else None


class KernelNotFlipped(nn.Conv2D):
    """dx uses the kernel turned by 180 degrees where the definition does not."""

    def backward(self, dy, need_dx=True, need_grads=True):
        kernel = self.params["kernel"]
        self.params["kernel"] = np.ascontiguousarray(kernel[::-1, ::-1])
        dx = super().backward(dy, need_dx, need_grads)
        self.params["kernel"] = kernel
        return dx


class OverlapAssigned(nn.Conv2D):
    """col2im with `=` where overlapping windows need `+=`: only the last window's gradient stays."""

    def backward(self, dy, need_dx=True, need_grads=True):
        super().backward(dy, need_dx, need_grads)
        x, kernel = self._recall(), self.params["kernel"]
        (kh, kw), (sh, sw) = self.kernel_size, self.strides
        dx = np.zeros_like(x)
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                window = np.einsum("nf,uvcf->nuvc", dy[:, i, j], kernel)
                dx[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = window
        return dx


class BiasOverTheWrongAxes(nn.Conv2D):
    """The bias gradient is averaged over the places instead of summed."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["bias"] = dy.mean(axis=(1, 2)).sum(axis=0)
        return dx


class NonSquareKernelTakenAsSquare(nn.Conv2D):
    """dW is filled by a window whose height and width are swapped."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        kh, kw, c, f = self.params["kernel"].shape
        wrong = self.grads["kernel"].reshape(kw, kh, c, f).transpose(1, 0, 2, 3)
        self.grads["kernel"] = np.ascontiguousarray(wrong)
        return dx


class ShiftedByOne(nn.Conv2D):
    """dW pairs each output pixel with the window beside its own (a wrong padding in the backward pass)."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        x = np.roll(self._recall(), 1, axis=2)
        columns = im2col(x, self.kernel_size, self.strides).reshape(-1, self.params["kernel"][..., 0].size)
        self.grads["kernel"] = (columns.T @ dy.reshape(-1, self.filters)).reshape(self.params["kernel"].shape)
        return dx


class OverlappingPoolAssigned(nn.MaxPooling2D):
    """A pixel that wins in two windows gets only the last one's gradient."""

    def backward(self, dy, need_dx=True, need_grads=True):
        winner, shape = self._recall()
        dx = np.zeros(shape)
        n, i, j, c = np.indices(winner.shape)
        dx[
            n, i * self.strides[0] + winner // self.pool_size[1], j * self.strides[1] + winner % self.pool_size[1], c
        ] = dy
        return dx


class PoolSharesAmongAll(nn.MaxPooling2D):
    """The gradient of the mean instead of the maximum's."""

    def backward(self, dy, need_dx=True, need_grads=True):
        _, shape = self._recall()
        dx = np.zeros(shape)
        for u in range(self.pool_size[0]):
            for v in range(self.pool_size[1]):
                rows = slice(u, u + dy.shape[1] * self.strides[0], self.strides[0])
                columns = slice(v, v + dy.shape[2] * self.strides[1], self.strides[1])
                dx[:, rows, columns] += dy / np.prod(self.pool_size)
        return dx


class DropoutMaskMissing(nn.Dropout):
    """The backward pass lets everything through."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy / (1 - self.rate)


class DropoutScaleMissing(nn.Dropout):
    """The backward pass forgets 1 / (1 - rate)."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * (self._recall() > 0)


class DiagonalSoftmax(nn.Softmax):
    """Only the diagonal of the Jacobian: right for an upstream gradient that touches one class."""

    def backward(self, dy, need_dx=True, need_grads=True):
        p = self._recall()
        return dy * p * (1 - p)


class ZeroSoftmax(nn.Softmax):
    """Returns zeros, which a check with an upstream gradient of ones accepts."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return np.zeros_like(dy)


class GateFromTheGradient(nn.ReLU):
    """The gate is taken from dy instead of from x."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * (dy > 0)


class BatchForgottenInBias(nn.Dense):
    """The bias gradient of the first image only."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["bias"] = dy[0].copy()
        return dx


class DividedByTheBatchTwice(nn.Dense):
    """The layer divides by N although the loss already did."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["kernel"] = self.grads["kernel"] / len(dy)
        return dx


class MutatesItsUpstreamGradient(nn.ReLU):
    """dx is written into dy: right here, and wrong for whoever uses dy afterwards."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dy *= self._recall()
        return dy


class AdamWithoutBiasCorrection(nn.Adam):
    """The first steps are far too small."""

    def update(self, w, g, memory):
        memory["m"] += (g - memory["m"]) * (1 - self.beta_1)
        memory["v"] += (g * g - memory["v"]) * (1 - self.beta_2)
        w -= self.learning_rate * memory["m"] / (np.sqrt(memory["v"]) + self.epsilon)


class AdamCountingTensors(nn.Adam):
    """t advances once per tensor instead of once per step."""

    def update(self, w, g, memory):
        super().update(w, g, memory)
        self.iterations += 1
