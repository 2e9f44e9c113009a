"""Code as it is written elsewhere, brought to the check and the doctor: right code passes, its mistakes are named."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn import adapt
from batik_scratch.learn.doctor import diagnose
from batik_scratch.nn.gradcheck import check_layer


def names(layer, shape):
    """What the doctor says; and that the check says as much."""
    found = diagnose(layer, shape)
    assert check_layer(layer, shape).ok == (not found)
    return {(one.tensor, one.name) for one in found}


# ------------------------------------------------------------------ functions


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


SHAPES = {"w": (6, 4), "b": (4,)}


def test_functions_with_a_cache_are_examined_with_their_parameters_in_order():
    assert names(adapt.functions(affine_forward, affine_backward, SHAPES), (6,)) == set()


def test_a_mistake_in_one_gradient_of_a_function_is_named_for_that_parameter():
    def backward(dy, cache):
        dx, dw, db = affine_backward(dy, cache)
        return dx, dw / len(dy), db

    assert names(adapt.functions(affine_forward, backward, SHAPES), (6,)) == {("w", "constant factor")}


def test_a_function_without_a_cache_hands_its_inputs_to_backward():
    def backward(dy, x, w):
        return dy @ w.T, {"w": x.T @ dy, "b": dy.sum(axis=0)}

    assert names(adapt.functions(lambda x, w, b: x @ w + b, backward, SHAPES), (6,)) == set()


def test_a_function_of_x_alone_needs_no_parameters_and_one_that_asks_is_told_of_training():
    told = []

    def forward(x, train):
        told.append(train)
        return np.tanh(x)

    layer = adapt.functions(forward, lambda dy, x: dy * (1 - np.tanh(x) ** 2))
    assert names(layer, (6,)) == set() and True in told
    assert names(adapt.functions(np.tanh, lambda dy, x: dy * (1 - x**2)), (6,)) == {("dx", "input for output")}


def test_parameters_may_follow_from_the_inputs_shape():
    layer = adapt.functions(affine_forward, affine_backward, lambda shape: {"w": (shape[0], 3), "b": (3,)})
    assert names(layer, (5,)) == set() and check_layer(layer, (5,), thorough=True).ok


# ------------------------------------------------------------------ attributes


class Affine:
    """Weights made in the first call, gradients added up, an update on request in backward."""

    def __init__(self, rate=None, scale=1.0):
        self.W = self.dW = None
        self.rate, self.scale = rate, scale

    def forward(self, x):
        if self.W is None:
            self.W = np.random.default_rng(0).standard_normal((x.shape[1], 4))
            self.dW = np.zeros_like(self.W)
        self.x = x
        return x @ self.W

    def backward(self, dy, rate=0.0):
        dx = dy @ self.W.T
        self.dW += self.scale * self.x.T @ dy
        self.W -= rate * self.scale * self.x.T @ dy
        return dx


def test_weights_made_late_and_gradients_added_up_are_examined_as_they_are():
    assert names(adapt.attributes(Affine(), {"W": "dW"}), (6,)) == set()
    assert names(adapt.attributes(Affine(scale=2.0), {"W": "dW"}), (6,)) == {("W", "constant factor")}


@pytest.mark.parametrize(("scale", "said"), [(1.0, set()), (-1.0, {("W", "wrong sign")})])
def test_weights_that_backward_changes_tell_their_gradient_by_what_they_lose(scale, said):
    layer = adapt.attributes(Affine(scale=scale), {"W": None}, backward=lambda it, dy: it.backward(dy, 1.0))
    assert names(layer, (6,)) == said


def test_the_object_itself_stays_as_it_is():
    mine = Affine()
    names(adapt.attributes(mine, {"W": "dW"}), (6,))
    assert mine.W is None


# ------------------------------------------------------------------ channels first


class ConvolutionNCHW(nn.Layer):
    """As it is often written: x (N, C, H, W), kernel (F, C, KH, KW)."""

    def __init__(self, flip=False, over=(0, 2, 3)):
        super().__init__()
        self.flip, self.over = flip, over

    def infer_shape(self, shape):
        return (4, shape[1] - 1, shape[2] - 2)

    def create_params(self, shape, rng):
        return {"kernel": rng.standard_normal((4, shape[0], 2, 3)), "bias": rng.standard_normal(4)}

    def forward(self, x, training=False, keep=None):
        self.x, k = x, self.params["kernel"]
        windows = np.lib.stride_tricks.sliding_window_view(x, (2, 3), axis=(2, 3))
        return np.einsum("nchwij,fcij->nfhw", windows, k) + self.params["bias"][:, None, None]

    def backward(self, dy, need_dx=True, need_grads=True):
        windows = np.lib.stride_tricks.sliding_window_view(self.x, (2, 3), axis=(2, 3))
        self.grads = {"kernel": np.einsum("nchwij,nfhw->fcij", windows, dy), "bias": dy.sum(axis=self.over)}
        dx, k = np.zeros_like(self.x), self.params["kernel"]
        k = k[:, :, ::-1, ::-1] if self.flip else k
        for i in range(2):
            for j in range(3):
                dx[:, :, i : i + dy.shape[2], j : j + dy.shape[3]] += np.einsum("nfhw,fc->nchw", dy, k[:, :, i, j])
        return dx


def test_a_layer_for_channels_first_is_examined_as_one_for_channels_last():
    layer = adapt.nchw(ConvolutionNCHW())
    assert names(layer, (5, 6, 3)) == set()
    layer.build((5, 6, 3), np.random.default_rng(0))
    assert layer.params["kernel"].shape == (2, 3, 3, 4) and layer.output_shape == (4, 4, 4)


def test_the_doctors_words_fit_a_layer_for_channels_first():
    assert names(adapt.nchw(ConvolutionNCHW(flip=True)), (5, 6, 3)) == {("dx", "kernel not flipped")}


# ------------------------------------------------------------------ torch's manner


class Square:
    """In the manner of torch.autograd.Function, on arrays."""

    factor = 2

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x**2 * w

    @classmethod
    def backward(cls, ctx, dy):
        x, w = ctx.saved_tensors
        return cls.factor * x * w * dy, (dy * x**2).sum(0)


class SquareHalf(Square):
    factor = 1


def test_a_function_in_torchs_manner_is_examined():
    assert names(adapt.torch_function(Square, {"w": (5,)}), (5,)) == set()
    assert names(adapt.torch_function(SquareHalf, {"w": (5,)}), (5,)) == {("dx", "constant factor")}


def test_a_function_of_torch_itself_gets_tensors():
    torch = pytest.importorskip("torch")

    class Wave(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return dy * torch.cos(x)

    assert names(adapt.torch_function(Wave), (5,)) == set()


@pytest.mark.parametrize(
    "make",
    [lambda: adapt.functions(3, 4), lambda: adapt.attributes(Affine(), backward="backprop"),
     lambda: adapt.torch_function(3)],
)  # fmt: skip
def test_what_cannot_be_adapted_is_refused_at_once(make):
    with pytest.raises(InputError):
        make()


def test_an_attribute_that_is_not_there_is_told_beside_those_that_are():
    with pytest.raises(InputError, match="no 'V' after a forward pass; it has W, dW, x"):
        adapt.attributes(Affine(), {"V": "dV"}).build((6,), np.random.default_rng(0))
