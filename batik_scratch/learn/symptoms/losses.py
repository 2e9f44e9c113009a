"""What is wrong with a loss: entries of the true class; and what is found of the layer, said of the loss."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .checkup import close, zero
from .claim import Claim, Diagnosis, Words
from .loss_layer import LossAsLayer


def of_a_loss(found: Diagnosis) -> Diagnosis:
    """What was found of the layer, said of the loss: its gradient is called doutputs."""
    if found.tensor == "dx" and found.name == "no gradient":
        found = replace(found, sentence="The gradient is None; a loss returns two things, (value, gradient).")
    return replace(found, tensor="doutputs") if found.tensor == "dx" else found


def true_class_forgotten(claim: Claim) -> Iterator[Words]:
    """Right in every class but the true one."""
    given, true, here = claim.given, claim.true, _true_class(claim)
    off = (given - true)[here]
    if here.all():  # of one class nothing is left that could be right
        return
    if here.any() and close(given[~here], true[~here]) and np.ptp(off) > 1e-7 * np.abs(off).max():
        yield f"""true class wrong: The {here.sum()} entries of the true classes are wrong ({given[here][0]:.4g} for
            {true[here][0]:.4g} in the first image), by a number of each image's own; all others are right. Every other
            entry of a row has its counterpart there: look at what the loss does with the output of the true class."""
    elif here.any() and close(given[~here], true[~here]) and not close(off * len(claim.x), np.ones(off.shape)):
        yield f"""true class wrong: The {here.sum()} entries of the true classes are wrong ({given[here][0]:.6g} for
            {true[here][0]:.6g} in the first image), all by the same {off[0]:.6g}; all others are right. That is
            {off[0] * len(claim.x):.6g} / N: the target of the true class is {1 - off[0] * len(claim.x):.6g} where one
            of {1:g} is asked for, or off by as much from a smoothed one. Give it the very target that the loss has."""
    elif here.any() and close(given[~here], true[~here]):
        yield f"""true class forgotten: The {here.sum()} entries of the true classes are wrong ({given[here][0]:.4g}
            for {true[here][0]:.4g} in the first image), all others are right. The gradient is (P - onehot(y)) / N:
            subtract the one."""


def only_the_true_class(claim: Claim) -> Iterator[Words]:
    """Right in the true class, zero elsewhere."""
    given, true, here = claim.given, claim.true, _true_class(claim)
    if here.any() and close(given[here], true[here]) and zero(given[~here]).all():
        yield f"""only the true class: Only the true class' entries are filled; the other {(~here).sum()} are zero, and
            the largest of them should be {np.abs(true[~here]).max():.4g}. Every logit takes part in the softmax'
            sum."""


def _true_class(claim: Claim) -> np.ndarray:
    layer = claim.checkup.layer
    assert isinstance(layer, LossAsLayer)
    if layer.targets not in ("classes", "one-hot"):
        return np.zeros(claim.x.shape, bool)
    return layer.one_hot(len(claim.x)) == 1
