"""The gradients of a layer beside the package's own, batch by batch; and what one batch leaves behind for the next."""

from typing import Any

import numpy as np

from ...nn.layers import Layer
from .answer import Answer, call
from .compare import evidence, same, wrong_kind
from .exercise import Finding
from .trials import ALONE, BATCHES, LARGE, USUAL, Batch, Case, built, draw, draw_like, said_of

SENTENCES = {
    USUAL: "{what} differs from the package's own.",
    ALONE: "For one image alone {what} is wrong, and for three it is right: one formula does for any number of images.",
    LARGE: "For numbers around 100 {what} is wrong, and around 1 it is right: is something cut off or rounded there?",
}


def wrong_kinds(answer: Answer, layer: Any, dx: Any, x: np.ndarray) -> list[Finding]:
    """The first gradient that is missing, or is no array of its tensor's shape and dtype."""
    if wrong := wrong_kind(dx, x, "dx, what backward returns,"):
        return [Finding("dx", *wrong, answer.line_of("backward", "dx"))]
    for key, value in layer.params.items():
        gradient = layer.grads.get(key)
        missing = (f"backward does not fill {named(key)}.", ()) if gradient is None else None
        if wrong := missing or wrong_kind(gradient, value, named(key)):
            return [Finding(key, *wrong, answer.line_of("backward", key))]
    return []


def left_over(answer: Answer, case: Case) -> list[Finding]:
    """Gradients of an earlier batch that are still there after another one: the old ones alone, or added to the new."""
    layer = built(answer.thing, case)
    first = _gradients(layer, draw(case, seed=10))
    second = _gradients(layer, draw(case))
    fresh = _gradients(built(answer.thing, case), draw(case))
    for key, value in second.items():
        if value is None or first[key] is None or fresh[key] is None or same(value, fresh[key]):
            continue
        start = f"After a second batch {named(key)}"
        if same(value, first[key]):
            anew = "compute it" if key == "dx" else f"write {named(key)} = ..."
            sentence = (
                f"{start} is still the gradient of the first one. Every call of backward must {anew} anew, without "
                "setdefault and without asking whether it is there already."
            )
        elif same(value, first[key] + fresh[key]):
            sentence = f"{start} is the sum of two: that of the first one is still in it. Write =, and add no old ones."
        else:
            continue
        return [Finding(key, sentence, (), answer.line_of("backward", key))]
    return []


def disagreement(answer: Answer, case: Case, random: bool = False) -> list[Finding]:
    """The first batch whose gradients are not the package's own, after another batch went through the same layer.

    random    the layer draws a mask: what its gradients must be, its own forward pass tells
    """
    for batch in BATCHES:
        answer.trying = said_of(case, batch)
        layer, x = built(answer.thing, case), draw(case, batch)
        _gradients(layer, draw(case, seed=10))  # an earlier batch, of which the next one must show nothing
        mine = _gradients(layer, x, batch)
        if found := wrong_kinds(answer, layer, mine["dx"], x):
            return found
        right = _by_its_mask(answer, case, batch) if random else _gradients(_reference(answer, case), x, batch)
        found = [
            Finding(
                key, SENTENCES[batch].format(what=spoken(key)), evidence(a, b, key), answer.line_of("backward", key)
            )
            for key, a in mine.items()
            if not same(a, b := right[key])
        ]
        if found:
            return found
    return []


def named(key: str) -> str:
    """The gradient as it is written in code."""
    return key if key == "dx" else f'self.grads["{key}"]'


def spoken(key: str) -> str:
    """The gradient as one says it."""
    return key if key == "dx" else f"the gradient of the {key}"


def _gradients(layer: Layer, x: np.ndarray, batch: Batch = USUAL) -> dict[str, Any]:
    """{tensor: gradient} after a forward and a backward pass in training, copied."""
    y = call(layer.forward, x, training=True)
    found = {"dx": call(layer.backward, draw_like(y, batch))} | {key: layer.grads.get(key) for key in layer.params}
    return {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in found.items()}


def _reference(answer: Answer, case: Case) -> Layer:
    return built(answer.exercise.reference, case)


def _by_its_mask(answer: Answer, case: Case, batch: Batch) -> dict[str, np.ndarray]:
    """dx of a layer that multiplies by a drawn mask: what it makes of ones, after the same draws, is that mask."""
    layer, x = built(answer.thing, case), draw(case, batch)
    call(layer.forward, draw(case, seed=10), training=True)
    mask = call(layer.forward, np.ones_like(x), training=True)
    return {"dx": draw_like(x, batch) * mask}
