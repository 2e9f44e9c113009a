"""Every method against a closed form, in float64, over random networks; and the promises that all methods make."""

import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saliency_networks import METHODS, cnn, linear, network, weights
from scipy.stats import norm

from batik_scratch import nn, saliency
from batik_scratch.errors import InputError
from batik_scratch.nn.layers import Layer

seeds = st.integers(0, 10_000)


class Quadratic(Layer):
    """S = x' Q x / 2 of each image: a network whose gradient, Q x, is known everywhere."""

    def __init__(self, q):
        super().__init__()
        self.q = q

    def infer_shape(self, shape):
        return (1,)

    def forward(self, x, training=False, keep=None):
        flat = x.reshape(len(x), -1)
        self._keep(x, training, keep)
        return 0.5 * np.einsum("ni,ij,nj->n", flat, self.q, flat)[:, None]

    def backward(self, dy, need_dx=True, need_grads=True):
        x = self._recall()
        return (dy * (x.reshape(len(x), -1) @ self.q)).reshape(x.shape)


def quadratic(seed, shape=(2, 3, 1)):
    a = np.random.default_rng(seed).normal(size=(6, 6))
    q = a + a.T
    return nn.Sequential([Quadratic(q)], shape, dtype="float64"), q


# ---------------------------------------------------------------------- gradients and their relatives


@given(seeds)
def test_gradient_times_input_adds_up_to_the_logit_without_biases(seed):
    model, x = cnn(seed, biases=False), np.random.default_rng(seed).random((3, 9, 8, 3))
    maps = saliency.GradientTimesInput(model).attribute(x, target=1)
    assert np.abs(maps.sum(axis=(1, 2, 3)) - model.logits(x)[:, 1]).max() < 1e-10


@given(seeds)
def test_smoothgrad_without_noise_is_the_gradient_and_of_a_linear_network_the_weights(seed):
    x = np.random.default_rng(seed).random((2, 9, 8, 3))
    model = cnn(seed)
    still = saliency.SmoothGrad(model, samples=3, sigma=0).attribute(x, target=0)
    assert np.abs(still - saliency.Gradient(model).attribute(x, target=0)).max() < 1e-14
    flat, y = linear(seed), np.random.default_rng(seed).random((2, 4, 3, 2))
    w = weights(flat, 2)
    for statistic, truth in (("mean", w), ("squared", w**2), ("variance", 0 * w)):
        found = saliency.SmoothGrad(flat, 7, 0.3, statistic).attribute(y, target=2)
        assert np.abs(found - truth).max() < 1e-14


@given(seeds)
def test_smoothgrad_and_vargrad_of_a_quadratic(seed):
    """With noise e and spread r: G_i = Q (x + s r e_i), so mean and variance are those of the drawn e exactly."""
    model, q = quadratic(seed)
    rng = np.random.default_rng(seed)
    x, noise = rng.random((1, 2, 3, 1)), rng.normal(size=(40, 2, 3, 1))
    noise = np.concatenate([noise, -noise])  # mean exactly 0
    r = np.ptp(x)
    mean = saliency.SmoothGrad(model, sigma=0.2, noise=noise).attribute(x, target=0)
    assert np.abs(mean.ravel() - q @ x.ravel()).max() < 1e-10
    variance = saliency.SmoothGrad(model, sigma=0.2, statistic="variance", noise=noise).attribute(x, target=0)
    flat = noise.reshape(80, 6)
    truth = (0.2 * r) ** 2 * np.diag(q @ (flat.T @ flat / 80) @ q.T)
    assert np.abs(variance.ravel() - truth).max() < 1e-10


def test_vargrad_of_a_quadratic_tends_to_the_closed_form():
    model, q = quadratic(3)
    x = np.random.default_rng(3).random((1, 2, 3, 1))
    variance = saliency.SmoothGrad(model, 4_000, 0.2, "variance").attribute(x, target=0).ravel()
    assert np.allclose(variance, (0.2 * np.ptp(x)) ** 2 * (q**2).sum(axis=1), rtol=0.1)


def test_smoothgrad_of_a_relu_ridge_tends_to_the_normal_distribution():
    model = network(5, [nn.Flatten(), nn.Dense(1), nn.ReLU()], (2, 3, 1))
    w, b = model.layers[1].params["kernel"][:, 0], float(model.layers[1].params["bias"][0])
    x = np.random.default_rng(5).random((1, 2, 3, 1))
    sigma = 0.15 * np.ptp(x)
    found = saliency.SmoothGrad(model, 2_000, 0.15).attribute(x, target=0).ravel()
    truth = w * norm.cdf((w @ x.ravel() + b) / (sigma * np.linalg.norm(w)))
    assert np.allclose(found, truth, atol=0.03 * np.abs(w).max())


@given(seeds)
def test_integrated_gradients_are_complete_and_exact_on_a_quadratic(seed):
    model, q = quadratic(seed)
    rng = np.random.default_rng(seed)
    x, base = rng.random((3, 2, 3, 1)), rng.random((2, 3, 1))
    method = saliency.IntegratedGradients(model, steps=2, baseline=base)
    maps = method.attribute(x, target=0)
    flat, start = x.reshape(3, 6), base.ravel()
    truth = (flat - start) * ((flat + start) @ q / 2)
    assert np.abs(maps.reshape(3, 6) - truth).max() < 1e-12 and np.abs(method.delta).max() < 1e-12


@settings(max_examples=8)
@given(seeds)
def test_integrated_gradients_of_a_relu_ridge(seed):
    """S = max(0, w x + b) from x0 = 0: the map is x w times the share of the way on which the unit is open."""
    model = network(seed, [nn.Flatten(), nn.Dense(1), nn.ReLU()], (2, 3, 1))
    w, b = model.layers[1].params["kernel"][:, 0], float(model.layers[1].params["bias"][0])
    x = np.random.default_rng(seed).random((1, 2, 3, 1))
    slope = float(w @ x.ravel())
    places = np.array([0.0, 1.0]) if slope == 0 else np.clip([-b / slope, 1.0 if slope > 0 else 0.0], 0, 1)
    share = abs(places[1] - places[0]) if slope else float(b > 0)
    maps = saliency.IntegratedGradients(model, steps=100).attribute(x, target=0)
    assert np.abs(maps.ravel() - x.ravel() * w * share).max() < 0.02 * np.abs(w).max()


def test_more_steps_bring_integrated_gradients_closer_to_completeness():
    model, x = cnn(3), np.random.default_rng(3).random((4, 9, 8, 3))
    misses = []
    for steps in (2, 20, 120):
        method = saliency.IntegratedGradients(model, steps)
        maps = method.attribute(x, target=1, batch_size=3)
        truth = model.logits(x)[:, 1] - model.logits(np.zeros_like(x))[:, 1]
        assert np.abs(maps.sum(axis=(1, 2, 3)) - truth - method.delta).max() < 1e-12
        misses.append(np.abs(method.delta).max())
    assert misses[2] < misses[1] < misses[0] and misses[2] < 0.02


# ---------------------------------------------------------------------- class activation maps


def with_pooled_head(seed):
    layers = [nn.Conv2D(4, 3), nn.ReLU(), nn.GlobalAveragePooling2D(), nn.Dense(3), nn.Softmax()]
    return network(seed, layers, (7, 8, 2))


@given(seeds)
def test_grad_cam_of_a_pooled_head_is_the_class_activation_map(seed):
    model, x = with_pooled_head(seed), np.random.default_rng(seed).random((3, 7, 8, 2))
    a = model.layers[1].forward(model.layers[0].forward(x))  # (N, 5, 6, 4)
    w = model.layers[3].params["kernel"][:, 2]
    cam = saliency.GradCAM(model, upsample=False).attribute(x, target=2)[..., 0]
    assert np.abs(cam - np.maximum(a @ w, 0) / 30).max() < 1e-12
    plus = saliency.GradCAMPlusPlus(model, upsample=False).attribute(x, target=2)[..., 0]
    scale = np.maximum(w, 0) / (2 + w * a.mean(axis=(1, 2)))  # (N, 4)
    assert np.abs(plus - np.maximum((a * scale[:, None, None]).sum(axis=-1), 0)).max() < 1e-10


def test_any_layer_by_name_and_the_default_is_the_relu_behind_the_last_convolution():
    model, x = nn.paper_cnn((30, 30, 3), random_state=0), np.random.default_rng(0).random((2, 30, 30, 3), np.float32)
    assert saliency.GradCAM(model).layer.name == "re_lu_2"
    for layer in ("conv2d", "max_pooling2d_1", "re_lu"):
        assert saliency.GradCAM(model, layer).attribute(x).shape == (2, 30, 30, 1)
        side = model.get_layer(layer).output_shape[0]
        assert saliency.HiResCAM(model, layer, upsample=False).attribute(x).shape == (2, side, side, 1)


# ---------------------------------------------------------------------- occlusion and relevance


@given(seeds, st.integers(1, 4), st.integers(1, 4))
def test_occlusion_of_a_linear_network(seed, window, stride):
    stride = min(stride, window)
    model = linear(seed, (5, 4, 2))
    x = np.random.default_rng(seed).random((2, 5, 4, 2))
    maps = saliency.Occlusion(model, window, stride, fill=0.3).attribute(x, target=1)
    part = (weights(model, 1) * (x - 0.3)).sum(axis=-1)  # (N, 5, 4)
    total, count = np.zeros((2, 5, 4)), np.zeros((5, 4))
    # a window starts every `stride` pixels until one before it has reached the edge
    for top in [t for t in range(0, 5, stride) if t == 0 or t - stride + window < 5]:
        for left in [c for c in range(0, 4, stride) if c == 0 or c - stride + window < 4]:
            place = np.s_[:, top : top + window, left : left + window]
            total[place] += part[place].sum(axis=(1, 2))[:, None, None]
            count[place[1:]] += 1
    assert np.abs(maps - (total / count)[..., None]).max() < 1e-10


@given(seeds)
def test_single_pixel_occlusion_of_an_additive_score_is_integrated_gradients(seed):
    model, x = linear(seed), np.random.default_rng(seed).random((2, 4, 3, 2))
    covered = saliency.Occlusion(model, 1, fill=0.4).attribute(x, target=0)[..., 0]
    integrated = saliency.IntegratedGradients(model, 1, baseline=0.4).attribute(x, target=0).sum(axis=-1)
    assert np.abs(covered - integrated).max() < 1e-10


@given(seeds)
def test_lrp_without_biases_conserves_the_logit_and_is_gradient_times_input(seed):
    model, x = cnn(seed, biases=False), np.random.default_rng(seed).random((3, 9, 8, 3))
    relevance = saliency.LRP(model, epsilon=1e-13).attribute(x, target=1)
    logit = model.logits(x)[:, 1]
    assert np.abs(relevance.sum(axis=(1, 2, 3)) - logit).max() < 1e-7
    assert np.abs(relevance - saliency.GradientTimesInput(model).attribute(x, target=1)).max() < 1e-7


def test_lrp_of_one_dense_layer_by_hand():
    model, x = linear(4), np.random.default_rng(4).random((2, 4, 3, 2))
    z = model.logits(x)[:, 1]
    truth = x * weights(model, 1) * (z / (z + 0.1 * np.sign(z)))[:, None, None, None]
    assert np.abs(saliency.LRP(model, 0.1).attribute(x, target=1) - truth).max() < 1e-12


# ---------------------------------------------------------------------- what all methods promise


@pytest.mark.parametrize("name", METHODS)
def test_a_batch_gives_what_singles_give_and_nothing_is_touched(name):
    rng = np.random.default_rng(5)
    model, x = cnn(2), rng.random((5, 9, 8, 3))
    model.compile()
    model.train_step(x, np.array([0, 1, 2, 0, 1]))
    before = [w.copy() for layer in model.layers for w in (*layer.params.values(), *layer.grads.values())]
    state, numpy_state = model.layers[4].rng.bit_generator.state, np.random.get_state()[1].copy()  # noqa: NPY002
    images = x.copy()
    together = METHODS[name](model).attribute(x, batch_size=2)
    singles = np.concatenate([METHODS[name](model).attribute(image[None]) for image in x])
    assert np.abs(together - singles).max() < 1e-11 and np.isfinite(together).all() and np.array_equal(x, images)
    after = [w for layer in model.layers for w in (*layer.params.values(), *layer.grads.values())]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert model.layers[4].rng.bit_generator.state == state
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    channels = 1 if "cam" in name else 3
    assert together.shape == (5, 9, 8, channels)


@pytest.mark.parametrize("name", METHODS)
def test_two_threads_explain_with_one_model(name):
    model, x = cnn(2), np.random.default_rng(5).random((4, 9, 8, 3))
    alone = [METHODS[name](model).attribute(x, target=c) for c in range(2)]
    found = [[], []]

    def explain(target):
        for _ in range(3):
            found[target].append(METHODS[name](model).attribute(x, target=target))

    workers = [threading.Thread(target=explain, args=(c,)) for c in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(np.array_equal(maps, alone[c]) for c in range(2) for maps in found[c])


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 8, 8, 3))}, "needs inputs"),
        ({"images": np.full((2, 9, 8, 3), np.nan)}, "NaN"),
        ({"images": np.full((2, 9, 8, 3), "white")}, "finite numbers"),
        ({"target": 3}, r"0\.\.2"),
        ({"target": [0, 1, 2]}, "2 images"),
        ({"score": "odds"}, "log_probability"),
    ],
)
def test_bad_input_says_what_is_wrong(name, change, message):
    arguments = {"images": np.full((2, 9, 8, 3), 0.5)} | change
    with pytest.raises(InputError, match=message), warnings.catch_warnings():
        warnings.simplefilter("error")
        METHODS[name](cnn(0)).attribute(**arguments)


def test_wrong_layers_and_options_are_explained():
    model = cnn(0)
    with pytest.raises(InputError, match="there are conv2d, re_lu, max_pooling2d"):
        saliency.GradCAM(model, "block5")
    with pytest.raises(InputError, match=r"no feature maps.*choose one of conv2d, re_lu, max_pooling2d"):
        saliency.HiResCAM(model, "dense")
    with pytest.raises(InputError, match="no convolution"):
        saliency.GradCAMPlusPlus(linear(0))
    with pytest.raises(InputError, match="logit alone"):
        saliency.LRP(model).attribute(np.ones((1, 9, 8, 3)), score="loss")
    for wrong in (
        lambda: saliency.LRP(model, 0),
        lambda: saliency.SmoothGrad(model, 0),
        lambda: saliency.SmoothGrad(model, statistic="median"),
        lambda: saliency.IntegratedGradients(model, 0),
        lambda: saliency.IntegratedGradients(model, baseline=np.zeros((4, 4, 3))),
        lambda: saliency.Occlusion(model, 3, 5),
        lambda: saliency.IntegratedGradients(model, 2.5),
        lambda: saliency.IntegratedGradients(model, baseline=np.nan),
        lambda: saliency.SmoothGrad(model, noise=np.zeros((4, 4, 4, 3))),
        lambda: saliency.SmoothGrad(model, noise=np.full((4, 9, 8, 3), np.nan)),
        lambda: saliency.Occlusion(model, 0),
        lambda: saliency.Occlusion(model, 3, fill=(0.5, 0.5)),
        lambda: saliency.Occlusion(model, 3, fill=np.nan),
    ):
        with pytest.raises(InputError):
            wrong()
