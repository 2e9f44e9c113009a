"""What every layer promises beside its numbers: the contract that `Sequential` and the saliency methods rely on."""

from functools import partial

import numpy as np

from ...nn.layers import Layer
from .answer import Answer, call
from .compare import same
from .exercise import Finding
from .trials import Case, built, draw, draw_like


def broken(answer: Answer, case: Case) -> list[Finding]:
    """The first promise that is not kept, in the order of how much harm it does."""
    keep_at_inference = partial(_keep_at_inference, built(answer.exercise.reference, case))
    for promise in (keep_at_inference, _backward_again, _own_array, _one_by_one, _dtype, _nothing_unasked):
        layer = built(answer.thing, case)
        if found := promise(layer, draw(case)):
            method, sentence = found
            return [Finding("promises", sentence, (), answer.line_of(method))]
    return []


Broken = tuple[str, str] | None


def _keep_at_inference(reference: Layer, layer: Layer, x: np.ndarray) -> Broken:
    dy = draw_like(call(reference.forward, x, keep=True))
    call(layer.forward, -x, training=True)  # what this keeps must not be mistaken for what the next pass keeps
    before = call(layer.backward, dy)
    call(layer.forward, x, training=False, keep=True)
    right = call(reference.backward, dy)
    try:
        dx = call(layer.backward, dy)
    except Exception:
        dx = None
    usable = isinstance(dx, np.ndarray) and dx.shape == right.shape
    if usable and same(dx, right):
        return None
    if not usable or same(dx, before):  # nothing was kept, or it is still what the pass before kept
        return "forward", (
            "After forward(x, training=False, keep=True) backward must work, and go back through that very pass: saliency "
            "maps ask for it. Keep by self._keep(value, training, keep), not by `if training`."
        )
    factor = np.median(dx[right != 0] / right[right != 0])
    much = f"dx is {factor:.4g} times" if same(dx, factor * right) else "dx is not"
    return "forward", (
        f"After forward(x, training=False, keep=True), which saliency maps ask for, {much} the gradient of that pass. "
        "Keep what that pass did: when training is False, nothing is dropped and nothing is scaled."
    )


def _backward_again(layer: Layer, x: np.ndarray) -> Broken:
    y = layer.forward(x, training=True)
    dy = draw_like(y)
    first = call(layer.backward, dy)
    grads = {key: value.copy() for key, value in layer.grads.items()}
    again = call(layer.backward, dy)
    if not same(first, again) or any(not same(layer.grads[key], value) for key, value in grads.items()):
        return "backward", (
            "backward gives something else when it is called twice: it adds to an old gradient (where += stands, write "
            "=), or changes what forward kept."
        )
    y[...] = 0
    if not same(call(layer.backward, dy), first):
        return "forward", "forward keeps the very array that it returns, which the caller may change: return a copy."
    return None


def _own_array(layer: Layer, x: np.ndarray) -> Broken:
    dy = draw_like(layer.forward(x, training=True))
    dx = layer.backward(dy)
    if dx is None or not np.shares_memory(dx, dy):
        return None
    return "backward", "backward hands on dy, or a view of it: who changes one changes both; add .copy()."


def _one_by_one(layer: Layer, x: np.ndarray) -> Broken:
    together = layer.forward(x.copy())
    singles = np.concatenate([layer.forward(image[None].copy()) for image in x])
    if same(together, singles):
        return None
    return "forward", (
        "A batch gives something else than its images one by one: forward mixes the images, or loses an axis of length "
        "1 (as np.squeeze does)."
    )


def _dtype(layer: Layer, x: np.ndarray) -> Broken:
    layer.astype("float32")
    y = layer.forward(x.astype(np.float32), training=True)
    dx = layer.backward(draw_like(y).astype(np.float32))
    arrays = [("forward", "the output", y), ("backward", "dx", dx)]
    arrays += [("backward", f'grads["{key}"]', value) for key, value in layer.grads.items()]
    for method, what, array in arrays:
        if array is not None and array.dtype != np.float32:
            return method, f"From float32 input {what} becomes {array.dtype}: make new arrays with dtype=x.dtype."
    return None


def _nothing_unasked(layer: Layer, x: np.ndarray) -> Broken:
    y = layer.forward(x, training=True)
    if layer.backward(draw_like(y), need_dx=False) is not None:
        return "backward", (
            "backward returns dx although need_dx is False: nobody asks for the gradient of the first layer's input, and "
            "it may be half of the work. Return None there."
        )
    layer.grads = {}
    layer.backward(draw_like(y), need_grads=False)
    if layer.grads:
        return "backward", (
            "backward fills grads although need_grads is False: a saliency map would overwrite the gradients "
            "of training. Put `if need_grads:` before those lines."
        )
    return None
