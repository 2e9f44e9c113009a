"""Every method that goes down to the pixels, computed a second way: other loops, other formulas, no shared code."""

import numpy as np
import pytest
from saliency_networks import SHAPE, cnn, linear, network, score_by_hand

from batik_scratch import nn, saliency
from batik_scratch.saliency.scores import SCORES

TARGETS = np.array([2, 0, 1])


def images(seed, n=3, shape=SHAPE):
    """Pictures whose ranges differ much, so that no number of one can stand for another's."""
    rng = np.random.default_rng(seed)
    return rng.random((n, *shape)) * np.array([1.0, 0.4, 0.7])[:n, None, None, None] + 0.05


def score_of(model, x, score):
    return np.array([score_by_hand(score, z, c) for z, c in zip(model.logits(x), TARGETS, strict=True)])


# ---------------------------------------------------------------------- noise


@pytest.mark.parametrize("statistic", ["mean", "squared", "variance"])
def test_smoothgrad_is_a_mean_over_noisy_copies(statistic):
    """The noise is a share of each image's range; all its copies are kept here, and nothing is summed as one goes."""
    model, x = cnn(3), images(3)
    noise = np.random.default_rng(11).standard_normal((6, *SHAPE))
    copies = []
    for image, target in zip(x, TARGETS, strict=True):
        noisy = image + 0.3 * (image.max() - image.min()) * noise  # (n, H, W, C)
        copies.append(saliency.Gradient(model).attribute(noisy, target=int(target)))
    g = np.stack(copies)  # (N, n, H, W, C)
    expected = {"mean": g.mean(axis=1), "squared": (g**2).mean(axis=1), "variance": g.var(axis=1)}[statistic]
    found = saliency.SmoothGrad(model, 6, 0.3, statistic, rng=11).attribute(x, target=TARGETS, batch_size=2)
    assert np.allclose(found, expected, rtol=0, atol=1e-13) and np.ptp(g, axis=1).max() > 0.1


def test_smoothgrad_explains_every_score():
    model, x = cnn(4), images(4)
    noise = np.random.default_rng(1).standard_normal((5, *SHAPE))
    for score in SCORES:
        noisy = [i + 0.2 * np.ptp(i) * noise for i in x]
        parts = [
            saliency.Gradient(model).attribute(copies, int(t), score) for copies, t in zip(noisy, TARGETS, strict=True)
        ]
        method = saliency.SmoothGrad(model, sigma=0.2, noise=noise)
        assert np.allclose(method.attribute(x, TARGETS, score), [p.mean(axis=0) for p in parts], atol=1e-13), score


def test_smoothgrads_defaults_are_fifty_copies_with_a_noise_of_fifteen_hundredths_from_seed_0():
    model, x = cnn(5), images(5, n=1)
    noise = np.random.default_rng(0).standard_normal((50, *SHAPE))
    copies = saliency.Gradient(model).attribute(x[0] + 0.15 * np.ptp(x[0]) * noise, target=1)
    assert np.allclose(saliency.SmoothGrad(model).attribute(x, target=1), copies.mean(axis=0), atol=1e-13)


def test_the_noise_follows_its_seed_and_a_generator_goes_on():
    model, x = cnn(6), images(6)

    def maps(rng):
        return saliency.SmoothGrad(model, 3, rng=rng).attribute(x, target=0)

    assert np.array_equal(maps(7), maps(7)) and not np.allclose(maps(7), maps(8))
    rng = np.random.default_rng(7)
    assert np.array_equal(maps(rng), maps(7)) and not np.allclose(maps(rng), maps(7))


def test_one_copy_and_no_noise_are_allowed():
    model, x = cnn(7), images(7)
    assert np.allclose(
        saliency.SmoothGrad(model, 1, 0.0).attribute(x, target=1), saliency.Gradient(model).attribute(x, target=1)
    )
    assert not saliency.SmoothGrad(model, 1, 0.5, "variance").attribute(x, target=1).any()


# ---------------------------------------------------------------------- the way from a baseline


def baselines():
    return {"black": 0.0, "grey": 0.5, "image": np.random.default_rng(9).random(SHAPE)}


@pytest.mark.parametrize("baseline", ["black", "grey", "image"])
@pytest.mark.parametrize("score", SCORES)
def test_integrated_gradients_add_up_to_the_scores_change_and_delta_says_how_far_they_miss(score, baseline):
    model, x, base = cnn(8), images(8), baselines()[baseline]
    method = saliency.IntegratedGradients(model, 60, base)
    maps = method.attribute(x, TARGETS, score, batch_size=2)
    change = score_of(model, x, score) - score_of(model, np.broadcast_to(base, x.shape), score)
    assert np.allclose(method.delta, maps.sum(axis=(1, 2, 3)) - change, atol=1e-12)
    assert np.abs(method.delta).max() < 0.05 * np.abs(change).max() + 1e-3 and np.abs(method.delta).min() > 0


def test_integrated_gradients_by_the_midpoints_of_many_steps():
    model, x, base = cnn(8), images(8), baselines()["image"]
    total = np.zeros_like(x)
    for a in (np.arange(400) + 0.5) / 400:
        total += saliency.Gradient(model).attribute(base + a * (x - base), TARGETS, "probability") / 400
    found = saliency.IntegratedGradients(model, 100, base).attribute(x, TARGETS, "probability")
    assert np.abs(found - (x - base) * total).max() < 0.02 * np.abs(found).max()


def test_integrated_gradients_default_is_fifty_of_gauss_points_from_black():
    model, x = cnn(9), images(9)
    nodes, weights = np.polynomial.legendre.leggauss(50)
    gradients = [saliency.Gradient(model).attribute((node + 1) / 2 * x, TARGETS) for node in nodes]
    expected = x * sum(w / 2 * g for w, g in zip(weights, gradients, strict=True))
    assert np.allclose(saliency.IntegratedGradients(model).attribute(x, TARGETS), expected, atol=1e-14)


def test_delta_is_of_the_last_call_alone():
    model, x = cnn(9), images(9)
    method = saliency.IntegratedGradients(model, np.int64(3))
    assert method.delta.shape == (0,)
    method.attribute(x, TARGETS)
    first = method.delta
    method.attribute(x[1:], TARGETS[1:], batch_size=1)
    assert np.allclose(method.delta, first[1:], atol=1e-13) and first.shape == (3,)


# ---------------------------------------------------------------------- windows


def occluded_by_hand(model, x, window, stride, fill, score):
    """A window's place is right where it begins at a multiple of the stride and no earlier one has reached the edge."""
    height, width = x.shape[1:3]
    places = [
        [p for p in range(0, size, s) if p == 0 or p - s + w < size]
        for size, w, s in zip((height, width), window, stride, strict=True)
    ]
    found = np.zeros(x.shape)
    for h, w in np.ndindex(height, width):
        losses = []
        for top in places[0]:
            for left in places[1]:
                if top <= h < top + window[0] and left <= w < left + window[1]:
                    covered = x.copy()
                    covered[:, top : top + window[0], left : left + window[1]] = fill
                    losses.append(score_of(model, x, score) - score_of(model, covered, score))
        found[:, h, w] = np.mean(losses, axis=0)[:, None]
    return found


@pytest.mark.parametrize(
    ("window", "stride", "fill", "score"),
    [
        ((3, 2), (2, 1), (0.1, 0.9, 0.4), "logit"),
        ((2, 4), (2, 3), 0.5, "probability"),
        ((5, 3), (5, 3), 0.0, "log_probability"),
        ((9, 3), (1, 2), 0.3, "loss"),
        ((4, 8), (4, 8), 1.0, "margin"),
        ((20, 3), (7, 3), 1.0, "logit"),
    ],
)
def test_occlusion_pixel_by_pixel(window, stride, fill, score):
    model, x = network(2, [nn.Flatten(), nn.Dense(4), nn.ReLU(), nn.Dense(3)], (6, 5, 3)), images(2, shape=(6, 5, 3))
    found = saliency.Occlusion(model, window, stride, fill).attribute(x, TARGETS, score, batch_size=2)
    assert np.allclose(found, occluded_by_hand(model, x, window, stride, fill, score), atol=1e-12)


def test_occlusions_defaults_are_black_windows_of_sixteen_half_overlapping():
    shape = (25, 18, 1)
    model = network(3, [nn.Flatten(), nn.Dense(3), nn.ReLU()], shape)
    x = images(3, shape=shape)
    for given, window, stride in (((), (16, 16), (8, 8)), ((5,), (5, 5), (2, 2)), (((1, 7),), (1, 7), (1, 3))):
        found = saliency.Occlusion(model, *given).attribute(x, TARGETS)
        assert np.array_equal(found, saliency.Occlusion(model, window, stride, 0.0).attribute(x, TARGETS))


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_maps_of_occlusion_and_averages_have_the_networks_precision(name):
    model = nn.Sequential([nn.Flatten(), nn.Dense(3)], (4, 3, 2), random_state=1, dtype=name)
    x = images(1, shape=(4, 3, 2))
    for method in (saliency.Occlusion(model, 2), saliency.SmoothGrad(model, 2), saliency.IntegratedGradients(model, 2)):
        assert method.attribute(x).dtype == name


# ---------------------------------------------------------------------- other backward passes


@pytest.mark.parametrize(
    ("method", "forward_gate", "sign_gate"),
    [(saliency.Gradient, True, False), (saliency.GuidedBackprop, True, True), (saliency.Deconvnet, False, True)],
)
def test_each_relu_has_its_gate(method, forward_gate, sign_gate):
    """Three hidden layers by hand, so that a gate at one of them alone, or before the others, is seen."""
    layers = [part for size in (9, 8, 7) for part in (nn.Dense(size), nn.ReLU())]
    model = network(6, [nn.Flatten(), *layers, nn.Dense(3)], (4, 3, 2))
    x = np.random.default_rng(6).normal(size=(5, 4, 3, 2))
    kernels, biases = model.get_weights()[::2], model.get_weights()[1::2]
    z, before = x.reshape(5, 24), []
    for kernel, bias in zip(kernels, biases, strict=True):
        before.append(z @ kernel + bias)
        z = np.maximum(before[-1], 0)
    g = np.tile(kernels[3][:, 1], (5, 1))
    for kernel, inputs in zip(kernels[2::-1], before[2::-1], strict=True):
        g = np.where((inputs > 0) | (not forward_gate), g, 0)
        g = np.where((g > 0) | (not sign_gate), g, 0)
        g = g @ kernel.T
    assert np.allclose(method(model).attribute(x, target=1), g.reshape(x.shape), atol=1e-12)


def test_guided_passes_start_from_the_chosen_score():
    """Of a loss, what speaks against the class comes back: the seed's sign is turned before the first gate."""
    model = network(7, [nn.Flatten(), nn.Dense(6), nn.ReLU(), nn.Dense(3)], (4, 3, 2))
    x = images(7, shape=(4, 3, 2))
    w1, b1, w2, _ = model.get_weights()
    p = np.exp(model.logits(x))
    p /= p.sum(axis=1, keepdims=True)
    coming = np.maximum((p - np.eye(3)[TARGETS]) @ w2.T, 0)
    gate = x.reshape(3, 24) @ w1 + b1 > 0
    for method, expected in ((saliency.Deconvnet, coming), (saliency.GuidedBackprop, coming * gate)):
        assert np.allclose(method(model).attribute(x, TARGETS, "loss").reshape(3, 24), expected @ w1.T, atol=1e-12)


@pytest.mark.parametrize("epsilon", [0.5, 0.01, None])
def test_relevance_by_hand_through_two_layers_with_biases(epsilon):
    model = network(8, [nn.Flatten(), nn.Dense(6), nn.ReLU(), nn.Dense(3)], (4, 3, 2))
    x = images(8, shape=(4, 3, 2))
    e = 1e-6 if epsilon is None else epsilon
    w1, b1, w2, b2 = model.get_weights()
    method = saliency.LRP(model) if epsilon is None else saliency.LRP(model, epsilon)
    found = method.attribute(x, TARGETS).reshape(3, 24)
    for image, target, relevance in zip(x.reshape(3, 24), TARGETS, found, strict=True):
        z1 = image @ w1 + b1
        a = np.maximum(z1, 0)
        z2 = a @ w2 + b2
        hidden = a * w2[:, target] / (z2[target] + e * np.sign(z2[target])) * z2[target]
        pixels = image[:, None] * w1 / (z1 + e * np.sign(z1)) * hidden
        assert np.allclose(relevance, pixels.sum(axis=1), atol=1e-12)


def test_gradient_times_input_is_just_that():
    model, x = linear(9), images(9, shape=(4, 3, 2))
    for score in SCORES:
        gradient = saliency.Gradient(model).attribute(x, TARGETS, score)
        found = saliency.GradientTimesInput(model).attribute(x, TARGETS, score)
        assert np.allclose(found, gradient * x, atol=1e-15), score


@pytest.mark.parametrize("score", SCORES)
def test_the_gradient_of_every_score_agrees_with_differences(score):
    model, x = cnn(10), images(10)
    maps, rng = saliency.Gradient(model).attribute(x, TARGETS, score), np.random.default_rng(10)
    for _ in range(12):
        step = np.zeros_like(x)
        place = (slice(None), *(int(rng.integers(n)) for n in SHAPE))
        step[place] = 1e-6
        slope = (score_of(model, x + step, score) - score_of(model, x - step, score)) / 2e-6
        assert np.allclose(maps[place], slope, rtol=1e-6, atol=1e-8)
