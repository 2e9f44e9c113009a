"""What every layer promises beside its numbers: the contract that `Sequential` and the saliency methods rely on."""

from functools import partial

import numpy as np

from ...nn.gradcheck.specimen import Failure, Specimen
from .answer import Answer
from .compare import same
from .exercise import Finding
from .trials import Trial, draw, draw_like, specimen

Broken = tuple[str, str] | None  # the method at fault, and a sentence


def broken(trial: Trial, answer: Answer) -> list[Finding]:
    """The first promise that is not kept, in the order of how much harm it does."""
    keep_at_inference = partial(_keep_at_inference, specimen(answer.exercise.reference, trial))
    for promise in (keep_at_inference, _backward_again, _own_array, _one_by_one, _dtype, _nothing_unasked):
        if found := promise(specimen(answer.thing, trial), draw(trial)):
            method, sentence = found
            return answer.found("promises", sentence, at=method)
    return []


def _keep_at_inference(reference: Specimen, mine: Specimen, x: np.ndarray) -> Broken:
    dy = draw_like(reference.forward(x, training=False, keep=True))
    mine.forward(-x)  # what this keeps must not be mistaken for what the next pass keeps
    before = mine.backward(dy)["dx"]
    mine.forward(x, training=False, keep=True)
    right = reference.backward(dy)["dx"]
    try:
        dx = mine.backward(dy)["dx"]
    except Failure:
        dx = None
    usable = isinstance(dx, np.ndarray) and dx.shape == right.shape
    if usable and same(dx, right):
        return None
    if not usable or same(dx, before):  # nothing was kept, or it is still what the pass before kept
        return "forward", (
            "After forward(x, training=False, keep=True) backward must work, and go back through that very pass: "
            "saliency maps ask for it. Keep by self._keep(value, training, keep), not by `if training`."
        )
    factor = np.median(dx[right != 0] / right[right != 0])
    much = f"dx is {factor:.4g} times" if same(dx, factor * right) else "dx is not"
    return "forward", (
        f"After forward(x, training=False, keep=True), which saliency maps ask for, {much} the gradient of that pass. "
        "Keep what that pass did: when training is False, nothing is dropped and nothing is scaled."
    )


def _backward_again(mine: Specimen, x: np.ndarray) -> Broken:
    dy = draw_like(mine.forward(x))
    first, second = mine.backward(dy), mine.backward(dy)
    if not all(same(gradient, second[key]) for key, gradient in first.items()):
        return "backward", (
            "backward gives something else when it is called twice: it adds to an old gradient (where += stands, write "
            "=), or changes what forward kept."
        )
    mine.returned[...] = 0
    if not same(mine.backward(dy)["dx"], first["dx"]):
        return "forward", "forward keeps the very array that it returns, which the caller may change: return a copy."
    return None


def _own_array(mine: Specimen, x: np.ndarray) -> Broken:
    dy = draw_like(mine.forward(x))
    dx = mine.layer.backward(dy)
    if dx is None or not np.shares_memory(dx, dy):
        return None
    return "backward", "backward hands on dy, or a view of it: who changes one changes both; add .copy()."


def _one_by_one(mine: Specimen, x: np.ndarray) -> Broken:
    if same(mine.forward(x, False), np.concatenate([mine.forward(image[None], False) for image in x])):
        return None
    return "forward", (
        "A batch gives something else than its images one by one: forward mixes the images, or loses an axis of length "
        "1 (as np.squeeze does)."
    )


def _dtype(mine: Specimen, x: np.ndarray) -> Broken:
    mine.layer.astype("float32")
    y = mine.forward(x.astype(np.float32))
    gradients = mine.backward(draw_like(y).astype(np.float32))
    arrays = [("forward", "the output", y)]
    arrays += [("backward", key if key == "dx" else f'grads["{key}"]', value) for key, value in gradients.items()]
    for method, what, array in arrays:
        if array is not None and array.dtype != np.float32:
            return method, f"From float32 input {what} becomes {array.dtype}: make new arrays with dtype=x.dtype."
    return None


def _nothing_unasked(mine: Specimen, x: np.ndarray) -> Broken:
    dy = draw_like(mine.forward(x))
    if mine.backward(dy, need_dx=False)["dx"] is not None:
        return "backward", (
            "backward returns dx although need_dx is False: nobody asks for the gradient of the first layer's input, "
            "and it may be half of the work. Return None there."
        )
    mine.layer.grads = {}
    mine.backward(dy, need_grads=False)
    if mine.layer.grads:
        return "backward", (
            "backward fills grads although need_grads is False: a saliency map would overwrite the gradients "
            "of training. Put `if need_grads:` before those lines."
        )
    return None
