"""cross_entropy: the loss on logits, and its gradient; after lesson 3.

forward   For each image: how probable is its true class? The loss is the mean of minus the logarithm of that.
          log P[n, j] = Z[n, j] - log sum_k exp(Z[n, k]); pick column y[n] of row n with [np.arange(N), y].
          -log_p[np.arange(len(y)), y].mean(), with log_p = shifted - log(sum of exp(shifted)) of each row
backward  The docstring has the formula: probabilities, minus 1 at the true class, divided by N.
          Raising a wrong logit raises the loss by P; raising the true one lowers it by 1 - P.
          p[np.arange(N), y] -= 1; return value, p / N, where p = np.exp(log_p)
special   exp(10000) is infinite, and log(0) too. The logarithm and the exponential cancel if you let them.
          log P = (Z - m) - log sum exp(Z - m), with m the row's maximum: no exponent above 0, and no log of 0.
"""

from typing import Any

import numpy as np

from .... import nn
from ....nn import losses
from ....nn.gradcheck import check_loss
from ....nn.layers.activations import softmax
from ..answer import Answer
from ..compare import Suspects, apart, unlike
from ..exercise import Exercise, Finding

reference = nn.SparseCategoricalCrossentropy.on_logits


def _draw() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 4)), np.array([0, 3, 1, 3, 2])


def _value_suspects(z: np.ndarray, y: np.ndarray) -> Suspects:
    p, rows = softmax(z), np.arange(len(y))
    log_p = np.log(p[rows, y])
    yield log_p.mean(), "The sign is wrong: the loss is *minus* the mean of log P, and never negative."
    yield -log_p.sum(), "This is the sum over the images; wanted is the mean (divide by N)."
    yield -log_p.sum() / z.size, "Divided by N*U; the mean is over the N images."
    yield -np.log(p).mean(), "All classes count; wanted is log P of the true class alone: log_p[np.arange(N), y]."
    yield -np.log(p).sum() / len(y), "All classes count; wanted is log P of the true class alone."
    columns = "log_p[:, y] picks whole columns; wanted is one number per row: log_p[np.arange(N), y]."
    yield -np.log(p[:, y]).mean(), columns
    yield -np.log(p[y]).mean(), columns.replace("[:, y]", "[y]").replace("columns", "rows")
    yield -np.log2(p[rows, y]).mean(), "This is the logarithm to base 2; wanted is the natural one, np.log."
    yield -np.log10(p[rows, y]).mean(), "This is the logarithm to base 10; wanted is the natural one, np.log."
    yield -p[rows, y].mean(), "The logarithm is missing."
    added = "is added to P before the logarithm, which changes it; Z - log sum exp(Z) needs no such help."
    for small in 10.0 ** np.arange(-8, -1):
        yield -np.log(p[rows, y] + small).mean(), f"{small:g} {added}"
    yield -z[rows, y].mean(), "The logits are taken for log P; subtract log(sum exp(Z)) of each row."
    over_images = np.exp(z) / np.exp(z).sum(axis=0)
    yield -np.log(over_images[rows, y]).mean(), "The softmax runs over the images (axis 0); wanted is axis 1."


def _gradient_suspects(z: np.ndarray, y: np.ndarray) -> Suspects:
    p, n = softmax(z), len(y)
    onehot = np.eye(z.shape[1])[y]
    yield p - onehot, "dlogits is not divided by N, but the loss is a mean: N times too large."
    yield (p - onehot) / n**2, "dlogits is divided by N twice."
    yield (p - onehot) / z.size, "dlogits is divided by N*U; the mean is over the N images."
    yield (onehot - p) / n, "dlogits has the wrong sign: P - onehot, not onehot - P."
    yield p / n, "dlogits lacks the one-hot part: subtract 1 at the true class of each row."
    yield -onehot / n, "dlogits lacks P: every logit has a share in the sum of exponentials, not only the true one."
    yield -onehot / (p * n), "This is the gradient for the probabilities, -1/P; wanted is the one for the logits."
    yield (p - 1) / n, "1 is subtracted from every class; only the true class of each row loses 1."
    yield np.where(onehot == 1, (p - 1) / n, 0), "dlogits is 0 outside the true class; the others get P / N."


def _value(answer: Answer) -> list[Finding]:
    logits, y = _draw()
    given, labels = logits.copy(), y.copy()
    result = answer.thing(given, labels)
    if not isinstance(result, tuple) or len(result) != 2:
        got = "None" if result is None else f"a {type(result).__name__}"
        sentence = f"cross_entropy returns {got}; it must return two things: value, dlogits."
        return answer.found("forward", sentence)
    expected = np.asarray(reference(logits, y)[0])
    wrong = unlike(result[0], expected, "the loss", _value_suspects(logits, y))
    if wrong is None and not (np.array_equal(given, logits) and np.array_equal(labels, y)):
        wrong = "cross_entropy changes its logits or labels; work on new arrays.", ()
    return answer.found("forward", *wrong) if wrong else []


def _gradient(answer: Answer) -> list[Finding]:
    logits, y = _draw()
    _, dlogits = answer.thing(logits.copy(), y.copy())
    _, expected = reference(logits, y)
    if wrong := unlike(dlogits, expected, "dlogits", _gradient_suspects(logits, y)):
        return answer.found("backward", *wrong)
    report = check_loss(lambda z, labels: answer.thing(z.real.copy(), labels))  # it need not take complex numbers
    if report.ok:
        return []
    worst = report.tensors[0]
    said, measured = apart(worst.analytic, worst.numeric)
    details = (
        f"at {list(worst.worst)} dlogits is {said}; moving that logit a little, the gradient check measures {measured}",
    )
    return answer.found("backward", "dlogits is not the slope of the loss.", details)


def _large_logits(answer: Answer) -> list[Finding]:
    logits, y = np.array([[1e4, 0.0, -1e4], [0.0, 0.0, 1e4]]), np.array([1, 2])
    value, dlogits = answer.thing(logits.copy(), y.copy())
    expected, right = reference(logits, y)
    if np.allclose(value, expected) and np.allclose(dlogits, right):
        return []
    details = (
        f"logits [10000, 0, -10000] with label 1 and [0, 0, 10000] with label 2 give {value}, should be {expected:g}",
    )
    return answer.found("special", _lost(value, dlogits, expected, right), details)


def _lost(value: Any, dlogits: np.ndarray, expected: Any, right: np.ndarray) -> str:
    """What became of large logits."""
    if np.isfinite(value) and np.allclose(value, expected):
        return "The loss of large logits is right, but dlogits is not: (P - onehot(y)) / N, however large they are."
    if np.isfinite(value):
        return (
            "A limit on P (np.clip, or a small number that is added) keeps the loss of a hopeless image too small: "
            "take the logarithm of the sum of exponentials instead, which needs no limit."
        )
    if np.allclose(dlogits, right):
        return (
            "A probability became 0, and its logarithm is lost: take the logarithm of the sum of exponentials instead."
        )
    return "Large logits overflow: subtract each row's maximum, and never take the logarithm of a probability."


EXERCISE = Exercise(
    __doc__,
    reference,
    # the value, the gradient against the reference and the loss itself, large logits
    [("forward", _value), ("gradient", _gradient), ("special cases", _large_logits)],
    answer="cross_entropy",
    docstring=losses.__doc__ or "",
    writes=(),
    forbidden=("SparseCategoricalCrossentropy", "on_logits"),
)
