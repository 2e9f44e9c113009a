"""Dense layers that are wrong, although they are three lines."""

from ...nn import Dense
from .exhibit import ROW, hang


@hang(Dense(3), "bias", "bias summed over the wrong axes", ROW)
def BatchForgottenInBias(self, dy, db):
    """The bias gradient is that of the first image.

    Looks right   with one image; and the shape, (U,), is what a bias needs.
    The check     has three images.
    Numbers       db = dy[0], to the last bit.
    """
    return dy[0].copy()


@hang(Dense(3), "kernel", "constant factor", ROW)
def DividedByTheBatchTwice(self, dy, dw):
    """The layer divides dW by N, although the loss already did.

    Looks right   "mean over the batch" is in every textbook; it does not say that the loss takes it, once for all
                  layers.
    The check     compares sizes, with a batch of 3; the doctor runs the layer again with 5.
    Numbers       1/3 of the true value, then 1/5: the factor follows N.
    """
    return dw / len(dy)


@hang(Dense(5), "dx", "transposed", (5,))
def WeightsNotTransposed(self, dy, dx):
    """dX = dY W where it should be dY W'.

    Looks right   in a square layer, such as 64 units on 64 units, where NumPy has nothing to complain about.
    The check     is run on such a layer: every value is wrong.
    Numbers       dx is the true gradient of the layer with W'.
    """
    return dy @ self.params["kernel"]


@hang(Dense(3), "backward", "transposed", ROW)
def WeightsNotTransposedOnUnequalSizes(self, dy, dx):
    """dX = dY W again, in a layer that is not square: now NumPy stops it, with a word about matmul's core dimension.

    Looks right   where weights are stored as (out, in), as PyTorch does, it is Y = X W' and dX = dY W: no prime.
    The check     cannot run; that is an answer too.
    Numbers       with as many inputs as units it does run, and dx is the true gradient for W'.
    """
    return dy @ self.params["kernel"]


@hang(Dense(3), "kernel", "transposed", ROW)
def KernelGradientTransposed(self, dy, dw):
    """dW = dY' X, of shape (U, D), for weights of shape (D, U).

    Looks right   it is dW, for whoever stores weights as (out, in), as PyTorch does.
    The check     compares shapes first.
    Numbers       every value is right, at [j, i] instead of [i, j].
    """
    return dw.T.copy()


@hang(Dense(3), "kernel", "wrong sign", ROW)
def MinusOfTheDescent(self, dy, dw):
    """The minus of gradient *descent* is put into the gradient; the optimiser subtracts once more.

    Looks right   all sizes are right, and so is the picture of |dW|.
    The check     compares signs: the relative error is 2, the largest there is.
    Numbers       -1 times the true value, everywhere; in training the loss rises from the first step.
    """
    return -dw


@hang(Dense(3), "bias", "no gradient", ROW)
class BiasForgotten(Dense):
    """There is no bias gradient at all.

    Looks right   dx and dW are, and an optimiser that loops over `grads` passes the bias by: it stays at zero, and the
                  weights can replace some of what it would do. Ours asks for every gradient, and stops: KeyError:
                  'bias'.
    The check     asks for a gradient of every parameter by name.
    Numbers       none: `grads` has no "bias".
    """

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads.pop("bias", None)
        return dx


@hang(Dense(3), "kernel", "weights changed in backward", ROW)
class LearnsInBackward(Dense):
    """backward also takes a step of gradient descent, before dx is computed.

    Looks right   it saves an optimiser, and the loss does fall.
    The check     compares the weights before and after.
    Numbers       the kernel has moved by 0.01 dW, and dx belongs to the new one: a second backward gives another dx.
    """

    def backward(self, dy, need_dx=True, need_grads=True):
        super().backward(dy, False, need_grads)
        self.params["kernel"] -= 0.01 * self.grads["kernel"]
        return super().backward(dy, need_dx, False)


@hang(Dense(3), "kernel", "an earlier batch remembered", ROW)
class RemembersTheFirstBatch(Dense):
    """The input is kept by the first forward pass and never again (`if self._x is None`).

    Looks right   in a test that makes a layer, runs it once and looks at dW.
    The check     has run the layer on another batch before.
    Numbers       dW is, to all digits, the one of that earlier batch; dx, which needs no input, is right.
    """

    def forward(self, x, training=False, keep=None):
        first = self._kept
        y = super().forward(x, training, keep)
        self._kept = x.copy() if first is None else first
        return y


@hang(Dense(3), "kernel", "from an earlier batch", ROW)
class KernelGradientMemoised(Dense):
    """dW is filled by `self.grads.setdefault("kernel", ...)`, which keeps what is there already.

    Looks right   in a test that makes a layer, runs it once and looks at dW; and twice on one batch it is the same.
    The check     has run forward and backward on another batch before.
    Numbers       dW is, to all digits, that of the other batch; in training it is the first batch's at every step.
    """

    def backward(self, dy, need_dx=True, need_grads=True):
        kept = self.grads.get("kernel")
        dx = super().backward(dy, need_dx, need_grads)
        if kept is not None:
            self.grads["kernel"] = kept
        return dx
