"""Cross-entropies on logits whose gradient is wrong: the mistake that every layer below inherits."""

import numpy as np

from ...nn import SparseCategoricalCrossentropy
from ...nn.layers.activations import softmax
from .exhibit import hang


@hang(SparseCategoricalCrossentropy(True), "doutputs", "constant factor")
def LossNotDividedByTheBatch(self, outputs, y, gradient):
    """The value is a mean over the batch, the gradient a sum.

    Looks right   P - onehot(y) is the formula on every slide, and with one image it is right.
    The check     has five images.
    Numbers       5 times the true value; 7 times for seven images. The learning rate has to be smaller for larger
                  batches.
    """
    return gradient * len(y)


@hang(SparseCategoricalCrossentropy(True), "doutputs", "constant factor")
def LossDividedByTheBatchTwice(self, outputs, y, gradient):
    """The gradient is divided by N, and once more by N.

    Looks right   it trains, with Adam even well: the size of the gradient hardly matters there.
    The check     compares sizes.
    Numbers       1/5 of the true value for five images, 1/7 for seven.
    """
    return gradient / len(y)


@hang(SparseCategoricalCrossentropy(True), "doutputs", "wrong sign")
def LossUphill(self, outputs, y, gradient):
    """onehot(y) - P: the residual of a regression, seen from the other side.

    Looks right   it is the direction in which the logits should go; a gradient is the one in which they should not.
    The check     compares signs.
    Numbers       -1 times the true value, everywhere.
    """
    return -gradient


@hang(SparseCategoricalCrossentropy(True), "doutputs", "true class forgotten")
def OneHotForgotten(self, outputs, y, gradient):
    """P / N: the one of the true class is not subtracted.

    Looks right   in all other classes it is, and of ten classes that is nine.
    The check     compares the entry of the true class too.
    Numbers       one wrong entry per image, too large by 1/N; the true rows add up to zero, these to 1/N.
    """
    return softmax(outputs) / len(y)


@hang(SparseCategoricalCrossentropy(True), "doutputs", "only the true class")
def TrueClassAlone(self, outputs, y, gradient):
    """Only the true class gets a gradient, (P_y - 1)/N: the softmax in between is forgotten.

    Looks right   the loss looks at P_y alone. But P_y depends on every logit, through the sum below the fraction line.
    The check     nudges the other logits, and the loss moves.
    Numbers       right at the true class, zero everywhere else.
    """
    rows, wrong = np.arange(len(y)), np.zeros_like(gradient)
    wrong[rows, y] = gradient[rows, y]
    return wrong
