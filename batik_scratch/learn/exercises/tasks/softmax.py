"""The exercise Softmax."""

from collections.abc import Iterator, Sequence

import numpy as np

from .... import nn
from ....nn.layers.activations import softmax
from ..answer import Answer
from ..compare import Suspect
from ..exercise import Exercise, Finding
from ..layer_steps import LayerSteps
from ..trials import Case


def suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Iterator[Suspect]:
    """What known mistakes of the forward pass would give."""
    powers = np.exp(x)
    apart = "Each row must add up to 1"
    yield powers, f"{apart}: the exponentials are not divided by their sum."
    yield np.exp(x - x.max(axis=1, keepdims=True)), f"{apart}: the exponentials are not divided by their sum."
    for kind in (powers, np.exp(x - x.max(axis=1, keepdims=True)), np.exp(x - x.max(axis=0))):
        yield (
            kind / kind.sum(axis=0),
            f"{apart}: the sum runs over the images (axis 0) instead of the classes (axis 1).",
        )
        yield (
            kind / kind.sum(),
            f"{apart}: the sum runs over everything instead of over each row (axis=1, keepdims=True).",
        )
    yield np.log(y), "This is the logarithm of the softmax."
    yield 1 / (1 + np.exp(-x)), "This is the sigmoid: every class for itself; softmax divides each row by its sum."
    yield x / x.sum(axis=1, keepdims=True), "The exponential is missing."
    wrong_base = 2.0 ** (x - x.max(axis=1, keepdims=True))
    yield wrong_base / wrong_base.sum(axis=1, keepdims=True), "The powers are those of 2; softmax takes e (np.exp)."


def no_overflow(answer: Answer) -> Sequence[Finding]:
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
    return [Finding("special", sentence, details, answer.line_of("forward"))]


EXERCISE = Exercise(
    name="softmax",
    answer="Softmax",
    task="from logits to probabilities, and the whole Jacobian back",
    after=(3,),
    reference=nn.Softmax,
    docstring=nn.Softmax.__doc__ or "",
    writes=("forward", "backward"),
    examine=LayerSteps([Case("5 classes", (5,)), Case("2 classes", (2,))], suspects, specials=[no_overflow]),
    hints={
        "forward": (
            "Two steps: make everything positive, then make each row add up to 1.",
            "The sum runs over the classes, axis=1; keepdims=True leaves it (N, 1), so that it divides row by row.",
            "powers = np.exp(x - x.max(axis=1, keepdims=True)); p = powers / powers.sum(axis=1, keepdims=True)",
        ),
        "backward": (
            "Raise one logit, and *every* probability of its row moves: one grows, the others shrink.",
            "dP_j/dZ_k is P_j (1 - P_j) on the diagonal and -P_j P_k off it. Multiply by dP_j and add up over j.",
            "dZ = p * (dy - (dy * p).sum(axis=1, keepdims=True))",
        ),
        "special": (
            "exp(1000) is too large for any float. What can be subtracted from a whole row without changing P?",
            "exp(z - m) / sum exp(z - m) is the same for every m. Which m keeps all exponents at 0 or below?",
            "np.exp(x - x.max(axis=1, keepdims=True))",
        ),
    },
)
