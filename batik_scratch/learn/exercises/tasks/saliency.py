"""saliency: the gradient of a logit at the pixels; after lessons 2, 3, 13, 14.

map       Three parts: forward through the layers, a seed at the logits, backward through the same layers reversed.
          The score is one logit of each image, so the seed is e_c: 1 at its class, 0 elsewhere. The softmax stays out.
          dy = np.zeros_like(y); dy[np.arange(len(images)), classes] = 1; for layer in reversed(model.layers[:-1]): dy
            = layer.backward(dy, need_grads=False)
promises  Explaining is not training: nothing in the model may change.
          layer.backward(dy, need_grads=False); and model.layers[:-1] instead of model.layers.pop().
"""

import numpy as np

from .... import nn
from ....nn.layers.activations import softmax
from ....saliency import Gradient
from ..answer import Answer
from ..compare import Suspects, wrong_kind, wrong_numbers
from ..exercise import Exercise, Finding

CLASSES = np.array([2, 0, 2])


def network() -> nn.Sequential:
    """A small network with all that matters here: overlaps, dropout, a softmax; each image has another first choice."""
    features = [nn.Conv2D(4, 3), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dropout(0.3)]
    classes = [nn.Dense(3, kernel_initializer="he_normal"), nn.Softmax()]
    model = nn.Sequential([*features, *classes], (7, 8, 2), random_state=21, dtype="float64")
    model.compile(loss=nn.SparseCategoricalCrossentropy())
    return model


def _images() -> np.ndarray:
    return np.random.default_rng(4).random((3, 7, 8, 2))


def _suspects(model: nn.Sequential, images: np.ndarray, right: np.ndarray) -> Suspects:
    through = "The way goes through the softmax: this explains the probability; leave the last layer out for the logit."
    rest = "The seed keeps old numbers beside the 1: begin with np.zeros_like(y), then set the one place of each image."
    mixed = "dy[:, classes] = 1 sets these columns in every row; pick one column per row: [np.arange(N), classes]."
    logits, ones = model.logits(images), np.ones((len(images), 3))
    p, own, everywhere = softmax(logits), np.eye(3)[CLASSES], ones * np.eye(3)[CLASSES].any(axis=0)
    old = [np.where(seed == 1, 1, beside) for beside in (logits, p) for seed in (own, everywhere)]
    seeds = [
        (ones, "The seed is 1 for every class, so all logits are explained at once; wanted is e_c."),
        (_behind_softmax(own, p), through),
        (own - p, "The seed is e_c - P (the log-probability); for the logit it is e_c."),
        (p - own, "The seed is P - e_c, as in training; for the logit it is e_c."),
        (logits, "The seed is the logits; it must be 1 at the class and 0 elsewhere."),
        (logits * own, "The seed is the logit itself; its derivative by itself is 1."),
        (np.eye(3)[logits.argmax(axis=1)], "The predicted class is explained instead of the one in `classes`."),
        (ones * own[0], "All images get the class of the first; each has its own in `classes`."),
        *((seed, rest) for seed in old[:2]),
        *((_behind_softmax(seed, p), f"{through} {rest}") for seed in (*old[2:], everywhere)),
        (everywhere, mixed),
    ]

    def by(seed: np.ndarray) -> np.ndarray:
        return model.input_gradient(images, lambda logits: seed)

    yield right / len(images), "The map is divided by the number of images; every image has a score of its own."
    yield np.abs(right), "The sign is lost: return the gradient as it is, without abs."
    yield images * right, "This is gradient times input; wanted is the gradient."
    for seed, sentence in seeds:
        yield by(seed), sentence


def _behind_softmax(seed: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The seed at the probabilities p, carried back through the softmax."""
    return p * (seed - (seed * p).sum(axis=1, keepdims=True))


def _map(answer: Answer) -> list[Finding]:
    model, images = network(), _images()
    right = Gradient(network()).attribute(images, target=CLASSES)
    given = images.copy()
    found = answer.thing(model, given, CLASSES.copy())
    if wrong := wrong_kind(found, right, "the map"):
        return answer.found("map", *wrong)
    if not np.array_equal(given, images):
        return answer.found("map", "The images are changed; work on new arrays.")
    wrong = wrong_numbers(found, right, "the map", _suspects(network(), images, right))
    if wrong and not np.array_equal(answer.thing(model, given, CLASSES.copy()), found):
        sentence = "Two calls give two maps: dropout is awake. Call forward(x, keep=True), without training=True."
        return answer.found("map", sentence)
    return answer.found("map", *wrong) if wrong else []


def _promises(answer: Answer) -> list[Finding]:
    """The model stays as it is, the gradients of a training step included."""
    model, images = network(), _images()
    model.train_gradients(images, CLASSES)
    count, before = len(model.layers), _arrays(model)
    answer.thing(model, images, CLASSES.copy())
    if len(model.layers) != count:
        return answer.found("promises", "A layer is taken out of model.layers for good; use model.layers[:-1].")
    if all(np.array_equal(a, b) for a, b in zip(before, _arrays(model), strict=False)):
        return []
    return answer.found("promises", "The parameters' gradients are overwritten: call backward(dy, need_grads=False).")


def _arrays(model: nn.Sequential) -> list[np.ndarray]:
    return [value.copy() for layer in model.layers for value in (*layer.params.values(), *layer.grads.values())]


EXERCISE = Exercise(
    __doc__,
    Gradient,
    [("map", _map), ("promises", _promises)],  # the map, then what must stay as it is
    answer="gradient_map",
    writes=(),
    forbidden=("input_gradient", "gradient_at", "attribute"),
)
