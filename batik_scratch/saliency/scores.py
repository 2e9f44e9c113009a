"""Which number is explained: a score per image, and its gradient at the logits, the seed of the backward pass.

    score                                value           d score / d logits
    logit of class c (the default)       z_c             e_c
    probability                          p_c             p_c (e_c - p)
    log-probability                      log p_c         e_c - p
    loss (cross-entropy)                 -log p_c        p - e_c
    margin over the strongest other j    z_c - z_j       e_c - e_j

Never divided by the batch: every image has a score of its own.
"""

import warnings
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
    p = softmax(logits)[rows, classes]  # (N,)
    return {"probability": p, "log_probability": np.log(p), "loss": -np.log(p)}[score]


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


def resolve_target(target: Target, logits: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """The class to explain for each image, (N,) whole numbers.

    target: a class index, one per image, "predicted" (the largest logit), or "true" (needs `labels`, and warns: a map
    made for the true class knows the answer, so it must never reach a model that is to be validated).
    """
    n, classes = logits.shape
    if isinstance(target, str):
        if target == "predicted":
            return logits.argmax(axis=1)
        if target != "true":
            raise InputError(f'target is a class index, one per image, "predicted" or "true"; got {target!r}')
        if labels is None:
            raise InputError('target="true" needs labels=, one class index per image')
        warnings.warn(
            "maps of the true class contain the answer: do not validate a model on them", UserWarning, stacklevel=3
        )
        target = labels
    chosen = np.asarray(target)
    if chosen.dtype.kind not in "iu" or chosen.shape not in ((), (n,)):
        raise InputError(f"target: needs one class index, or one for each of the {n} images; got {target!r}")
    if n and (chosen.min() < 0 or chosen.max() >= classes):
        raise InputError(f"target: classes are 0..{classes - 1}; got {chosen.min()}..{chosen.max()}")
    return np.broadcast_to(chosen, (n,))


def _strongest_other(logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    others = logits.copy()  # (N, U)
    others[np.arange(len(classes)), classes] = -np.inf
    return others.argmax(axis=1)  # (N,)
