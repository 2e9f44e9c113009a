"""Parts of y that send nothing back, slopes taken at the wrong end, counts, running sums: right, and nearly right."""

import numpy as np
import pytest
from wrong_uses import Attention, Elman, Gated, LastOfElman, Own, sigmoid

from batik_scratch.learn.doctor import diagnose


def names(layer, shape):
    return {one.tensor: one.name for one in diagnose(layer, shape)}


# ------------------------------------------------------------------ parts of y


class Grown(Own):
    """y = [x, tanh(x M)], or [x M, tanh(x)] if `first` is False; `unused` are the units whose dy is forgotten."""

    def __init__(self, unused=slice(0, 0), leak=0.0, copied=True):
        super().__init__()
        self.unused, self.leak, self.copied = unused, leak, copied

    def infer_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 3)

    def shapes(self, input_shape):
        return {"M": (input_shape[-1], 3)}

    def forward(self, x, training=False, keep=None):
        self.x, self.t = x, np.tanh(x @ self.params["M"])
        return np.concatenate([x if self.copied else x**2, self.t], axis=-1)

    def backward(self, dy, need_dx=True, need_grads=True):
        dy = dy.copy()
        dy[..., self.unused] *= self.leak
        width = self.x.shape[-1]
        da = dy[..., width:] * (1 - self.t**2)
        self.grads = {"M": np.tensordot(self.x, da, axes=(range(da.ndim - 1),) * 2)}
        return dy[..., :width] * (1 if self.copied else 2 * self.x) + da @ self.params["M"].T


@pytest.mark.parametrize(
    ("layer", "shape", "tensors", "words"),
    [
        (Grown(slice(0, 4)), (4,), {"dx"}, "units 0 to 3 (axis 1 of (3, 7)) is not used at all: 12 outputs"),
        (Grown(slice(0, 4)), (4,), {"dx"}, "hands a part of x on to them as it is (a concatenation"),
        (Grown(slice(0, 4), copied=False), (4,), {"dx"}, "forward makes them of x too: take that part"),
        (Grown(slice(0, 3)), (3, 2, 3), {"dx"}, "channels 0 to 2 (axis 3 of (3, 3, 2, 6)) is not used"),
        (Grown(slice(3, 5)), (4,), {"dx"}, "at units 3 to 4 (axis 1"),
        (Grown(slice(4, 7)), (4,), {"dx"}, "at units 4 to 6 (axis 1"),
    ],
)
def test_outputs_whose_dy_is_not_used_are_told_with_their_places(layer, shape, tensors, words):
    found = {one.tensor: one for one in diagnose(layer, shape)}
    assert {key for key, one in found.items() if one.name == "outputs not used"} == tensors
    assert words in found["dx"].sentence


@pytest.mark.parametrize("layer", [Grown(slice(0, 4), 0.01), Grown(slice(0, 7, 2)), Grown(slice(1, 6, 3), 0.5)])
def test_outputs_that_are_used_a_little_or_lie_apart_are_not_called_unused(layer):
    assert names(layer, (4,))["dx"] != "outputs not used"


def test_a_right_join_gets_no_word():
    assert diagnose(Grown(), (4,)) == [] and diagnose(Grown(copied=False), (3, 2)) == []


# ------------------------------------------------------------------ slopes


class Last(Own):
    """y = f(x M + c); backward multiplies dy by `slope(z, y)`."""

    def __init__(self, f, slope):
        super().__init__()
        self.f, self.slope = f, slope

    def infer_shape(self, input_shape):
        return (*input_shape[:-1], 4)

    def shapes(self, input_shape):
        return {"M": (input_shape[-1], 4), "c": (4,)}

    def forward(self, x, training=False, keep=None):
        self.x, self.z = x, x @ self.params["M"] + self.params["c"]
        self.y = self.f(self.z)
        return self.y.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        dz, over = dy * self.slope(self.z, self.y), (range(dy.ndim - 1),) * 2
        self.grads = {"M": np.tensordot(self.x, dz, axes=over), "c": dz.reshape(-1, 4).sum(0)}
        return dz @ self.params["M"].T


ELSEWHERE = [
    (np.tanh, lambda z, y: 1 - z**2, "the slope 1 - z^2 is taken of z, what goes into tanh"),
    (np.tanh, lambda z, y: 1 - np.tanh(y) ** 2, "is taken at y, what comes out of it, as if tanh were applied twice"),
    (sigmoid, lambda z, y: z * (1 - z), "the slope z (1 - z) is taken of z, what goes into the sigmoid"),
    (sigmoid, lambda z, y: sigmoid(y) * (1 - sigmoid(y)), "as if the sigmoid were applied twice"),
]


@pytest.mark.parametrize(("f", "slope", "words"), ELSEWHERE)
@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_a_slope_that_is_taken_at_the_other_end_is_told_of_every_tensor(f, slope, words, shape):
    found = diagnose(Last(f, slope), shape)
    assert {one.tensor: one.name for one in found} == dict.fromkeys(("dx", "M", "c"), "slope taken elsewhere")
    assert all(words in one.sentence for one in found)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.tanh, lambda z, y: 1 - 1.001 * z**2),
        (np.tanh, lambda z, y: 1 - z**3),
        (sigmoid, lambda z, y: z * (1.01 - z)),
        (sigmoid, lambda z, y: sigmoid(1.01 * y) * (1 - sigmoid(y))),
    ],
)
def test_a_slope_that_is_nearly_that_of_the_other_end_gets_another_word(f, slope):
    assert "slope taken elsewhere" not in names(Last(f, slope), (5,)).values()


# ------------------------------------------------------------------ counts


class Grouped(Own):
    """Normalises groups of 2 channels over the places of an image, times a scale; sums are divided by `count(m)`."""

    def __init__(self, count=lambda shape: None, both=True):
        super().__init__()
        self.count, self.both = count, both

    def shapes(self, input_shape):
        return {"scale": input_shape[-1:]}

    def split(self, a):
        return a.reshape(len(a), -1, a.shape[-1] // 2, 2)

    def forward(self, x, training=False, keep=None):
        g = self.split(x)
        self.s = np.sqrt(g.var(axis=(1, 3), keepdims=True) + 1e-4)
        self.normed = ((g - g.mean(axis=(1, 3), keepdims=True)) / self.s).reshape(x.shape)
        return self.normed * self.params["scale"]

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"scale": (dy * self.normed).sum(axis=tuple(range(dy.ndim - 1)))}
        d, n = self.split(dy * self.params["scale"]), self.split(self.normed)
        right = d.shape[1] * 2
        count = self.count(dy.shape) or right
        by_mean = d.sum(axis=(1, 3), keepdims=True) / (count if self.both else right)
        return ((d - by_mean - n * (d * n).sum(axis=(1, 3), keepdims=True) / count) / self.s).reshape(dy.shape)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (lambda shape: shape[1] * shape[2] * shape[3], "divided by 36, the number of all values of an image"),
        (lambda shape: shape[1] * shape[2], "divided by 6, the number of the places of an image"),
        (lambda shape: shape[0] * shape[1] * shape[2] * shape[3], "the number of all values of the batch"),
    ],
)
def test_a_count_of_other_values_is_told_beside_the_right_one(count, words):
    (found,) = diagnose(Grouped(count), (3, 2, 6))
    assert (found.tensor, found.name) == ("dx", "divided by another number")
    assert "Forward normalises 12 values together" in found.sentence and words in found.sentence


@pytest.mark.parametrize(
    "layer", [Grouped(lambda shape: 11.3), Grouped(lambda shape: shape[1] * shape[2] * shape[3], both=False)]
)
def test_a_count_that_is_no_number_of_values_or_of_one_sum_alone_gets_another_word(layer):
    assert names(layer, (3, 2, 6))["dx"] != "divided by another number"


def test_a_softmax_whose_sum_is_off_by_a_factor_is_no_normalisation():
    class Softmax(Own):
        def shapes(self, input_shape):
            return {}

        def forward(self, x, training=False, keep=None):
            e = np.exp(x)
            self.p = e / e.sum(-1, keepdims=True)
            return self.p.copy()

        def backward(self, dy, need_dx=True, need_grads=True):
            return self.p * (dy - (dy * self.p).sum(-1, keepdims=True) / 2)

    assert names(Softmax(), (6,))["dx"] != "divided by another number"


def test_a_right_normalisation_of_groups_gets_no_word():
    assert diagnose(Grouped(), (3, 2, 6)) == []


# ------------------------------------------------------------------ running sums


class Summed(Own):
    """y[t] = the sum of decay^(t - s) x[s] over s <= t, along axis 1; from the end if `turned`."""

    def __init__(self, decay=1.0, turned=False, right=False):
        super().__init__()
        self.decay, self.turned, self.right = decay, turned, right

    def shapes(self, input_shape):
        return {}

    def along(self, a, turned):
        lag = np.subtract.outer(np.arange(a.shape[1]), np.arange(a.shape[1]))
        weights = np.where(lag >= 0, self.decay ** np.abs(lag), 0)
        return np.moveaxis(np.tensordot(weights.T if turned else weights, a, axes=(1, 1)), 0, 1)

    def forward(self, x, training=False, keep=None):
        return self.along(x, self.turned)

    def backward(self, dy, need_dx=True, need_grads=True):
        return self.along(dy, self.turned != self.right)


@pytest.mark.parametrize("shape", [(5,), (5, 2), (4, 3, 2)])
@pytest.mark.parametrize(("turned", "words"), [(False, "x[0] to x[t]"), (True, "x[t] to the last")])
def test_a_running_sum_of_dy_from_the_same_end_is_told(shape, turned, words):
    (found,) = diagnose(Summed(turned=turned), shape)
    assert found.name == "running sum not turned" and words in found.sentence and "along axis 1" in found.sentence
    assert diagnose(Summed(turned=turned, right=True), shape) == []


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_a_sum_that_forgets_is_a_kernel_that_is_not_flipped(decay):
    assert names(Summed(decay), (5, 2))["dx"] == "kernel not flipped"


# ------------------------------------------------------------------ steps or places


class Pooled(Own):
    """One query weighs all places: y = sum of a[t] x[t], a = softmax(x q); `sent` is what comes back by the scores."""

    def __init__(self, sent=1.0):
        super().__init__()
        self.sent = sent

    def infer_shape(self, input_shape):
        return input_shape[1:]

    def shapes(self, input_shape):
        return {"q": input_shape[1:]}

    def forward(self, x, training=False, keep=None):
        e = np.exp(x @ self.params["q"])
        self.x, self.a = x, e / e.sum(1, keepdims=True)
        return np.einsum("nt,ntd->nd", self.a, x)

    def backward(self, dy, need_dx=True, need_grads=True):
        da = np.einsum("nd,ntd->nt", dy, self.x)
        de = self.a * (da - (self.a * da).sum(1, keepdims=True))
        self.grads = {"q": np.einsum("nt,ntd->d", de, self.x)}
        return self.a[..., None] * dy[:, None] + self.sent * de[..., None] * self.params["q"]


class Carried(Own):
    """c = f c + x G, y = tanh(c) Q of the last step: the state that goes on is more than y."""

    Q = np.array([[1.0, 0.3], [-0.5, 0.8], [0.7, -0.4]])

    def infer_shape(self, input_shape):
        return (2,)

    def shapes(self, input_shape):
        return {"F": (input_shape[1], 3), "G": (input_shape[1], 3)}

    def forward(self, x, training=False, keep=None):
        c, self.tape, self.x = np.zeros((len(x), 3)), [], x
        for t in range(x.shape[1]):
            f, g = sigmoid(x[:, t] @ self.params["F"]), x[:, t] @ self.params["G"]
            self.tape.append((c, f))
            c = f * c + g
        self.h = np.tanh(c)
        return self.h @ self.Q

    def backward(self, dy, need_dx=True, need_grads=True):
        x, P, dx, dc = self.x, self.params, np.zeros_like(self.x), dy @ self.Q.T * (1 - self.h**2)
        self.grads = {key: np.zeros_like(value) for key, value in P.items()}
        for t in reversed(range(x.shape[1])):
            c, f = self.tape[t]
            df = dc * c * f * (1 - f)
            self.grads["F"] += x[:, t].T @ df
            self.grads["G"] += x[:, t].T @ dc
            dx[:, t] = df @ P["F"].T + dc @ P["G"].T
            dc = dc if self.mistake else dc * f
        return dx


@pytest.mark.parametrize(
    ("layer", "shape", "name", "says", "not_said"),
    [
        (Pooled(0), (5, 3), "right for one place alone", "what passes between the places", "step to the one before"),
        (Pooled(0.5), (4, 2), "right for one place alone", "what passes between the places", "step to the one before"),
        (LastOfElman("not transposed"), (6, 3), "right for one step alone", "to the one before it", "all places"),
        (Gated("path not carried"), (5, 2), "right for one step alone", "to the one before it", "all places"),
        (Carried("gate"), (4, 3), "right for one step alone", "carries a state from step to step", "before it is"),
        (Attention("keys send nothing back"), (4, 3), "right for one place alone", "between the places", "the one"),
    ],
)
def test_steps_are_spoken_of_where_a_state_is_carried_and_places_where_all_are_weighed(
    layer, shape, name, says, not_said
):
    found = {one.tensor: one for one in diagnose(layer, shape)}["dx"]
    said = found.sentence.split("run again with")[1]
    assert found.name == name and says in said and not_said not in said


def test_layers_of_sequences_without_a_mistake_get_no_word():
    for layer, shape in ((Pooled(), (5, 3)), (Carried(), (4, 3)), (Elman(), (4, 3))):
        assert diagnose(layer, shape) == []
