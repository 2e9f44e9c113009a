"""batch_normalization: batch normalisation, both passes, moving statistics; after lessons 8, 23.

forward   For every channel: subtract its mean, divide by its deviation, multiply by gamma, add beta.
          In training mean and variance are the batch's, over all axes but the last: over = tuple(range(x.ndim - 1)).
          normed = (x - mean) / np.sqrt(variance + self.epsilon); y = gamma * normed + beta
moving    In training the two moving ones go a little of the way to the batch's: the old keeps momentum of itself.
          With momentum 0.99, one batch counts for a hundredth. The variance is the one that forward divides by, over M.
          self.params[key][...] = self.momentum * self.params[key] + (1 - self.momentum) * new
gamma     gamma multiplies the normalised x at every image and place, and collects what arrives at each.
          As for the kernel of a dense layer: input times upstream gradient, added up. What is its input?
          self.grads["gamma"] = (dy * normed).sum(axis=over)
beta      beta is added at every image and place: it collects dy from all of them.
          Sum dy over all axes but the last.
          self.grads["beta"] = dy.sum(axis=over)
backward  An x reaches y by three ways: directly, through the mean, and through the variance.
          The way through the mean takes the mean from gamma dy / s; that through the variance its part along normed.
          dx = gamma / s * (dy - dbeta / m - normed * dgamma / m), with m = dy.size // dy.shape[-1]
rest      Where training is False an image must not depend on the others in its batch: what is there instead?
          moving_mean and moving_variance, which stay as they are. No x moves them, so only the direct way is left.
          keep whether it was training beside normed and s; at rest dx = gamma / s * dy
"""

import numpy as np

from .... import nn
from ....errors import InputError
from ..answer import Answer
from ..compare import Suspects, same, unlike
from ..exercise import Finding
from ..layer_questions import layer_exercise

MOVING = ("moving_mean", "moving_variance")
OPTIONS = {"momentum": 0.7, "epsilon": 0.05}  # so large that it shows what was done with them
SHAPE = (3, 4, 2)
OVER = (0, 1, 2)


def _suspects(layer: nn.Layer, x: np.ndarray, y: np.ndarray) -> Suspects:
    assert isinstance(layer, nn.BatchNormalization)
    gamma, beta = layer.params["gamma"], layer.params["beta"]
    over, epsilon = tuple(range(x.ndim - 1)), layer.epsilon

    def normed(axes: tuple[int, ...], ddof: int = 0) -> np.ndarray:
        mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, ddof=ddof, keepdims=True)
        return (x - mean) / np.sqrt(variance + epsilon)

    right, mean, variance = normed(over), x.mean(axis=over), x.var(axis=over)
    yield gamma * right, "beta is not added."
    yield right + beta, "gamma is left out: y = gamma * normed + beta."
    yield right, "gamma and beta are left out: y = gamma * normed + beta."
    yield beta * right + gamma, "gamma and beta are swapped: gamma multiplies, beta is added."
    yield gamma * (x - mean) + beta, "The mean is subtracted, and the deviation does not divide."
    yield gamma * x / np.sqrt(variance + epsilon) + beta, "The mean is not subtracted."
    yield gamma * (x - mean) / (variance + epsilon) + beta, "The root is missing: divide by sqrt(variance + epsilon)."
    yield gamma * (x - mean) / np.sqrt(variance) + beta, "Epsilon is missing: divide by sqrt(variance + epsilon)."
    beside = np.sqrt(variance) + epsilon
    yield (
        gamma * (x - mean) / beside + beta,
        "Epsilon stands beside the root; it is inside, sqrt(variance + epsilon).",
    )
    if x[..., 0].size > 1:
        fewer = "The variance is divided by M - 1; here it is the mean of the squares, over M (np.var as it is)."
        yield gamma * normed(over, ddof=1) + beta, fewer
    everything = tuple(range(x.ndim)), "One mean and one variance are taken over everything"
    for axes, words in (*AVERAGED.items(), everything):
        if axes != over and max(axes) < x.ndim:
            yield (
                gamma * normed(axes) + beta,
                f"{words}; wanted is one of each per channel, over all axes but the last.",
            )
    rest = (x - layer.params["moving_mean"]) / np.sqrt(layer.params["moving_variance"] + epsilon)
    yield gamma * rest + beta, "Training normalises by the moving mean and variance; it must take the batch's own."


AVERAGED = {
    (0,): "Mean and variance are taken over the images alone, place by place",
    (1, 2): "Mean and variance are taken over each image for itself",
    (1,): "Mean and variance are taken along axis 1",
}


def _fresh(answer: Answer) -> nn.BatchNormalization:
    """The student's layer with parameters that are all different, in float64."""
    layer = answer.thing(**OPTIONS).astype("float64")
    layer.build(SHAPE, np.random.default_rng(0))
    for number, key in enumerate(layer.params):
        layer.params[key] = np.array([0.6, 1.7]) + 0.4 * number  # (C,)
    return layer


def _batch(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(1.5, 2.0, (4, *SHAPE))


def moves_what_is_moving(answer: Answer) -> list[Finding]:
    """moving_mean and moving_variance after one training pass, and after two."""
    layer = _fresh(answer)
    for seed in (1, 2):
        x, before = _batch(seed), {key: layer.params[key].copy() for key in MOVING}
        layer.forward(x.copy(), training=True)
        new = {"moving_mean": x.mean(axis=OVER), "moving_variance": x.var(axis=OVER)}
        for key in MOVING:
            old, m = before[key], layer.momentum
            what = f"after a training pass {key}"
            if wrong := unlike(layer.params[key], m * old + (1 - m) * new[key], what, _moves(key, old, new, x, m)):
                return answer.found("moving", *wrong, at="forward")
    return []


def _moves(key: str, old: np.ndarray, new: dict[str, np.ndarray], x: np.ndarray, m: float) -> Suspects:
    batch, count = new[key], x[..., 0].size
    yield old, f"{key} stays as it was: in training it moves a little of the way to the batch's."
    yield (
        m * batch + (1 - m) * old,
        f"momentum and 1 - momentum are swapped in {key}: the old keeps momentum.",
    )
    yield batch, f"{key} is this batch's alone: the old keeps momentum of itself."
    yield m * old + batch, f"In {key} the factor 1 - momentum is missing at the batch's."
    yield old + (1 - m) * batch, f"{key} only grows: the old must shrink, momentum * old + (1 - momentum) * new."
    yield m * old, f"In {key} the batch's own part is missing."
    if key == "moving_variance":
        share = 1 - m
        sample = "moving_variance takes the variance over M - 1 (PyTorch does); here it is the one of forward, over M."
        yield m * old + share * batch * count / (count - 1), sample
        yield m * old + share * np.sqrt(batch), "moving_variance takes the deviation; leave the root to forward."
        yield m * old + share * (batch + OPTIONS["epsilon"]), "moving_variance takes epsilon in; leave it to forward."
        yield m * old + share * new["moving_mean"], "moving_variance takes the batch's mean; it must take its variance."


def rests_on_what_was_moved(answer: Answer) -> list[Finding]:
    """The forward pass at rest: by the moving statistics, which stay where they are."""
    layer, x = _fresh(answer), _batch(3)
    before = {key: value.copy() for key, value in layer.params.items()}
    y = layer.forward(x.copy())
    for key, value in before.items():
        if not np.array_equal(layer.params[key], value):
            sentence = f"Where training is False forward moves {key}; put that line under `if training:`."
            return answer.found("rest", sentence, at="forward")
    gamma, beta, mean, variance = (before[key] for key in ("gamma", "beta", *MOVING))
    spread, what = np.sqrt(variance + layer.epsilon), "the output where training is False"

    def suspects() -> Suspects:
        batch = gamma * (x - x.mean(axis=OVER)) / np.sqrt(x.var(axis=OVER) + layer.epsilon) + beta
        yield batch, "Where training is False forward still normalises by the batch; take moving_mean, moving_variance."
        yield (
            x,
            "Where training is False forward hands on its input; it normalises by the moving statistics there.",
        )
        yield gamma * (x - mean) / np.sqrt(variance) + beta, "Epsilon is missing where training is False."
        yield gamma * (x - mean) / (variance + layer.epsilon) + beta, "The root is missing where training is False."
        yield (x - mean) / spread, "gamma and beta are left out where training is False."

    wrong = unlike(y, gamma * (x - mean) / spread + beta, what, suspects())
    return answer.found("rest", *wrong, at="forward") if wrong else []


def goes_back_at_rest(answer: Answer) -> list[Finding]:
    """The backward pass of a pass at rest that was kept: mean and variance are constants there."""
    layer, x = _fresh(answer), _batch(4)
    dy = np.random.default_rng(5).standard_normal(x.shape)
    layer.forward(_batch(6), training=True)
    earlier = layer.backward(dy.copy())
    layer.forward(x.copy(), training=False, keep=True)
    mean, variance = (layer.params[key].copy() for key in MOVING)
    try:
        dx = layer.backward(dy.copy())
    except InputError:  # nothing was kept: the promises say it
        return []
    gamma, spread = layer.params["gamma"], np.sqrt(variance + layer.epsilon)
    normed = (x - mean) / spread
    right, count = gamma / spread * dy, x[..., 0].size
    along = (dy.sum(axis=OVER) + normed * (dy * normed).sum(axis=OVER)) / count
    constants = "dx loses two terms, but at rest mean and variance are constants: only gamma / s * dy is left."
    kept = "backward goes back through the training pass before: keep by self._keep(value, training, keep)."
    suspects = [(gamma / spread * (dy - along), constants), (earlier, kept)]
    if wrong := unlike(dx, right, "dx of a pass at rest", suspects):
        return answer.found("rest", f"After forward(x, training=False, keep=True): {wrong[0]}", wrong[1], at="backward")
    for key, gradient in (("gamma", (dy * normed).sum(axis=OVER)), ("beta", dy.sum(axis=OVER))):
        if not same(layer.grads[key], gradient):
            sentence = f"After forward(x, training=False, keep=True) the gradient of {key} is not that of this pass."
            return answer.found("rest", sentence, at="backward")
    return []


EXERCISE = layer_exercise(
    __doc__,
    nn.BatchNormalization,
    [("maps of 3 x 4 x 2", SHAPE), ("rows of 5", (5,))],
    _suspects,
    specials=[moves_what_is_moving, rests_on_what_was_moved, goes_back_at_rest],
)
