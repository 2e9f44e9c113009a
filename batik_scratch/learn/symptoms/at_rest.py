"""A layer that works otherwise at rest, when `training` is False: promises that it breaks there alone."""

import copy
from collections.abc import Iterator

import numpy as np

from ...nn.gradcheck.jacobian import jacobian
from ...nn.gradcheck.rest import image_by_image, swapped
from ...nn.gradcheck.specimen import Failure
from .checkup import Checkup, close
from .claim import Diagnosis, place_of_largest


def at_rest(done: Checkup) -> list[Diagnosis]:
    """The first of the findings below; of a layer of which everything is trained, whether it hears `keep`."""
    if not done.specimen.at_rest:
        return [] if done.case.of_a_loss else keep_not_heard(done)
    try:
        first = next((found for look in LOOKS for found in look(done)), None)
    except Failure as failure:
        words = f"""right in training alone: In training everything is right; at rest (training=False, keep=True)
            {failure.stage} stops with {failure}."""
        first = Diagnosis.told(failure.stage, words)
    return [] if first is None else [first]


def moved_at_rest(done: Checkup) -> Iterator[Diagnosis]:
    """A pass at rest changes what only training may."""
    for key, now in done.specimen.after(done.x, training=False).items():
        was = done.specimen.layer.params[key]
        if now.shape != was.shape or not np.array_equal(now, was, equal_nan=True):
            words = f"""moved at rest: A forward pass with training=False changes {key}: whoever predicts, or measures
                the accuracy, then changes the network. Only training moves it: put that line under `if training:`."""
            yield Diagnosis.told(key, words)


def momentum_swapped(done: Checkup) -> Iterator[Diagnosis]:
    """One batch takes the place of nearly all that the layer remembered."""
    shares = swapped(done.specimen, done.x)
    for key, share in shares.items():
        words = f"""momentum swapped: One training pass leaves {share:.4g} of what was in {" and ".join(shares)}, and
            the layer's momentum is {1 - share:.4g}: the shares of the old and the new are swapped, so that next to
            nothing is left but the last batch. The old keeps the larger share: momentum * old + (1 - momentum) *
            new."""
        yield Diagnosis.told(key, words)


def batch_statistics_at_rest(done: Checkup) -> Iterator[Diagnosis]:
    """An image's output depends on what else is in its batch."""
    y, alone = image_by_image(done.specimen, done.x)
    if y.shape == alone.shape and not close(y, alone):
        kept = " and ".join(done.specimen.at_rest)
        words = f"""batch statistics at rest: With training=False y of an image changes by up to
            {np.abs(y - alone).max():.3g} if the others are taken out of its batch. A prediction must not depend on its
            neighbours: at rest use {kept}, and the batch's own mean and variance in training alone."""
        yield Diagnosis.told("y", words)


def right_in_training_alone(done: Checkup) -> Iterator[Diagnosis]:
    """The backward pass of a kept pass at rest is not its own."""
    specimen, x = done.specimen, done.x.copy()

    def forward() -> np.ndarray:
        return specimen.forward(x, training=False, keep=True)

    if forward().shape != done.dy.shape:
        return
    for name, given in specimen.backward(done.dy).items():
        tensor = x if name == "dx" else specimen.layer.params[name]
        true = (done.dy.reshape(-1) @ jacobian(forward, tensor)).reshape(tensor.shape)
        if isinstance(given, np.ndarray) and close(given, true):
            continue
        training = done.analytic[name]
        if isinstance(given, np.ndarray) and training is not None and close(given, training):
            what = "is still that of the training pass before: nothing was kept"
        elif not isinstance(given, np.ndarray) or given.shape != true.shape:
            what = f"is no array of shape {true.shape}"
        else:
            worst = place_of_largest(np.nan_to_num(np.abs(given - true)))
            what = f"is wrong (at {worst} it is {given[worst]:.4g} and should be {true[worst]:.4g})"
        words = f"""right in training alone: After a training pass {name} is right; after forward(x, training=False,
            keep=True), by which a saliency map asks, it {what}. There {" and ".join(specimen.at_rest)} are constants,
            which no x moves. Keep with x which of the two passes it was, and what it used."""
        yield Diagnosis.told(name, words)


def keep_not_heard(done: Checkup) -> list[Diagnosis]:
    """forward(x, training=False, keep=True) keeps nothing: backward goes back through the pass before, or stops."""
    specimen, x = copy.deepcopy(done.specimen), done.x.copy()

    def forward() -> np.ndarray:
        return specimen.forward(x, training=False, keep=True)

    try:
        specimen.forward(done.earlier_x)
        before = specimen.backward(done.dy)
        y = forward()
        if y.shape != done.dy.shape:
            return []
        gradients = specimen.backward(done.dy)
    except Failure as failure:
        return [] if failure.stage == "forward" else [_not_kept("backward", f"backward stops with {failure}")]
    for name, given in gradients.items():
        training = done.analytic[name]
        if not isinstance(given, np.ndarray) or given.shape != done.numeric(name).shape or training is None:
            return [_not_kept(name, f"{name} is no array of its shape")]
        tensor = x if name == "dx" else specimen.layer.params[name]
        true = training  # which is right, or this would not be asked
        if not close(y, done.y):
            true = (done.dy.reshape(-1) @ jacobian(forward, tensor)).reshape(tensor.shape)
        if np.isfinite(true).all() and not close(given, true, 10.0):
            what = f"is wrong, by up to {np.abs(given - true).max():.3g}"
            if isinstance(before[name], np.ndarray) and close(given, before[name]):
                what = "is that of the pass before, of another batch, to all digits"
            return [_not_kept(name, f"{name} {what}")]
    return []


def _not_kept(tensor: str, what: str) -> Diagnosis:
    words = f"""keep not heard: After a training pass everything is right; after forward(x, training=False, keep=True),
        by which a saliency map asks, {what}. `keep` says whether backward will follow, and training only whether
        dropout and the like are on: keep what backward needs `if (training if keep is None else keep)`."""
    return Diagnosis.told(tensor, words)


LOOKS = (moved_at_rest, momentum_swapped, batch_statistics_at_rest, right_in_training_alone)
