"""Dropouts that do not drop the same twice."""

from ...nn import Dropout
from .exhibit import hang


@hang(Dropout(0.2), "dx", "mask missing", (30,))
def DropoutMaskMissing(self, dy, dx):
    """The backward pass lets everything through.

    Looks right   on average: each feature is kept most of the time, and then its gradient is right.
    The check     freezes one mask for all evaluations, so a dropped feature stays dropped, and has gradient zero.
    Numbers       wrong where the mask is zero, about a fifth of the places; right everywhere else.
    """
    return dy / (1 - self.rate)


@hang(Dropout(0.2), "dx", "constant factor", (30,))
def DropoutScaleMissing(self, dy, dx):
    """The backward pass masks, and forgets 1 / (1 - rate).

    Looks right   the zeros are where they should be.
    The check     has a rate of 0.2: at 0.5 one could not tell 1 - rate from 1/2.
    Numbers       0.8 times the true value, wherever it is not zero, for every size of batch.
    """
    return dy * (self._recall() > 0)


@hang(Dropout(0.2), "dx", "constant factor", (30,))
def DropoutScaleTwice(self, dy, dx):
    """The mask already holds 1 / (1 - rate), and backward divides by 1 - rate once more.

    Looks right   forward and backward each have "the" scale, if one reads them apart.
    The check     compares sizes.
    Numbers       1.25 = 1 / (1 - 0.2) times the true value.
    """
    return dy * self._recall() / (1 - self.rate)


@hang(Dropout(0.2), "dx", "not the same twice", (30,))
class NewMaskInBackward(Dropout):
    """backward draws a mask of its own.

    Looks right   the share of zeros is right, the scale too, and so is the average of dx over many masks.
    The check     holds backward to the mask of its forward pass, and to itself: twice the same.
    Numbers       some places are open that forward shut, others shut that it left open; and others again the next time.
    """

    def backward(self, dy, need_dx=True, need_grads=True):
        mask = (self.rng.random(dy.shape) >= self.rate) / (1 - self.rate)
        return dy * mask
