"""The exercise gradient saliency: the backward pass, carried on to the pixels."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .... import nn
from ....nn.layers.activations import softmax
from ....saliency import Gradient
from ..answer import Answer
from ..compare import Suspect, wrong_kind, wrong_numbers
from ..exercise import Exercise, Finding, Step

CLASSES = np.array([2, 0, 2])


def examine(answer: Answer) -> Iterator[Step]:
    """The map, then what must stay as it is."""
    yield "map", lambda: _map(answer)
    yield "promises", lambda: _promises(answer)


def network() -> nn.Sequential:
    """A small network with all that matters here: overlaps, dropout, a softmax, and for each image another first choice."""
    layers = [
        nn.Conv2D(4, 3),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Dense(3, kernel_initializer="he_normal"),
        nn.Softmax(),
    ]
    model = nn.Sequential(layers, (7, 8, 2), random_state=21, dtype="float64")
    model.compile(loss=nn.SparseCategoricalCrossentropy())
    return model


def _images() -> np.ndarray:
    return np.random.default_rng(4).random((3, 7, 8, 2))


def _always(seed: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda logits: seed


def _suspects(model: nn.Sequential, images: np.ndarray, right: np.ndarray) -> Iterator[Suspect]:
    logits = model.logits(images)
    p, onehot = softmax(logits), np.eye(3)[CLASSES]
    seeded = model.input_gradient
    own = (p * onehot).sum(axis=1, keepdims=True)
    yield (
        seeded(images, np.ones_like),
        "The seed is 1 for every class, so all logits are explained at once; wanted is e_c.",
    )
    through = "The way goes through the softmax: this explains the probability; leave the last layer out for the logit."
    yield seeded(images, lambda z: own * (onehot - p)), through
    yield seeded(images, lambda z: onehot - p), "The seed is e_c - P (the log-probability); for the logit it is e_c."
    yield seeded(images, lambda z: p - onehot), "The seed is P - e_c, as in training; for the logit it is e_c."
    yield seeded(images, lambda z: logits), "The seed is the logits; it must be 1 at the class and 0 elsewhere."
    yield seeded(images, lambda z: logits * onehot), "The seed is the logit itself; its derivative by itself is 1."
    yield right / len(images), "The map is divided by the number of images; every image has a score of its own."
    yield np.abs(right), "The sign is lost: return the gradient as it is, without abs."
    yield images * right, "This is gradient times input; wanted is the gradient."
    largest = logits.argmax(axis=1)
    predicted = "The predicted class is explained instead of the one in `classes`."
    yield seeded(images, lambda z: np.eye(3)[largest]), predicted
    first = np.zeros_like(onehot)
    first[:, CLASSES[0]] = 1
    yield seeded(images, lambda z: first), "All images get the class of the first; each has its own in `classes`."
    everywhere = np.zeros_like(onehot)
    everywhere[:, CLASSES] = 1
    rest = "The seed keeps old numbers beside the 1: begin with np.zeros_like(y), then set the one place of each image."
    for seed in (np.where(onehot == 1, 1, logits), np.where(everywhere == 1, 1, logits)):
        yield seeded(images, _always(seed)), rest
    for seed in (np.where(onehot == 1, 1, p), np.where(everywhere == 1, 1, p), everywhere):
        through_softmax = p * (seed - (seed * p).sum(axis=1, keepdims=True))
        yield seeded(images, _always(through_softmax)), f"{through} {rest}"
    mixed = "dy[:, classes] = 1 sets these columns in every row; pick one column per row: [np.arange(N), classes]."
    yield seeded(images, lambda z: everywhere), mixed


def _found(answer: Answer, part: str, sentence: str, details: tuple[str, ...] = ()) -> list[Finding]:
    return [Finding(part, sentence, details, answer.line_of("gradient_map", "dx"))]


def _map(answer: Answer) -> Sequence[Finding]:
    model, images = network(), _images()
    right = Gradient(network()).attribute(images, target=CLASSES)
    given = images.copy()
    found = answer.thing(model, given, CLASSES.copy())
    if wrong := wrong_kind(found, right, "the map"):
        return _found(answer, "map", *wrong)
    if not np.array_equal(given, images):
        return _found(answer, "map", "The images are changed; work on new arrays.")
    suspects = list(_suspects(network(), images, right))
    wrong = wrong_numbers(found, right, "the map", suspects)
    if wrong is None:
        return []
    again = answer.thing(model, given, CLASSES.copy())
    if not np.array_equal(again, found):
        sentence = "Two calls give two maps: dropout is awake. Call forward(x, keep=True), without training=True."
        return _found(answer, "map", sentence)
    return _found(answer, "map", *wrong)


def _promises(answer: Answer) -> Sequence[Finding]:
    """The model stays as it is, the gradients of a training step included."""
    model, images = network(), _images()
    model.train_gradients(images, CLASSES)
    before = [value.copy() for layer in model.layers for value in (*layer.params.values(), *layer.grads.values())]
    count = len(model.layers)
    answer.thing(model, images, CLASSES.copy())
    after = [value for layer in model.layers for value in (*layer.params.values(), *layer.grads.values())]
    if len(model.layers) != count:
        return _found(answer, "promises", "A layer is taken out of model.layers for good; use model.layers[:-1].")
    if all(np.array_equal(a, b) for a, b in zip(before, after, strict=False)):
        return []
    sentence = "The parameters' gradients are overwritten: call backward(dy, need_grads=False)."
    return _found(answer, "promises", sentence)


EXERCISE = Exercise(
    name="saliency",
    answer="gradient_map",
    task="the gradient of a logit at the pixels",
    after=(2, 3, 13, 14),
    reference=Gradient,
    docstring=Gradient.__doc__ or "",
    writes=(),
    examine=examine,
    forbidden=("input_gradient", "gradient_at", "attribute"),
    hints={
        "map": (
            "Three parts: forward through the layers, a seed at the logits, backward through the same layers reversed.",
            "The score is one logit of each image, so the seed is e_c: 1 at its class, 0 elsewhere. The softmax stays out.",
            "dy = np.zeros_like(y); dy[np.arange(len(images)), classes] = 1; "
            "for layer in reversed(model.layers[:-1]): dy = layer.backward(dy, need_grads=False)",
        ),
        "promises": (
            "Explaining is not training: nothing in the model may change.",
            "layer.backward(dy, need_grads=False); and model.layers[:-1] instead of model.layers.pop().",
        ),
    },
)
