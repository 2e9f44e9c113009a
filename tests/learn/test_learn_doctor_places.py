"""Right numbers in the wrong places and sums over the wrong things: what is named, where, and how many."""

from types import SimpleNamespace

import numpy as np
import pytest
from witness import changed, count, examined, number

from batik_scratch import nn
from batik_scratch.learn.symptoms.checkup import Case
from batik_scratch.learn.symptoms.claim import Claim, Diagnosis
from batik_scratch.learn.symptoms.reruns import easiest_cases, unexplained
from batik_scratch.learn.symptoms.sums import images_mixed


def conv(change, of="dx"):
    """The diagnosis of a convolution with 5 filters of 2 x 3 on 4 x 6 x 2: 3 x 4 places."""
    return examined(changed(nn.Conv2D, change, 5, (2, 3), of=of), (4, 6, 2))[0]


def dense(change, of="dx"):
    return examined(changed(nn.Dense, change, 4, of=of), (5,))


# ------------------------------------------------------------------ order


def test_a_transposed_gradient_is_told_with_its_order_and_both_shapes():
    found, _ = dense(lambda g, *_: g.T.copy(), of="kernel")
    assert found.name == "transposed"
    assert (
        "in the order (1, 0): the shape is (4, 5), and it should be (5, 4) with index [i, j] meaning" in found.sentence
    )
    found = conv(lambda g, *_: g.transpose(1, 0, 3, 2).copy(), of="kernel")
    assert "in the order (1, 0, 3, 2): the shape is (3, 2, 5, 2), and it should be (2, 3, 2, 5)" in found.sentence


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (2, 3)])
def test_a_mirrored_gradient_is_told_with_its_axes(axes):
    found = conv(lambda g, *_: np.flip(g, axes).copy(), of="kernel")
    assert found.name == "mirrored" and f"the order is reversed along axes {axes}. Look for a [::-1]" in found.sentence


@pytest.mark.parametrize(
    ("moves", "words"),
    [
        ({1: 1}, "+1 along axis 1."),
        ({2: -1}, "-1 along axis 2."),
        ({1: -1, 2: 1}, "-1 along axis 1, +1 along axis 2."),
        ({0: 1}, "+1 along axis 0."),
    ],
)
def test_a_shifted_gradient_is_told_with_its_direction(moves, words):
    found = conv(lambda dx, *_: np.roll(dx, tuple(moves.values()), tuple(moves)))
    assert found.name == "shifted by one" and f"stands one place beside its own: {words} Look" in found.sentence


def test_a_border_that_was_not_cut_off_is_told_with_its_beginning():
    found = conv(lambda dx, *_: np.pad(dx, ((0, 0), (1, 0), (2, 3), (0, 0)), constant_values=0.5))
    assert found.name == "padding not cut off"
    assert (
        "shape is (3, 5, 11, 2); the input's is (3, 4, 6, 2), and the part that starts at (0, 1, 2, 0) is"
        in found.sentence
    )
    assert conv(lambda dx, *_: np.pad(dx, ((0, 0), (0, 8), (0, 0), (0, 0)))).name == "padding not cut off"
    assert conv(lambda dx, *_: np.pad(dx, ((0, 0), (0, 9), (0, 0), (0, 0)))).name == "wrong shape"
    smaller = conv(lambda dx, *_: np.pad(dx, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :, :5])
    assert smaller.name == "wrong shape" and "has shape (3, 5, 5, 2); it must have the shape of" in smaller.sentence


def test_a_missing_reshape_is_told_with_both_shapes():
    found = conv(lambda g, *_: g.reshape(-1, 5), of="kernel")
    assert found.name == "wrong shape"
    assert (
        found.sentence
        == "Every value is right, but the shape is (12, 5) and should be (2, 3, 2, 5): a reshape is missing."
    )
    other = conv(lambda g, *_: 2 * g.reshape(-1, 5), of="kernel")
    assert (
        "a reshape" not in other.sentence
        and "what it belongs to, (2, 3, 2, 5): one number per number." in other.sentence
    )


@pytest.mark.parametrize(
    "mix",
    [
        lambda g: g.reshape(3, 2, 2, 5).transpose(1, 0, 2, 3),
        lambda g: g.transpose(3, 2, 0, 1).reshape(g.shape),
        lambda g: g.ravel().reshape(g.shape, order="F"),
        lambda g: g.ravel(order="F").reshape(g.shape),
    ],
)
def test_axes_that_were_mixed_up_are_recognised_and_random_places_are_not(mix):
    found = conv(lambda g, *_: np.ascontiguousarray(mix(g)), of="kernel")
    assert found.name == "axes mixed up" and "an array of shape (2, 3, 2, 5) was reshaped" in found.sentence


def test_right_values_anywhere_are_counted():
    moved = np.random.default_rng(0).permutation(60)
    found = conv(lambda g, *_: g.ravel()[moved].reshape(g.shape), of="kernel")
    wrong = count(moved != np.arange(60))
    assert found.name == "right values in wrong places" and 40 < wrong < 60
    assert found.sentence.startswith(f"The 60 values are the true ones, but {wrong} stand somewhere else,")
    swapped, _ = dense(lambda g, *_: g[[1, 0, 2, 3]], of="bias")
    assert swapped.sentence.startswith("The 4 values are the true ones, but 2 stand")


# ------------------------------------------------------------------ sums


@pytest.mark.parametrize(
    ("wrong", "done", "shape"),
    [
        (lambda dy: dy.sum(axis=(0, 1)), "image summed, row summed, column kept, channel kept", (4, 5)),
        (lambda dy: dy[0].sum(axis=(0, 1)), "image cut to the first, row summed, column summed, channel kept", (5,)),
        (lambda dy: dy[:, -1].sum(axis=(0, 1)), "image summed, row cut to the last, column summed, channel kept", (5,)),
        (lambda dy: dy.sum(axis=(1, 2, 3)), "image kept, row summed, column summed, channel summed", (3,)),
    ],
)
def test_a_bias_over_the_wrong_axes_is_told_axis_by_axis(wrong, done, shape):
    found = conv(lambda g, self, dy: wrong(dy), of="bias")
    assert found.name == "bias summed over the wrong axes"
    assert found.sentence.startswith(f"The values come from dy (3, 3, 4, 5) with {done}; the shape is {shape}. ")
    assert found.sentence.endswith("summed over all axes but the last: shape (5,).")


def only(axis, index, rest=False):
    """The diagnosis of a gradient from the part of dy at `index` of `axis`, or from all the rest of it."""

    def change(g, self, dy):
        part, before = np.zeros_like(dy), dict(self.grads)
        here = (*[slice(None)] * axis, index)
        part[here] = dy[here]
        dx = nn.Conv2D.backward(self, dy - part if rest else part)
        kernel, self.grads = self.grads["kernel"], before
        return dx if axis else kernel

    return conv(change, of="dx" if axis else "kernel")  # an image that is left out leaves zeros in dx


AXES = ["image", "row", "column", "channel"]


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize(("index", "end"), [(0, "first"), (-1, "last")])
def test_one_part_of_dy_alone_and_one_left_out_are_told_apart(axis, index, end):
    found = only(axis, index)
    assert found.name == f"only one {AXES[axis]} counted"
    assert f"that of the {end} {AXES[axis]} of dy (3, 3, 4, 5) alone." in found.sentence
    left_out = only(axis, index, rest=True)
    assert left_out.name == "edge left out"
    assert f"right but for the {end} {AXES[axis]} of dy (3, 3, 4, 5), which" in left_out.sentence


def test_a_dense_layer_has_images_and_units():
    found, _ = dense(lambda g, self, dy: np.outer(self.given[-1], dy[-1]), of="kernel")
    assert found.name == "only one image counted" and "the last image of dy (3, 4) alone" in found.sentence
    found, _ = dense(lambda dx, self, dy: np.outer(dy[:, 0], self.params["kernel"][:, 0]))
    assert found.name == "only one unit counted" and "the first unit of dy (3, 4) alone" in found.sentence


@pytest.mark.parametrize(("place", "end"), [(0, "first"), (-1, "last")])
def test_one_place_alone_is_told_by_its_end(place, end):
    def at(g, self, dy):
        kh, kw = self.kernel_size
        x, dy = np.flip(self.given, (1, 2)) if place else self.given, dy[:, place, place]
        window = np.flip(x[:, :kh, :kw], (1, 2)) if place else x[:, :kh, :kw]
        return np.einsum("nuvc,nf->uvcf", window, dy)

    found = conv(at, of="kernel")
    assert found.name == "only one place counted"
    assert f"is that of the {end} place of dy (3, 3, 4, 5) alone. " in found.sentence


@pytest.mark.parametrize("which", ["last", "first"])
def test_one_window_alone_where_several_meet_is_told_with_how_many_values(which):
    def assigned(dx, self, dy):
        wrong, kernel = np.zeros_like(self.given), self.params["kernel"]
        places = [(i, j) for i in range(3) for j in range(4)]
        for i, j in places if which == "last" else reversed(places):
            wrong[:, i : i + 2, j : j + 3] = np.einsum("nf,uvcf->nuvc", dy[:, i, j], kernel)
        return wrong

    found = conv(assigned)
    windows = np.zeros((4, 6), int)
    for i in range(3):
        for j in range(4):
            windows[i : i + 2, j : j + 3] += 1
    assert found.name == "only the last overlap kept"
    assert found.sentence.startswith(
        f"{count(windows > 1) * 3 * 2} values belong to several windows, and each holds the share"
    )
    assert f"of the {which} window" in found.sentence


def test_what_is_added_is_told_with_its_size_and_place():
    added = np.zeros((3, 5))
    added[1, 2], added[2, 0] = -0.0375, 0.02
    found, _ = dense(lambda dx, *_: dx + added)
    assert found.name == "something added"
    assert found.sentence.startswith("With dy zero everywhere dx should be zero, and is up to 0.0375 (at (1, 2)). ")


def test_images_that_are_mixed_are_told_with_how_far_the_others_reach():
    found, seen = dense(lambda dx, *_: dx + 0.25 * dx.sum(axis=0))
    first = 0.25 * np.abs(seen.dy[0] @ seen.params["kernel"].T).max()
    assert found.name == "images mixed"
    assert f"With dy zero for all images but the first, dx of the others reaches {number(first)} and" in found.sentence


def test_one_image_cannot_be_mixed_with_others_and_no_parameter_has_images():
    for images, name in ((1, "dx"), (2, "kernel")):
        assert not [*images_mixed(Claim(SimpleNamespace(dy=np.ones((images, 3))), name, None))]


def test_of_what_nobody_can_explain_the_wrong_values_are_counted_and_the_worst_is_shown():
    true, given = np.zeros((2, 3)), np.zeros((2, 3))
    given[0, 1], given[1, 2] = 0.5, -0.75
    (said,) = unexplained(Claim(SimpleNamespace(numeric=lambda name: true), "dx", given))
    words = Diagnosis.told("dx", said).sentence
    assert words.startswith("2 of 6 values are wrong, by most at (1, 2): -0.75, and it should be 0. ")


def test_the_easiest_cases_have_one_of_everything():
    case = Case(nn.Conv2D(3, (2, 3)), (4, 5, 2))
    found = {name: (tried.layer, tried.input_shape) for name, tried, _ in easiest_cases(case)}
    assert found["right for 1x1 windows alone"][0].kernel_size == (1, 1)
    assert found["right for one channel alone"][1] == (4, 5, 1)
    assert found["right for one filter alone"][0].filters == 1
    assert (case.layer.kernel_size, case.layer.filters, case.input_shape) == ((2, 3), 3, (4, 5, 2))
