"""Normalisations that forget how an input reaches the output, or which pass they are in."""

import numpy as np

from ...nn import BatchNormalization, Standardization
from .exhibit import IMAGE, hang


@hang(BatchNormalization(), "dx", "normalisation terms missing", IMAGE)
def StatisticsTakenForConstants(self, dy, dx):
    """dx = gamma dy / s: mean and variance are taken for constants, although every x moves both.

    Looks right   it is what the formula for y says when one looks at a single x, and it is right at rest.
    The check     nudges one x, and every y of its channel moves.
    Numbers       a true dx adds up to zero in each channel, and so does dx times x but for epsilon; these do neither.
    """
    _, (_, variance), _ = self._recall()
    return self.params["gamma"] * dy / np.sqrt(variance + self.epsilon)


@hang(BatchNormalization(), "dx", "normalisation terms missing", IMAGE)
def WayThroughTheMeanForgotten(self, dy, dx):
    """The variance's term is there and the mean's is not.

    Looks right   "dL/dmu is zero by way of the variance" is a line of the derivation, and true; by way of x - mean it
                  is not zero.
    The check     compares all places: each is off by the same number in its channel.
    Numbers       dx - true is gamma / s times the mean of dy, one number per channel.
    """
    _, (_, variance), _ = self._recall()
    return dx + self.params["gamma"] / np.sqrt(variance + self.epsilon) * dy.mean(axis=(0, 1, 2))


@hang(BatchNormalization(), "dx", "N - 1 for N", IMAGE)
def VarianceByOneFewer(self, dy, dx):
    """The variance's term is divided by M - 1, where forward divides by M.

    Looks right   M - 1 is what statistics teaches, and what PyTorch keeps for inference; with 32 pictures of 74 x 74
                  places nobody sees the difference.
    The check     has 90 values in a channel: the term is off by 1 part in 89.
    Numbers       90/89 times the true term; with four pictures 120/119.
    """
    x, (mean, variance), _ = self._recall()
    s, m = np.sqrt(variance + self.epsilon), dy[..., 0].size
    normed = (x - mean) / s
    return dx - self.params["gamma"] / s * normed * (dy * normed).mean(axis=(0, 1, 2)) / (m - 1)


@hang(BatchNormalization(), "dx", "mean over the wrong axes", IMAGE)
def MeansOverEachPicture(self, dy, dx):
    """The means in dx run over the places of each picture, those of forward over the whole batch.

    Looks right   `axis=(1, 2)` stands in every pooling, the shapes fit with keepdims, and for one picture it is right.
    The check     has three pictures.
    Numbers       with one picture in the batch every value is right; with three, none is.
    """
    x, (mean, variance), _ = self._recall()
    s, places = np.sqrt(variance + self.epsilon), (1, 2)
    normed = (x - mean) / s
    means = dy.mean(axis=places, keepdims=True), (dy * normed).mean(axis=places, keepdims=True)
    return self.params["gamma"] / s * (dy - means[0] - normed * means[1])


@hang(BatchNormalization(), "dx", "epsilon forgotten", IMAGE)
def EpsilonForgottenInBackward(self, dy, dx):
    """backward divides by the root of the variance alone, forward by that of variance + epsilon.

    Looks right   epsilon is "only there against a division by zero": a channel of deviation 1 is off by 5 parts in
                  10,000.
    The check     is exact to six digits.
    Numbers       dx of the layer with an epsilon of 0; a channel that is zero everywhere, as behind a ReLU that died,
                  has none at all: 0 / 0.
    """
    x, (mean, variance), _ = self._recall()
    normed = (x - mean) / np.sqrt(variance)
    means = dy.mean(axis=(0, 1, 2)), (dy * normed).mean(axis=(0, 1, 2))
    return self.params["gamma"] / np.sqrt(variance) * (dy - means[0] - normed * means[1])


@hang(BatchNormalization(), "gamma", "input not normalised", IMAGE)
def ScaleTakenWithTheInput(self, dy, dgamma):
    """dgamma = sum of dy x, as for a weight of a dense layer.

    Looks right   for inputs that are about normalised already, as those of a test drawn from N(0, 1) are.
    The check     has inputs of another mean and deviation.
    Numbers       s dgamma + mean dbeta, exactly.
    """
    x, _, _ = self._recall()
    return (dy * x).sum(axis=(0, 1, 2))


@hang(BatchNormalization(), "beta", "bias summed over the wrong axes", IMAGE)
def ShiftSummedOverTheBatchAlone(self, dy, dbeta):
    """`dy.sum(axis=0)`: right for rows of features, and brought along to maps.

    Looks right   until the optimiser meets a beta of shape (C,) and a gradient of shape (H, W, C); an optimiser that
                  writes w = w - rate g takes it, and beta has become a map.
    The check     compares shapes first.
    Numbers       the sum of it over height and width is the true one.
    """
    return dy.sum(axis=0)


@hang(BatchNormalization(), "y", "batch statistics at rest", IMAGE)
class BatchStatisticsAtRest(BatchNormalization):
    """At rest it still normalises by the batch at hand: `model.eval()` forgotten, or never looked at.

    Looks right   the accuracy on the validation set, in batches that are as well mixed as in training.
    The check     runs each picture alone, and in its batch.
    Numbers       another y for the same picture: one alone in its batch is compared with nothing but itself.
    """

    def forward(self, x, training=False, keep=None):
        moving = {key: self.params[key].copy() for key in self.not_trained}
        y = super().forward(x, True, training if keep is None else keep)
        for key, value in moving.items() if not training else ():
            self.params[key][...] = value
        return y


@hang(BatchNormalization(), "moving_mean", "momentum swapped", IMAGE)
class MomentumSwapped(BatchNormalization):
    """moving = (1 - momentum) moving + momentum of the batch.

    Looks right   PyTorch's momentum is the share of the new, and 0.1; Keras' is the share of the old, and 0.99. With
                  the one's formula and the other's number the moving mean is the last batch's.
    The check     moves the moving mean before a training pass, and looks at how much of that is left.
    Numbers       0.01 in place of 0.99. No gradient is wrong, and the training loss knows nothing of it.
    """

    def forward(self, x, training=False, keep=None):
        old = {key: self.params[key].copy() for key in self.not_trained}
        y = super().forward(x, training, keep)
        for key, before in old.items() if training else ():
            of_the_batch = (self.params[key] - self.momentum * before) / (1 - self.momentum)
            self.params[key][...] = (1 - self.momentum) * before + self.momentum * of_the_batch
        return y


@hang(BatchNormalization(), "dx", "right in training alone", IMAGE)
class TrainedBackwardAtRest(BatchNormalization):
    """backward subtracts the means whichever pass it follows; at rest, mean and variance are constants.

    Looks right   training never asks. A saliency map does: it goes back through a pass at rest.
    The check     keeps a pass at rest, and goes back through that.
    Numbers       the true dx at rest is gamma dy / s; this one has lost dbeta / M and normed dgamma / M of it.
    """

    def backward(self, dy, need_dx=True, need_grads=True):
        x, statistics, of_the_batch = self._recall()
        self._kept = x, statistics, True
        dx = super().backward(dy, need_dx, need_grads)
        self._kept = x, statistics, of_the_batch
        return dx


@hang(Standardization(), "dx", "normalisation terms missing", IMAGE)
def PictureTakenForAffine(self, dy, dx):
    """dx = dy / s, as if a picture's brightness and contrast were given and not its own.

    Looks right   forward is "subtract a number, divide by a number", and the slope of that is 1 / s.
    The check     nudges one pixel, and all of the picture's others move.
    Numbers       a pixel brighter everywhere changes no y: a true dx adds up to zero over the picture; this one does
                  not.
    """
    _, (deviation,) = self._recall()
    return dy / deviation.reshape(-1, 1, 1, 1)
