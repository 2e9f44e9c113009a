"""Gates, slopes, softmaxes and a flatten that are wrong."""

import numpy as np

from ...nn import Absolute, Flatten, LeakyReLU, Log, ReLU, Sigmoid, Softmax, Tanh
from .exhibit import CLASSES, COLOURED, hang


@hang(Softmax(), "dx", "diagonal only", CLASSES)
def DiagonalSoftmax(self, dy, dx):
    """Only the diagonal of the Jacobian: dZ = dP P (1 - P), the sigmoid's derivative.

    Looks right   for an upstream gradient that touches one class, in that class; and the sigmoid's formula is well
                  known.
    The check     draws dP at random: every entry off the diagonal, -P_j P_k, is missed.
    Numbers       dZ_j is exactly J_jj dP_j; the true rows of dZ add up to zero, these do not.
    """
    p = self._recall()
    return dy * p * (1 - p)


@hang(Softmax(), "dx", "always zero", CLASSES)
def ZeroSoftmax(self, dy, dx):
    """Returns zeros.

    Looks right   to a check whose upstream gradient is ones: probabilities always add up to one, so the true gradient
                  of their sum *is* zero. Ones are what comes to mind first, and then this passes.
    The check     draws dP from N(0, 1).
    Numbers       0 against 0.24.
    """
    return np.zeros_like(dy)


@hang(Softmax(), "dx", "images mixed", CLASSES)
def SoftmaxSumsOverTheBatch(self, dy, dx):
    """`(dy * p).sum(axis=0)` where it should be axis=-1.

    Looks right   the shapes fit whatever the sizes, with keepdims and without: (N, U) takes (1, U) and (U,) alike. It
                  is the right axis that NumPy stops where its keepdims is forgotten, unless N is U or 1.
    The check     has a batch of three and five classes.
    Numbers       with dP zero for all images but the first, dZ of the others is not zero.
    """
    p = self._recall()
    return p * (dy - (dy * p).sum(axis=0, keepdims=True))


@hang(Softmax(), "dx", "something added", CLASSES)
def SoftmaxMinusWhatComesFromAbove(self, dy, dx):
    """dZ = P - dP, because "the gradient of softmax is P - Y".

    Looks right   it is the famous formula, and right for softmax and cross-entropy *together*, with the true class for
                  dP. But cross-entropy hands -1/p down at the true class, not 1.
    The check     draws dP at random, and knows no classes.
    Numbers       with dP zero everywhere dZ is P; the true dZ is zero then, as for any image whose row of dP is zero.
    """
    return self._recall() - dy


@hang(ReLU(), "dx", "mask taken from the gradient", COLOURED)
def GateFromTheGradient(self, dy, dx):
    """The gate is taken from dy instead of from x.

    Looks right   half of the places are shut, as they should be. (As a way to draw maps it has a name: deconvnet.)
    The check     knows which x were negative.
    Numbers       zero exactly where dy is negative, dy everywhere else.
    """
    return dy * (dy > 0)


@hang(ReLU(), "dx", "mask taken from the gradient", COLOURED)
def GateOfBoth(self, dy, dx):
    """dx passes where x *and* dy are positive: guided backpropagation, left in the layer after an experiment.

    Looks right   what it lets through is right, and its maps are the prettiest.
    The check     compares all places: a quarter of them is zero and should not be.
    Numbers       zero wherever dy is negative, and the true gradient wherever it is positive.
    """
    return dx * (dy > 0)


@hang(ReLU(), "dx", "mask missing", COLOURED)
def GateMissing(self, dy, dx):
    """dy goes through as if the layer were not there.

    Looks right   where x is positive, to the last bit; and a small network still learns.
    The check     has as many negative inputs as positive ones.
    Numbers       wrong wherever x is negative, right everywhere else.
    """
    return dy.copy()


@hang(ReLU(), "dy", "mutated upstream gradient", COLOURED)
def MutatesItsUpstreamGradient(self, dy, dx):
    """dx is written into dy, to save memory.

    Looks right   dx is right to the last bit. It is wrong for whoever uses dy afterwards: a skip connection, a plot,
                  or a second backward pass.
    The check     compares dy before and after.
    Numbers       dy is zero wherever the gate was shut.
    """
    dy *= self._recall()
    return dy


@hang(ReLU(), "x", "mutated input", COLOURED)
class OverwritesItsInput(ReLU):
    """forward cuts its input in place: `np.maximum(x, 0, out=x)`.

    Looks right   y is right. The layer before, which kept its output for its own backward pass, now has another.
    The check     compares x before and after.
    Numbers       every negative x is zero afterwards.
    """

    def forward(self, x, training=False, keep=None):
        y = super().forward(x, training, keep)
        np.maximum(x, 0, out=x)
        return y


@hang(Absolute(), "dx", "sign lost", COLOURED)
def AbsoluteTakenForItself(self, dy, dx):
    """The derivative of |x| is taken for 1.

    Looks right   its size is 1 wherever there is a slope, so every |dx| is right.
    The check     compares signs, with as many negative inputs as positive ones.
    Numbers       minus the true dx wherever x is negative, the true one everywhere else.
    """
    return dy.copy()


@hang(LeakyReLU(0.2), "dx", "zero in a region", COLOURED)
def LeakClosedInBackward(self, dy, dx):
    """backward is a ReLU's: nothing passes where x is negative, though forward lets a share through.

    Looks right   where x is positive, and forward's numbers are those of the formula. The units that the leak was to
                  keep alive are as lost as behind a ReLU.
    The check     has as many negative inputs as positive ones.
    Numbers       zero wherever x is negative; the true dx there is the slope times dy, here a fifth of it.
    """
    return dx * self._recall()


@hang(Sigmoid(), "dx", "output for input", COLOURED)
def SigmoidTakenTwice(self, dy, dx):
    """The derivative is computed from Y as if that were X: s(Y) (1 - s(Y)), with s the sigmoid.

    Looks right   it is the known formula, and what was kept is Y. Its values lie between 0.19 and 0.25, where those of
                  the true derivative often lie; the gradient even vanishes less.
    The check     compares all places.
    Numbers       as good as right near x = 0, and much too large far from it: 0.2 for a true 0.01 at x = 4.6.
    """
    (y,) = self._recall()
    again = 1 / (1 + np.exp(-y))
    return dy * again * (1 - again)


@hang(Tanh(), "dx", "local factor", COLOURED)
def TanhSquareForgotten(self, dy, dx):
    """dX = dY (1 - Y), after the sigmoid's Y (1 - Y), in place of 1 - Y^2.

    Looks right   at zero, which is where a fresh network has its values, and it is never negative.
    The check     has inputs of both signs, as far out as 2.
    Numbers       1 - Y^2 is (1 - Y) (1 + Y): a factor of 1 + Y is missing. For negative x what is left is too large, up
                  to twice dY, where the true gradient vanishes.
    """
    (y,) = self._recall()
    return dy * (1 - y)


@hang(Log(0.01), "dx", "epsilon forgotten", (4, 5, 2))
def LogWithoutItsEpsilon(self, dy, dx):
    """dX = dY / X, where forward takes the logarithm of X + epsilon.

    Looks right   for energies that are far from zero; and (log x)' = 1 / x is what one knows.
    The check     has inputs from 0.1 up and an epsilon of 0.01: off by a tenth there.
    Numbers       1 + epsilon / x times the true value: without end where x is zero, which is what epsilon was for.
    """
    return dy / (self._recall() - self.epsilon)


@hang(Flatten(), "dx", "axes mixed up", (3, 4, 2))
def FlattenTurnedBackWrongly(self, dy, dx):
    """dx takes its shape back in the other order: channels first, then turned.

    Looks right   the shape is right, and every value is there.
    The check     has three unequal sizes; a check on sums or norms would have passed.
    Numbers       the right values in the wrong places: reshape(N, C, H, W), moved to (N, H, W, C).
    """
    n, h, w, c = self._recall()
    return dy.reshape(n, c, h, w).transpose(0, 2, 3, 1).copy()
