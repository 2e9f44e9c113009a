"""The gradient doctor: not only that a gradient is wrong, but what is wrong with it.

It works from numbers alone. The layer is run, its true Jacobian measured by central differences, and each explanation
below asks one question: is what `backward` returned, to seven digits, the true gradient times a constant? transposed?
of a flipped kernel? of the last window alone? An explanation that fits random numbers to seven digits is no accident,
so where one fires it is right; the order only decides between two that say the same. Class names and source are never
looked at, so it reads a student's layer as well as ours.

    >>> for diagnosis in diagnose(MyConv2D(4, (2, 3), strides=2), (5, 6, 3)):
    ...     print(diagnosis)
"""

from collections.abc import Sequence

from ..nn import Layer
from .symptoms import altered, masks, order, reruns, size, sums
from .symptoms.contracts import broken_contracts, examine, missing
from .symptoms.diagnosis import Diagnosis
from .symptoms.run import Case, Failure, Run

__all__ = ["Diagnosis", "diagnose"]

EXPLANATIONS = (  # the first that fits is given
    size.not_a_number,
    size.always_zero,
    size.constant_factor,
    masks.mask_from_the_gradient,
    size.zero_in_a_region,
    masks.mask_missing,
    masks.wrong_mask,
    masks.diagonal_only,
    order.transposed,
    order.padding_not_cut_off,
    order.mirrored,
    order.shifted,
    sums.bias_over_the_wrong_axes,
    order.axes_mixed_up,
    order.wrong_shape,
    sums.only_a_part,
    sums.last_overlap,
    altered.upstream_altered,
    altered.kernel_altered,
    altered.input_altered,
    sums.images_mixed,
    reruns.right_in_an_easier_case,
)


def diagnose(layer: Layer, input_shape: Sequence[int], n: int = 3, seed: int = 0) -> list[Diagnosis]:
    """What is wrong with the gradients of `layer` on n inputs of `input_shape`; an empty list where nothing is.

    layer          any object that keeps the contract of `nn.Layer`; it is copied, built anew and run many times
    input_shape    without the batch axis; small and unequal sizes tell most, such as (5, 6, 3)

    One diagnosis per tensor and per broken promise, those of forward and backward as a whole first. A wrong gradient
    that no explanation fits is called "unexplained", with its worst place. A layer that raises is diagnosed too.
    """
    case = Case(layer, tuple(int(length) for length in input_shape), n, seed)
    done = examine(case)
    if isinstance(done, Diagnosis):
        return [done]
    found = broken_contracts(done)
    unreliable = {d.tensor for d in found if d.name == "not the same twice"}
    if not done.repeatable:
        return found
    return found + [_explain(done, name) for name in done.tensors if name not in unreliable and not done.right(name)]


def _explain(done: Run, name: str) -> Diagnosis:
    given = done.analytic[name]
    if given is None:
        return missing(done, name)
    for explanation in EXPLANATIONS:
        try:
            found = explanation(done, name, given)
        except Failure:  # the layer raised in a case that it need not master
            continue
        if found is not None:
            return found
    return reruns.unexplained(done, name, given)
