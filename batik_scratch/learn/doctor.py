"""The gradient doctor: not only that a gradient is wrong, but what is wrong with it.

It works from numbers alone. The layer is run, its true Jacobian measured by central differences, and each explanation
below asks one question: is what `backward` returned, to seven digits, the true gradient times a constant? transposed?
of a flipped kernel? of the last window alone? An explanation that fits random numbers to seven digits is no accident,
so if one fires it is right; the order only decides between two that say the same. Class names and source are never
looked at, so it reads a student's layer as well as ours.

    >>> for diagnosis in diagnose(MyConv2D(4, (2, 3), strides=2), (5, 6, 3)):
    ...     print(diagnosis)
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..nn import Layer
from ..nn.gradcheck.losses import draw_targets
from ..nn.gradcheck.optimizers import UpdateRule
from ..nn.gradcheck.specimen import Failure
from ..ops.threads import one_blas_thread
from .adapt import nchw
from .symptoms import (
    altered,
    counts,
    elementwise,
    formulas,
    instead,
    lacking,
    loss_formulas,
    loss_rows,
    loss_terms,
    losses,
    matrices,
    normalising,
    optimizers,
    order,
    outputs,
    paths,
    pictures,
    reruns,
    shares,
    sides,
    size,
    steps,
    sums,
    taken_at,
    unheard,
    uses,
)
from .symptoms.arguments import a_loss, a_shape, an_optimizer, at_least_one, layer_like
from .symptoms.at_rest import at_rest
from .symptoms.checkup import LARGEST, Case, Checkup, TooLarge, check_up, try_to_check_up
from .symptoms.claim import Claim, Diagnosis, Explanation
from .symptoms.contracts import broken_contracts, failed, missing
from .symptoms.loss_layer import Loss, LossAsLayer
from .symptoms.neighbours import shared_with_another
from .symptoms.quotients import diagnose_quotient
from .symptoms.stale import stale
from .update_families import family_of

__all__ = ["Diagnosis", "diagnose", "diagnose_loss", "diagnose_optimizer", "diagnose_quotient"]

# the first that fits is given; what was claimed has its tensor's shape
EXPLANATIONS: tuple[Explanation, ...] = (
    size.not_a_number, size.not_measured, size.always_zero, size.should_be_zero, sides.clipped_by_norm,
    size.constant_factor, elementwise.mask_from_the_gradient, instead.whole_numbers, size.zero_in_a_region,
    paths.shortcut_not_masked, sides.right_on_one_side,
    elementwise.mask_missing, elementwise.mask_inverted, elementwise.wrong_mask,
    elementwise.sign_lost, elementwise.diagonal_only, elementwise.local_factor,
    elementwise.input_for_output, instead.formula_of_the_input, instead.slope_of_another_gelu,
    instead.inputs_for_weights, elementwise.value_for_derivative, sides.clipped, paths.product_rule_term_missing,
    paths.sum_over_other_axes, paths.path_missing,
    order.transposed, order.mirrored, order.shifted, sums.bias_over_the_wrong_axes, order.axes_mixed_up,
    sums.only_a_part, sums.only_one_place, unheard.outputs_not_used, matrices.counted_once, sums.last_overlap,
    matrices.gate_not_applied, matrices.mask_of_the_outputs, matrices.slope_missing,
    outputs.dy_of_another_output, altered.epsilon_forgotten, altered.upstream_altered, altered.kernel_altered,
    normalising.input_not_normalised, altered.input_altered, taken_at.slope_taken_elsewhere, sums.added_to,
    normalising.wrong_share,
    normalising.means_over_other_axes, counts.divided_by_another_number,
    normalising.normalisation_terms_missing, sums.images_mixed,
    paths.only_dy, paths.one_factor_only, paths.factors_in_forward_order, outputs.outputs_exchanged,
    steps.share_of_another_step, reruns.right_in_an_easier_case,
    matrices.wrong_count, instead.winner_not_looked_up, reruns.right_values_elsewhere, shares.sign_of_the_factor,
    matrices.another_x_taken,
    shares.own_factor, uses.repeated_index, matrices.factor_by_output,
    formulas.another_formula, normalising.part_along_itself,
    shares.one_term_by_a_factor, shares.open_on_one_side, shares.beside_the_skip, normalising.by_groups,
    shares.turn_counted_twice, lacking.factor_held_fixed, lacking.local_term_missing, uses.one_use_of_several,
    uses.linear_path_missing, shares.shares_missing,
    shares.right_within_steps, shares.factor_by_value, steps.state_of_the_same_step, steps.right_for_one_step,
    uses.constant_derivative,
    shares.wrong_in_one_part, shares.rounded,
    reruns.right_in_the_easiest_case, reruns.unexplained,
)  # fmt: skip
SHAPE_EXPLANATIONS: tuple[Explanation, ...] = (  # if the shape is another one
    size.not_a_number, order.nothing_left, order.transposed, order.kept_along_an_axis,
    order.padding_not_cut_off, sums.bias_over_the_wrong_axes,
    order.reshape_missing, order.axes_mixed_up, order.wrong_shape,
)  # fmt: skip
LOSS_EXPLANATIONS: tuple[Explanation, ...] = (
    size.not_a_number, size.not_measured, size.always_zero, size.should_be_zero,
    loss_terms.outer_derivative_missing, size.constant_factor, loss_formulas.slope_of_the_activation,
    losses.true_class_forgotten, losses.only_the_true_class, loss_formulas.labels_not_one_hot,
    loss_formulas.smoothing_differs, loss_formulas.gradient_at_the_logits, loss_formulas.another_activation,
    loss_formulas.right_for_some_targets, size.zero_in_a_region, loss_rows.epsilon_on_one_side,
    loss_rows.weight_held_fixed, loss_rows.weights_by_column, loss_rows.factor_by_row, sides.clipped,
    loss_formulas.another_loss_formula, loss_rows.gradient_of_another_loss,
    loss_terms.sum_taken_for_a_constant, altered.input_altered,
    reruns.right_values_elsewhere, reruns.unexplained,
)  # fmt: skip
TRIED_AGAIN = (  # what a fit of few numbers could say by chance must fit other numbers too
    sides.right_on_one_side, sides.clipped, sides.clipped_by_norm, paths.product_rule_term_missing,
    paths.sum_over_other_axes, paths.path_missing, paths.only_dy, matrices.counted_once, matrices.gate_not_applied,
    matrices.slope_missing, matrices.wrong_count, paths.one_factor_only, paths.factors_in_forward_order,
    matrices.another_x_taken, matrices.factor_by_output, formulas.another_formula, loss_formulas.labels_not_one_hot,
    loss_formulas.smoothing_differs, loss_formulas.another_activation,
    loss_rows.epsilon_on_one_side, loss_rows.weight_held_fixed, loss_rows.weights_by_column, loss_rows.factor_by_row,
    loss_formulas.slope_of_the_activation, loss_formulas.another_loss_formula, loss_formulas.gradient_at_the_logits,
    loss_formulas.right_for_some_targets,
    shares.own_factor, shares.one_term_by_a_factor, shares.open_on_one_side, shares.beside_the_skip,
    normalising.part_along_itself, normalising.by_groups, shares.turn_counted_twice, shares.sign_of_the_factor,
    shares.shares_missing,
    shares.right_within_steps, shares.factor_by_value, shares.wrong_in_one_part, shares.rounded,
    taken_at.slope_taken_elsewhere, unheard.outputs_not_used, counts.divided_by_another_number,
    matrices.mask_of_the_outputs, uses.one_use_of_several, uses.linear_path_missing, uses.repeated_index,
    uses.constant_derivative, instead.inputs_for_weights, instead.whole_numbers, loss_rows.gradient_of_another_loss,
    steps.state_of_the_same_step, steps.right_for_one_step, steps.share_of_another_step,
    outputs.dy_of_another_output, outputs.outputs_exchanged, paths.shortcut_not_masked, lacking.factor_held_fixed,
    lacking.local_term_missing, loss_terms.outer_derivative_missing, loss_terms.sum_taken_for_a_constant,
)  # fmt: skip
OF_WHOLE_SEQUENCES = (
    steps.state_of_the_same_step, steps.right_for_one_step, reruns.right_in_the_easiest_case, reruns.unexplained,
)  # fmt: skip
LAYOUTS = ("NHWC", "NCHW")
SAID_ENOUGH = ("not the same twice", "dtype changed", "not an array")  # and it explains the numbers too


def diagnose(
    layer: Layer, input_shape: Sequence[int], n: int = 3, seed: int = 0, layout: str = "NHWC", plot: bool = False
) -> list[Diagnosis]:
    """What is wrong with the gradients of `layer` on n inputs of `input_shape`; an empty list if nothing is.

    layer          any object that keeps the contract of `nn.Layer`; it is copied, built anew and run many times
    input_shape    without the batch axis; small and unequal sizes tell most, such as (5, 6, 3)
    layout         "NCHW" for a layer that takes channels first, with kernels (F, C, KH, KW); input_shape is then (C, H,
                   W), and the sentences speak of it as of one with channels last: (image, row, column, channel)
    plot           draw the claimed and the true derivative: over x where each output has its own x alone, else as two
                   matrices. Each diagnosis has it as `figure`, to be saved by savefig; a notebook shows it at once

    One diagnosis per tensor and per broken promise, those of forward and backward as a whole first. A wrong gradient
    that no explanation fits is called "unexplained", with its worst place. A layer that raises is diagnosed too.

    InputError if `layer` is none, if `input_shape`, n or `layout` is none, and if the layer is too large: every
    derivative is measured, y.size times the size of the largest tensor, at most 4,000,000. Images are made smaller
    until they fit; units and filters are not.
    """
    examined, shape = layer_like(layer), a_shape(input_shape)
    if layout not in LAYOUTS:
        raise InputError(f"layout: is one of {', '.join(LAYOUTS)}, got {layout!r}")
    if layout == "NCHW":
        examined, shape = nchw(examined), (*shape[1:], *shape[:1])
    return _diagnose(Case(examined, shape, at_least_one("n", n), seed), EXPLANATIONS, plot)


def diagnose_loss(
    loss: Loss, n: int = 5, classes: int = 4, seed: int = 0, targets: str = "classes", probabilities: bool = False
) -> list[Diagnosis]:
    """What is wrong with the gradient of `value, gradient = loss(outputs, y)` on n images; empty if nothing is.

    targets          what y is: "classes" (n,) whole numbers; "one-hot" (n, classes); "binary" (n, classes) zeros and
                     ones, for a binary cross-entropy; "numbers" (n, classes), for a squared error
    probabilities    outputs are not logits but probabilities, whose rows add up to 1 until one of them is moved

    InputError if `loss` cannot be called, or for another word or size.
    """
    classes = at_least_one("classes", classes)
    draw_targets(1, classes, np.random.default_rng(0), targets)  # an unknown word is refused here
    layer = LossAsLayer(a_loss(loss), targets, probabilities)
    case = Case(layer, (classes,), at_least_one("n", n), seed, of_a_loss=True)
    return [losses.of_a_loss(found) for found in _diagnose(case, LOSS_EXPLANATIONS)]


def diagnose_optimizer(optimizer: Any, steps: int = 7, rule: UpdateRule | None = None) -> list[Diagnosis]:
    """What is wrong with the first `steps` of an optimiser, by the rule that its numbers tell; empty if nothing is.

    optimizer    any object with step(layers) and a learning rate (learning_rate, lr, eta); its other numbers may have
                 any usual name. Two betas: Adam, in Keras' form or PyTorch's, AdamW with a weight decay too. A decay
                 rate and an epsilon: RMSprop. An epsilon alone: Adagrad. A decay rate alone: momentum, in Keras' form,
                 PyTorch's or as a running mean. Neither: plain descent. Numbers that it does not hold (they stand in
                 the code) are read off its memory, or tried
    rule         of your own: rule(w, g, memory, t) -> the new w; `memory` is a dict to each tensor that is empty in the
                 first step, t = 1, 2, ... counts the steps. With it no other rule is right, and mistakes of memory,
                 sign, factor and count are told against it

    What is said of a rule that had to be guessed may be a remark, with `mistake` False: "rule recognised", with all its
    numbers, or "unknown rule", with the one that comes nearest. An unknown rule is no mistake; what holds for all is
    asked of it too: a memory to each tensor, a count of steps, gradients that are not written to, a first step
    downhill, no NaN where gradients are zero. Of a subclass of `nn.Adam`, `nn.AdamW` or `nn.SGD` its rule is expected.

    InputError if `optimizer` is none. A step that raises is diagnosed too.
    """
    an_optimizer(optimizer)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return optimizers.examine(optimizer, steps, family_of(optimizer, rule), rule is not None)


def _diagnose(case: Case, explanations: tuple[Explanation, ...], plot: bool = False) -> list[Diagnosis]:
    try:
        # a student's NaN is a finding, not a warning; and thousands of tiny forwards need not ask for BLAS one by one
        with warnings.catch_warnings(), np.errstate(all="ignore"), one_blas_thread():
            warnings.simplefilter("ignore")
            done = check_up(case)
            found = _findings(done, explanations)
            return [pictures.drawn(done, one) for one in found] if plot else found
    except TooLarge as large:
        raise InputError(
            f"diagnose: measures every derivative of y, at most {LARGEST:,} for one tensor; {large.error}. Give it a "
            "smaller layer of the same kind, with fewer units, filters or channels: the mistake is there in every size"
        ) from None
    except Failure as failure:
        return [failed(case, failure)]


def _findings(done: Checkup, explanations: tuple[Explanation, ...]) -> list[Diagnosis]:
    found = broken_contracts(done)
    if any(one.tensor == "y" for one in found):  # forward itself is at fault: its derivative tells nothing
        return found
    said = {one.tensor for one in found if one.name in SAID_ENOUGH}
    wrong = [name for name in done.analytic if name not in said and not done.right(name)]
    explained = [_explain(done, name, explanations) for name in wrong]
    explained.sort(key=lambda one: one.name == "unexplained")  # what has a name may explain the rest
    if named := " and ".join(one.tensor for one in explained if one.name != "unexplained"):
        first = f" First mend {named}, of which more is known: {{}} may be wrong by the same mistake."
        explained = [
            replace(one, sentence=one.sentence + first.format(one.tensor)) if one.name == "unexplained" else one
            for one in explained
        ]
    # what was changed under way explains the rest: nothing is added by saying that one does not understand it
    found += [one for one in explained if not (done.twice.changed and one.name == "unexplained")]
    return found or at_rest(done) or stale(done) or shared_with_another(done)


def _explain(done: Checkup, name: str, explanations: tuple[Explanation, ...]) -> Diagnosis:
    given = done.analytic[name]
    if given is None:
        return missing(done, name)
    claim = Claim(done, name, given)
    told = _first(claim, explanations if given.shape == claim.true.shape else SHAPE_EXPLANATIONS)
    assert told is not None, "the last explanation of each list fits whatever is left"
    if told.name not in ("unexplained", "constant derivative"):
        return told
    if (one := steps.of_steps(claim, 1)) is not None and not one.checkup.right(name):
        shorter = _first(one, tuple(e for e in explanations if e not in OF_WHOLE_SEQUENCES))
        if shorter is not None:
            return replace(shorter, sentence=f"Already in a sequence of one step: {shorter.sentence}")
    return told


def _first(claim: Claim, explanations: tuple[Explanation, ...]) -> Diagnosis | None:
    for explanation in explanations:
        try:
            for words in explanation(claim):
                told = Diagnosis.told(claim.name, words, mistake=explanation is not size.not_measured)
                if explanation not in TRIED_AGAIN or _again(claim.checkup, explanation, told):
                    return told
                break
        except Failure:  # the layer raised in a case that it need not master
            continue
    return None


def _again(done: Checkup, explanation: Explanation, told: Diagnosis) -> bool:
    """True if the explanation says the same of another batch, of another size, with another dy.

    If the layer raises on that batch, or gives no gradient of the tensor's shape, nothing is confirmed.
    """
    case = done.case
    other = try_to_check_up(case.changed(seed=case.seed + 1, n=case.n + 1, x=None, params={}))
    given = None if other is None else other.analytic.get(told.tensor)
    if other is None or given is None or given.shape != other.numeric(told.tensor).shape:
        return False
    said = explanation(Claim(other, told.tensor, given))
    return any(Diagnosis.told(told.tensor, words).name == told.name for words in said)
