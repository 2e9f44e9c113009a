"""The right gradient of another layer, of another run, or in an easier case alone: which one is named."""

import numpy as np
import pytest
from witness import changed, elementwise, examined, number, remembering

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose


def of_another(layer_class, key, change, *arguments):
    """A layer whose dx runs through a changed parameter; its other gradients are right."""

    def wrong(dx, self, dy):
        right, grads = self.params[key], dict(self.grads)
        self.params[key] = np.ascontiguousarray(change(right))
        dx = layer_class.backward(self, dy)
        self.params[key], self.grads = right, grads
        return dx

    return changed(layer_class, wrong, *arguments)


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (
            lambda k: k[::-1, ::-1],
            "kernel not flipped",
            "kernel (2, 3, 4, 4) is mirrored along height and width. Each dy",
        ),
        (lambda k: k[::-1], "kernel not flipped", "kernel (2, 3, 4, 4) is mirrored along height. "),
        (lambda k: k[:, ::-1], "kernel not flipped", "kernel (2, 3, 4, 4) is mirrored along width. "),
        (
            lambda k: k.swapaxes(2, 3),
            "transposed",
            "kernel (2, 3, 4, 4) is transposed to the order (0, 1, 3, 2). The way back",
        ),
        (
            lambda k: k.swapaxes(2, 3)[::-1, ::-1],
            "transposed",
            "transposed to the order (0, 1, 3, 2) and mirrored. The way",
        ),
    ],
)
def test_dx_through_a_changed_kernel_is_told_with_the_change(change, name, words):
    found, _ = examined(of_another(nn.Conv2D, "kernel", change, 4, (2, 3)), (3, 5, 4))
    assert (found.tensor, found.name) == ("dx", name)
    assert found.sentence.startswith("dx is, to all digits, the gradient of a layer whose ") and words in found.sentence


@pytest.mark.parametrize(("kernel", "along"), [((1, 3), "width"), ((3, 1), "height")])
def test_a_kernel_one_row_or_column_thick_is_mirrored_along_its_other_axis_alone(kernel, along):
    mirrored = of_another(nn.Conv2D, "kernel", lambda k: k[::-1, ::-1], 4, kernel)
    found, _ = examined(mirrored, (4, 5, 4))
    assert f"kernel {(*kernel, 4, 4)} is mirrored along {along}. " in found.sentence


@pytest.mark.parametrize(
    ("change", "order"), [(lambda k: k.swapaxes(0, 1), (1, 0, 2, 3)), (lambda k: k.transpose(1, 0, 3, 2), (1, 0, 3, 2))]
)
def test_dx_through_a_square_kernel_turned_is_told_with_the_order(change, order):
    found, _ = examined(of_another(nn.Conv2D, "kernel", change, 3, 2), (3, 4, 3))
    assert found.name == "transposed" and f"kernel (2, 2, 3, 3) is transposed to the order {order}. " in found.sentence


def test_dx_through_transposed_weights_is_told_where_the_layer_is_square_and_where_it_stops():
    found, _ = examined(of_another(nn.Dense, "kernel", np.transpose, 5), (5,))
    assert found.name == "transposed" and "kernel (5, 5) is transposed to the order (1, 0). " in found.sentence
    (found,) = diagnose(changed(nn.Dense, lambda dx, self, dy: dy @ self.params["kernel"], 3), (6,))
    assert (found.tensor, found.name) == ("dx", "transposed")
    assert found.sentence.startswith("backward stops with ValueError: matmul")
    assert (
        "; with 3 inputs for 3 outputs it runs. dx is, to all digits, the gradient of a layer whose kernel (3, 3)"
        in found.sentence
    )


@pytest.mark.parametrize(
    ("channels", "kernel", "words"),
    [
        (5, (2, 2), "with 4 inputs for 4 outputs it runs"),
        (4, (2, 3), "with a square kernel it runs"),
        (5, (2, 3), "with a square kernel and 4 channels for 4 filters it runs"),
    ],
)
def test_a_convolution_that_stops_is_tried_with_equal_sizes(channels, kernel, words):
    order = {4: (1, 0, 2, 3)}.get(channels, (0, 1, 3, 2)) if kernel == (2, 2) or channels == 4 else (1, 0, 3, 2)

    def wrong(dx, self, dy):
        turned = self.params["kernel"].transpose(order)
        dx = np.zeros_like(self.given)
        kh, kw = self.kernel_size
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                dx[:, i : i + kh, j : j + kw] += np.einsum("nf,uvcf->nuvc", dy[:, i, j], turned)
        return dx

    (found,) = diagnose(changed(nn.Conv2D, wrong, 4, kernel), (3, 5, channels))
    assert found.name == "transposed" and words in found.sentence and f"the order {order}" in found.sentence


class Scaling(nn.Layer):
    def create_params(self, input_shape, rng):
        return {"scale": np.full(input_shape[-1], 2.0)}

    def forward(self, x, training=False, keep=None):
        self._keep(x, training, keep)
        return x * self.params["scale"]

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"scale": (dy * self._recall()).sum(tuple(range(dy.ndim - 1)))}
        return dy * self.params["scale"]


def test_what_forward_multiplies_by_and_backward_does_not_is_named():
    found, _ = examined(changed(Scaling, lambda dx, self, dy: dy.copy()), (3, 4))
    assert (
        found.name == "parameter left out"
        and "whose scale (4,) is all ones. Forward multiplies by it" in found.sentence
    )
    found, _ = examined(changed(Scaling, lambda g, self, dy: dy.sum((0, 1)), of="scale"), (3, 4))
    assert found.name == "input left out" and "that of an input of ones:" in found.sentence


def square(x):
    return x**2 + 0.1 * x**3


def slope(x):
    return 2 * x + 0.3 * x**2


def moved(array, axis, step, cut):
    array = np.roll(array, step, axis)
    if cut:
        array[(slice(None),) * axis + (0 if step > 0 else -1,)] = 0
    return array


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize(("step", "word"), [(1, "after"), (-1, "before")])
@pytest.mark.parametrize("cut", [False, True])
def test_a_moved_input_and_a_moved_dy_are_told_with_axis_and_direction(axis, step, word, cut):
    found, _ = elementwise(square, lambda x, dy: dy * slope(moved(x, axis, step, cut)), (4, 3))
    assert found.name == "shifted by one"
    assert f"that of an input that stands one place {word} its own along axis {axis} of (3, 4, 3). " in found.sentence
    found, _ = elementwise(square, lambda x, dy: moved(dy, axis, step, cut) * slope(x), (4, 3))
    assert found.name == "shifted by one"
    assert found.sentence.startswith(f"dy enters one place {word} its own along axis {axis} of (3, 4, 3). ")


@pytest.mark.parametrize("axes", [(1,), (2,), (1, 2)])
def test_a_mirrored_input_and_a_mirrored_dy_are_told_with_their_axes(axes):
    found, _ = elementwise(square, lambda x, dy: dy * slope(np.flip(x, axes)), (4, 3))
    assert (
        found.name == "mirrored"
        and f"that of an input in reversed order along axes {axes} of (3, 4, 3)." in found.sentence
    )
    found, _ = elementwise(square, lambda x, dy: np.flip(dy, axes) * slope(x), (4, 3))
    assert found.name == "mirrored" and found.sentence.startswith(
        f"dy enters in reversed order along axes {axes} of (3, 4, 3)."
    )


def test_y_for_x_and_no_dy_at_all_are_named():
    found, _ = elementwise(square, lambda x, dy: dy * slope(square(x)), (4,))
    assert found.name == "output for input" and "forward's output: y stands where x should" in found.sentence
    found, _ = elementwise(square, lambda x, dy: slope(x), (4,))
    assert found.name == "upstream gradient ignored"


# ------------------------------------------------------------------ normalising


@pytest.mark.parametrize(
    ("axes", "shape", "where"),
    [
        ((1,), (5,), "axis 1 of (3, 5)"),
        ((0, 1, 2), (2, 3, 4), "axes (0, 1, 2) of (3, 2, 3, 4)"),
        ((3,), (2, 3, 5), "axis 3 of ("),
    ],
)
def test_missing_terms_are_told_with_the_axes_of_the_mean(axes, shape, where):
    found, _ = elementwise(lambda x: x - x.mean(axes, keepdims=True), lambda x, dy: dy.copy(), shape)
    assert found.name == "normalisation terms missing"
    assert (
        found.sentence.startswith(f"Along {where}")
        and "dx is off by a constant, to all digits. Forward subtracts" in found.sentence
    )


def test_a_term_of_another_kind_is_no_missing_term():
    found, _ = elementwise(lambda x: x - x.mean(1, keepdims=True), lambda x, dy: dy + 0.1 * dy**3, (5,))
    assert found.name == "unexplained"


# ------------------------------------------------------------------ easier cases


class Loops(nn.Conv2D):
    """dx by windows, wrong where `self.hard()` is true."""

    def hard(self):
        return True

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        return dx + 0.3 * dx**2 if self.hard() else dx


@pytest.mark.parametrize(
    ("hard", "options", "shape", "name", "words"),
    [
        (lambda s: s.strides != (1, 1), {"strides": (1, 2)}, (4, 6, 2), "right for stride 1 alone",
         "Wrong for strides (1, 2), and right for stride 1: the same layer was run again with stride 1. "
         "Look where backward"),
        (lambda s: s.padding == "same", {"padding": "same"}, (4, 5, 2), "right without padding alone",
         "Wrong for padding 'same', and right without padding: the same layer was run again with no padding."),
        (lambda s: s.kernel_size != (2, 2), {}, (4, 5, 2), "right for square windows alone",
         "Wrong for kernel_size (2, 3), and right for square windows: "
         "the same layer was run again with square windows."),
        (lambda s: s.input_shape[0] != s.input_shape[1], {}, (4, 5, 2), "right for square images alone",
         "Wrong for images (4, 5, 2), and right for square images: the same"),
        (lambda s: len(s._recall()) > 1, {}, (4, 5, 2), "right for one image alone",
         "Wrong for 3 images, and right for one"),
        (lambda s: s.kernel_size != (1, 1), {}, (4, 5, 2), "right for 1x1 windows alone",
         "Wrong for kernel_size (2, 3), and"),
        (lambda s: s.input_shape[2] > 1, {}, (4, 5, 2), "right for one channel alone",
         "Wrong for 2 channels, and right for one"),
        (lambda s: s.filters > 1, {}, (4, 5, 2), "right for one filter alone",
         "Wrong for 3 filters, and right for one filter: "),
        (lambda s: s.strides != (1, 1) or s.padding == "same", {"strides": 2, "padding": "same"}, (4, 5, 2),
         "unexplained", ""),
    ],
)  # fmt: skip
def test_the_easier_case_that_is_right_is_named_with_what_it_was_instead(hard, options, shape, name, words):
    student = type("Student", (Loops,), {"hard": hard})(3, (2, 3), **options)
    (found,) = diagnose(student, shape)
    assert (found.tensor, found.name) == ("dx", name) and found.sentence.startswith(words)


def test_easier_cases_of_a_pool_and_of_units():
    pool = changed(nn.MaxPooling2D, lambda dx, self, dy: dx + dx**2 * (self.pool_size != (2, 2)), (2, 3), (2, 3))
    (found,) = diagnose(pool, (4, 6, 2))
    assert found.name == "right for square windows alone" and found.sentence.startswith(
        "Wrong for pool_size (2, 3), and"
    )
    units = changed(nn.Dense, lambda dx, self, dy: dx + dx**2 * (self.units > 1), 4)
    (found,) = diagnose(units, (5,))
    assert found.name == "right for one unit alone" and found.sentence.startswith(
        "Wrong for 4 units, and right for one unit"
    )


# ------------------------------------------------------------------ promises with numbers


def test_a_second_backward_that_differs_is_told_with_how_far():
    class Drifting(remembering(nn.Dense)):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy)
            self.calls = getattr(self, "calls", 0) + 1
            return dx * (1 + 0.25 * (self.calls == 2))

    found, seen = examined(Drifting(3), (4,))
    dx = seen.dy @ seen.params["kernel"].T
    assert (
        found.name == "not the same twice" and f"differ by up to {number(0.25 * np.abs(dx).max())}. " in found.sentence
    )


def test_a_y_that_is_not_finite_is_counted():
    class Log(nn.Layer):
        given = None

        def forward(self, x, training=False, keep=None):
            type(self).given = x.copy()
            return np.where(x > 1, np.nan, np.where(x < -1, -np.inf, x))

        def backward(self, dy, need_dx=True, need_grads=True):
            return dy

    (found,) = diagnose(Log(), (6,))
    assert (found.tensor, found.name) == ("y", "not a number")
    bad = (np.abs(Log.given) > 1).sum()
    assert found.sentence.startswith(f"forward gives {bad} values that are NaN or infinite: ")
