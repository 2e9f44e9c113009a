"""Which number is explained: a score per image, and its gradient at the logits, the seed of the backward pass.

    score                                value           d score / d logits
    logit of class c (the default)       z_c             e_c
    probability                          p_c             p_c (e_c - p)
    log-probability                      log p_c         e_c - p
    loss (cross-entropy)                 -log p_c        p - e_c
    margin over the strongest other j    z_c - z_j       e_c - e_j

Never divided by the batch: every image has a score of its own.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..nn.layers.activations import softmax

SCORES = ("logit", "probability", "log_probability", "loss", "margin")
Target = int | str | Sequence[int] | np.ndarray


def value(score: str, logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The score (N,) of logits (N, U) for the class of each image, `classes` (N,)."""
    rows = np.arange(len(classes))
    if score == "logit":
        return logits[rows, classes]
    if score == "margin":
        return logits[rows, classes] - logits[rows, _strongest_other(logits, classes)]
    if score == "probability":
        return softmax(logits)[rows, classes]
    shifted = logits - logits.max(axis=1, keepdims=True)  # (N, U)
    log_p = shifted[rows, classes] - np.log(np.exp(shifted).sum(axis=1))  # (N,): finite even if the probability is 0
    return log_p if score == "log_probability" else -log_p


def seed(score: str, logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """d score / d logits (N, U) for the class of each image, `classes` (N,)."""
    check_score(score)
    onehot = np.zeros_like(logits)  # (N, U)
    onehot[np.arange(len(classes)), classes] = 1
    if score == "logit":
        return onehot
    if score == "margin":
        onehot[np.arange(len(classes)), _strongest_other(logits, classes)] = -1
        return onehot
    p = softmax(logits)  # (N, U)
    if score == "log_probability":
        return onehot - p
    if score == "loss":
        return p - onehot
    return (p * onehot).sum(axis=1, keepdims=True) * (onehot - p)  # (N, U)


def check_score(score: str) -> None:
    """InputError unless it is a score."""
    if score not in SCORES:
        raise InputError(f"score is one of {', '.join(SCORES)}; got {score!r}")


def check_classes(target: Target, n: int, outputs: int) -> np.ndarray:
    """The class to explain for each of `n` images, (N,) whole numbers below `outputs`; one number counts for all."""
    if isinstance(target, str):
        raise InputError(f'target is a class index, one per image, "predicted" or "true"; got {target!r}')
    chosen = np.asarray(target)
    if chosen.dtype.kind not in "iu" or chosen.shape not in ((), (n,)):
        raise InputError(f"target: needs one class index, or one for each of the {n} images; got {target!r}")
    if chosen.size and (chosen.min() < 0 or chosen.max() >= outputs):
        raise InputError(f"target: classes are 0..{outputs - 1}; got {chosen.min()}..{chosen.max()}")
    return np.broadcast_to(chosen, (n,))


def _strongest_other(logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    others = logits.copy()  # (N, U)
    others[np.arange(len(classes)), classes] = -np.inf
    return others.argmax(axis=1)  # (N,)
