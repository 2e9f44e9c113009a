"""One mistake, whatever the numbers are called and in whichever layout: one diagnosis."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn.doctor import diagnose
from batik_scratch.learn.symptoms.options import options, with_option


class Convolution(nn.Layer):
    """A convolution with stride, padding and dilation, whose names are chosen; `wrong` is what backward leaves out."""

    def __init__(self, wrong="", stride="s", padding="p", dilation="d", values=(2, 1, 1), form=int, first=False):
        super().__init__()
        self.wrong, self.named, self.first = wrong, (stride, padding, dilation), first
        for name, value in zip(self.named, values, strict=True):
            setattr(self, name, value if form is int else form([value, value]))

    def numbers(self):
        values = [getattr(self, name) for name in self.named]
        return [value if isinstance(value, int) else value[0] for value in values]

    def infer_shape(self, shape):
        s, p, d = self.numbers()
        _, h, w = shape if self.first else (shape[2], *shape[:2])
        out = [(size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k in ((h, 2), (w, 3))]
        return (4, *out) if self.first else (*out, 4)

    def create_params(self, shape, rng):
        c = shape[0] if self.first else shape[2]
        return {"kernel": rng.standard_normal((4, c, 2, 3) if self.first else (2, 3, c, 4))}

    def parts(self, padded, oh, ow, s, d):
        for i in range(2):
            for j in range(3):
                yield i, j, padded[:, i * d : i * d + s * (oh - 1) + 1 : s, j * d : j * d + s * (ow - 1) + 1 : s]

    def kernel(self):
        k = self.params["kernel"]
        return k.transpose(2, 3, 1, 0) if self.first else k

    def forward(self, x, training=False, keep=None):
        s, p, d = self.numbers()
        x = x.transpose(0, 2, 3, 1) if self.first else x
        self.x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        shape = self.infer_shape(self.turned(x.shape))
        oh, ow = shape[1:] if self.first else shape[:2]
        y = sum(part @ self.kernel()[i, j] for i, j, part in self.parts(self.x, oh, ow, s, d))
        return y.transpose(0, 3, 1, 2) if self.first else y

    def turned(self, shape):
        return (shape[3], *shape[1:3]) if self.first else shape[1:]

    def backward(self, dy, need_dx=True, need_grads=True):
        dy = dy.transpose(0, 2, 3, 1) if self.first else dy
        s, p, d = self.numbers()
        s, d = (1 if self.wrong == "stride" else s), (1 if self.wrong == "dilation" else d)
        dx, dk, (oh, ow) = np.zeros_like(self.x), np.zeros_like(self.kernel()), dy.shape[1:3]
        for i, j, part in self.parts(dx, oh, ow, s, d):
            part += dy @ self.kernel()[i, j].T
        s, _, d = self.numbers()
        for i, j, part in self.parts(self.x, oh, ow, s, d):
            dk[i, j] = np.einsum("nhwc,nhwf->cf", part, dy)
        q = 0 if self.wrong == "padding" else p
        dx = dx[:, q : q + dx.shape[1] - 2 * p, q : q + dx.shape[2] - 2 * p]
        self.grads = {"kernel": dk.transpose(3, 2, 0, 1) if self.first else dk}
        return dx.transpose(0, 3, 1, 2) if self.first else dx


SPELLINGS = [
    ("s", "p", "d"), ("stride", "pad", "dilation"), ("strides", "padding", "rate"), ("step", "border", "holes"),
    ("_stride", "_pad", "_dilation"), ("a", "b", "c"),
]  # fmt: skip


def one(layer, shape, **options):
    found = diagnose(layer, shape, **options)
    assert len(found) == 1, [str(each) for each in found]
    return found[0].tensor, found[0].name


@pytest.mark.parametrize("names", SPELLINGS, ids=lambda names: names[0])
@pytest.mark.parametrize("form", [int, tuple, list])
def test_a_stride_that_backward_forgets_is_told_under_every_name_and_form(names, form):
    assert one(Convolution("stride", *names, form=form), (7, 9, 2)) == ("dx", "right for stride 1 alone")


@pytest.mark.parametrize("names", SPELLINGS, ids=lambda names: names[0])
def test_a_dilation_that_backward_forgets_is_told_under_every_name(names):
    assert one(Convolution("dilation", *names, values=(1, 0, 2)), (7, 9, 2)) == ("dx", "right for dilation 1 alone")


@pytest.mark.parametrize("wrong", ["stride", "padding"])
def test_both_layouts_get_one_diagnosis(wrong):
    last = one(Convolution(wrong), (7, 9, 2))
    assert one(Convolution(wrong, first=True), (2, 7, 9), layout="NCHW") == last


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["stride", "padding", "dilation"])
def test_one_mistake_under_six_spellings_in_both_layouts_gets_one_diagnosis(wrong):
    values = (1, 0, 2) if wrong == "dilation" else (2, 1, 1)
    found = {one(Convolution(wrong, *names, values=values), (7, 9, 2)) for names in SPELLINGS}
    found |= {
        one(Convolution(wrong, *names, values=values, first=True), (2, 7, 9), layout="NCHW") for names in SPELLINGS
    }
    expected = {
        "stride": "right for stride 1 alone",
        "padding": "shifted by one",
        "dilation": "right for dilation 1 alone",
    }
    assert found == {("dx", expected[wrong])}


def as_a_loop(dy):
    total = np.zeros(dy.shape[-1])
    for image in dy:
        for row in image:
            for place in row:
                total += place / len(dy)
    return total


WAYS = {  # one bias gradient, divided by the batch, in six spellings; dy has its channels last
    "mean": lambda dy: dy.mean(axis=0).sum(axis=(0, 1)),
    "sum over N": lambda dy: dy.sum((0, 1, 2)) / dy.shape[0],
    "einsum": lambda dy: np.einsum("nhwf->f", dy) / len(dy),
    "matrix": lambda dy: np.full(len(dy.reshape(-1, dy.shape[-1])), 1 / len(dy)) @ dy.reshape(-1, dy.shape[-1]),
    "loop": as_a_loop,
    "mean of sums": lambda dy: np.mean([image.sum(axis=(0, 1)) for image in dy], axis=0),
}


class Biased(nn.Layer):
    """y = x + b, a bias to each channel, whose gradient is written in one of these ways, in either layout."""

    def __init__(self, way, key, first):
        super().__init__()
        self.way, self.key, self.first = way, key, first

    def create_params(self, shape, rng):
        return {self.key: np.zeros(shape[0] if self.first else shape[-1])}

    def forward(self, x, training=False, keep=None):
        b = self.params[self.key]
        return x + (b[:, None, None] if self.first else b)

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {self.key: WAYS[self.way](dy.transpose(0, 2, 3, 1) if self.first else dy)}
        return dy.copy()


def test_one_gradient_written_in_six_ways_in_both_layouts_gets_one_diagnosis():
    keys = ("bias", "b", "beta", "shift", "offset", "B")
    found = [diagnose(Biased(way, key, False), (4, 5, 3)) for way, key in zip(WAYS, keys, strict=True)]
    found += [diagnose(Biased(way, key, True), (3, 4, 5), layout="NCHW") for way, key in zip(WAYS, keys, strict=True)]
    assert {(len(some), some[0].name) for some in found} == {(1, "constant factor")}
    assert len({some[0].sentence for some in found}) == 1 and "1/N" in found[0][0].sentence
    assert [some[0].tensor for some in found] == [*keys, *keys]


@pytest.mark.parametrize("first", [False, True])
def test_a_right_convolution_gets_no_diagnosis_in_either_layout(first):
    shape, layout = ((2, 7, 9), "NCHW") if first else ((7, 9, 2), "NHWC")
    assert diagnose(Convolution(first=first), shape, layout=layout) == []


def test_another_layout_is_refused():
    with pytest.raises(InputError, match="NHWC, NCHW, got 'CHWN'"):
        diagnose(nn.ReLU(), (5, 6, 3), layout="CHWN")


class Dropping(nn.Layer):
    """Drops with a rate of any name; backward forgets to scale."""

    def __init__(self, name):
        super().__init__()
        setattr(self, name, 0.3)
        self.its, self.rng = name, np.random.default_rng(0)

    def forward(self, x, training=False, keep=None):
        self.mask = self.rng.random(x.shape) >= getattr(self, self.its)
        return x * self.mask / (1 - getattr(self, self.its))

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * self.mask


@pytest.mark.parametrize("name", ["rate", "p", "drop", "_p", "prob", "q"])
def test_a_scale_that_backward_forgets_is_told_with_the_number_by_its_own_name(name):
    (found,) = diagnose(Dropping(name), (40,))
    assert found.name == "constant factor" and f"1-{name}" in found.sentence


class Normalising(nn.Layer):
    """Rows over their length; epsilon, of any name, is left out in backward."""

    def __init__(self, name):
        super().__init__()
        setattr(self, name, 0.05)
        self.its = name

    def forward(self, x, training=False, keep=None):
        self.x = x
        return x / np.sqrt((x**2).sum(-1, keepdims=True) + getattr(self, self.its))

    def backward(self, dy, need_dx=True, need_grads=True):
        size = np.sqrt((self.x**2).sum(-1, keepdims=True))
        y = self.x / size
        return (dy - y * (dy * y).sum(-1, keepdims=True)) / size


@pytest.mark.parametrize("name", ["epsilon", "eps", "_eps", "e", "tiny", "delta"])
def test_a_small_number_that_backward_forgets_is_told_under_every_name(name):
    assert one(Normalising(name), (5,)) == ("dx", "epsilon forgotten")


def test_options_are_found_in_the_object_its_class_and_the_layers_within_and_nothing_else_is():
    class Holder(nn.Layer):
        size = 2

        def __init__(self):
            super().__init__()
            self.inside, self.many, self.flag, self.word = nn.MaxPooling2D(3), 400, True, "relu"

    found = dict(options(Holder()))
    assert found["size",] == 2 and found["inside", "pool_size"] == (3, 3)
    assert {path[0] for path in found} == {"size", "inside"}


def test_an_option_is_changed_in_a_copy():
    layer = nn.MaxPooling2D(3)
    assert with_option(layer, ("strides",), (1, 1)).strides == (1, 1) and layer.strides == (3, 3)
