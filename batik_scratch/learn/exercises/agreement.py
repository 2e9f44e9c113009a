"""The gradients of a layer beside the package's own, batch by batch; and what one batch leaves behind for the next."""

import numpy as np

from ...nn.gradcheck.specimen import Gradients, Specimen
from .answer import Answer
from .compare import evidence, same, wrong_kind
from .exercise import Finding
from .trials import ALONE, BATCHES, LARGE, USUAL, Batch, Trial, draw, draw_like, said_of, specimen

SENTENCES = {
    USUAL: "{what} differs from the package's own.",
    ALONE: "For one image alone {what} is wrong, and for three it is right: one formula does for any number of images.",
    LARGE: "For numbers around 100 {what} is wrong, and around 1 it is right: is something cut off or rounded there?",
}


def wrong_kinds(answer: Answer, gradients: Gradients, tensors: dict[str, np.ndarray]) -> list[Finding]:
    """The first gradient that is missing, or is no array of its tensor's shape and dtype."""
    for key, tensor in tensors.items():
        gradient, what = gradients.get(key), "dx, what backward returns," if key == "dx" else _named(key)
        if key != "dx" and gradient is None:
            return answer.found(key, f"backward does not fill {what}.")
        if wrong := wrong_kind(gradient, tensor, what):
            return answer.found(key, *wrong)
    return []


def left_over(answer: Answer, trial: Trial) -> list[Finding]:
    """Gradients of an earlier batch that are still there after another one: the old ones alone, or added to the new."""
    mine = specimen(answer.thing, trial)
    first, second = _gradients_of_an_earlier_batch(mine, trial), _gradients(mine, draw(trial))
    fresh = _gradients(specimen(answer.thing, trial), draw(trial))
    for key, value in second.items():
        if value is None or first[key] is None or fresh[key] is None or same(value, fresh[key]):
            continue
        start = f"After a second batch {_named(key)}"
        if same(value, first[key]):
            anew = "compute it" if key == "dx" else f"write {_named(key)} = ..."
            sentence = (
                f"{start} is still the gradient of the first one. Every call of backward must {anew} anew, without "
                "setdefault and without asking whether it is there already."
            )
            return answer.found(key, sentence)
        if same(value, first[key] + fresh[key]):
            sentence = f"{start} is the sum of two: that of the first one is still in it. Write =, and add no old ones."
            return answer.found(key, sentence)
    return []


def disagreement(answer: Answer, trial: Trial, random: bool = False) -> list[Finding]:
    """The first batch whose gradients are not the package's own, after another batch went through the same layer.

    random    the layer draws a mask: what its gradients must be, its own forward pass tells
    """
    for batch in BATCHES:
        answer.trying = said_of(trial, batch)
        mine, x = specimen(answer.thing, trial), draw(trial, batch)
        _gradients_of_an_earlier_batch(mine, trial)  # of which the next one must show nothing
        gradients = _gradients(mine, x, batch)
        if found := wrong_kinds(answer, gradients, {"dx": x} | mine.trained):
            return found
        reference = specimen(answer.exercise.reference, trial)
        right = _by_its_mask(mine, x, batch) if random else _gradients(reference, x, batch)
        for key, gradient in gradients.items():
            if not same(gradient, right[key]):
                what = key if key == "dx" else f"the gradient of the {key}"
                details = evidence(gradient, right[key], key)
                found += answer.found(key, SENTENCES[batch].format(what=what), details)
        if found:
            return found
    return []


def _named(key: str) -> str:
    """The gradient as it is written in code."""
    return key if key == "dx" else f'self.grads["{key}"]'


def _gradients(mine: Specimen, x: np.ndarray, batch: Batch = USUAL) -> Gradients:
    return mine.backward(draw_like(mine.forward(x), batch))


def _gradients_of_an_earlier_batch(mine: Specimen, trial: Trial) -> Gradients:
    gradients = _gradients(mine, draw(trial, seed=10))
    mine.hold()  # so that the batch that comes next has a mask of its own
    return gradients


def _by_its_mask(mine: Specimen, x: np.ndarray, batch: Batch) -> Gradients:
    """dx of a layer that multiplies by a drawn mask, which is what its forward pass makes of ones."""
    return {"dx": draw_like(x, batch) * mine.forward(np.ones_like(x))}
