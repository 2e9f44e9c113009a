"""softmax: from logits to probabilities, and the whole Jacobian back; after lesson 3.

forward   Two steps: make everything positive, then make each row add up to 1.
          The sum runs over the classes, axis=1; keepdims=True leaves it (N, 1), so that it divides row by row.
          powers = np.exp(x - x.max(axis=1, keepdims=True)); p = powers / powers.sum(axis=1, keepdims=True)
backward  Raise one logit, and *every* probability of its row moves: one grows, the others shrink.
          dP_j/dZ_k is P_j (1 - P_j) on the diagonal and -P_j P_k off it. Multiply by dP_j and add up over j.
          dZ = p * (dy - (dy * p).sum(axis=1, keepdims=True))
special   exp(1000) is too large for any float. What can be subtracted from a whole row without changing P?
          exp(z - m) / sum exp(z - m) is the same for every m. Which m keeps all exponents at 0 or below?
          np.exp(x - x.max(axis=1, keepdims=True))
"""

import numpy as np

from .... import nn
from ....nn.layers.activations import softmax
from ..answer import Answer
from ..compare import Suspects
from ..exercise import Finding
from ..layer_questions import layer_exercise


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    apart, largest = "Each row must add up to 1", x.max(axis=1, keepdims=True)
    for powers in (np.exp(x), np.exp(x - largest)):
        yield powers, f"{apart}: the exponentials are not divided by their sum."
    for powers in (np.exp(x), np.exp(x - largest), np.exp(x - x.max(axis=0))):
        over_images = f"{apart}: the sum runs over the images (axis 0) instead of the classes (axis 1)."
        yield powers / powers.sum(axis=0), over_images
        over_all = f"{apart}: the sum runs over everything instead of over each row (axis=1, keepdims=True)."
        yield powers / powers.sum(), over_all
    yield np.log(y), "This is the logarithm of the softmax."
    yield 1 / (1 + np.exp(-x)), "This is the sigmoid: every class for itself; softmax divides each row by its sum."
    yield x / x.sum(axis=1, keepdims=True), "The exponential is missing."
    wrong_base = 2.0 ** (x - largest)
    yield wrong_base / wrong_base.sum(axis=1, keepdims=True), "The powers are those of 2; softmax takes e (np.exp)."


def no_overflow(answer: Answer) -> list[Finding]:
    """Large logits, which exp alone cannot take."""
    logits = np.array([[1e4, 0], [-1e4, -1e4], [1e4, 1e4 - 1]])
    p = answer.thing().forward(logits.copy())
    right = softmax(logits)
    if np.allclose(p, right):
        return []
    sentence = (
        "Nothing overflows, but the shares of large logits are wrong: only their differences count, so subtract each "
        "row's maximum before np.exp, and cut nothing off."
        if np.isfinite(p).all()
        else "Large logits overflow: subtract each row's maximum before np.exp; that changes nothing else."
    )
    row = int(np.argmin(np.isclose(p, right).all(axis=1)))
    details = (f"logits {logits[row].tolist()} give {p[row].tolist()}, should be {right[row].round(6).tolist()}",)
    return answer.found("special", sentence, details, at="forward")


EXERCISE = layer_exercise(
    __doc__, nn.Softmax, [("5 classes", (5,)), ("2 classes", (2,))], _suspects, specials=[no_overflow]
)
