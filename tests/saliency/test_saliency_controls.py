"""What knows nothing of the network, how alike two maps are, networks drawn anew, and how far to trust a mean."""

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter1d
from scipy.stats import spearmanr

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.saliency import evaluation

IMAGES = np.random.default_rng(1).random((3, 9, 14, 3)) * np.array([1.0, 0.2, 0.6])


def test_the_centre_prior_is_a_bump_that_follows_both_sides():
    bump = evaluation.centre_prior(IMAGES)
    assert bump.shape == (3, 9, 14) and np.array_equal(bump[0], bump[2])
    for h, w in np.ndindex(9, 14):
        y, x = (2 * h / 8 - 1), (2 * w / 13 - 1)  # -1 at the first row or column, 1 at the last
        assert bump[1, h, w] == pytest.approx(np.exp(-2 * (x**2 + y**2)))


@pytest.mark.parametrize("blur", [None, 0.7])
def test_sobel_is_the_length_of_the_slope_of_grey_smoothed(blur):
    down = np.outer([-1, 0, 1], [1, 2, 1])
    found = evaluation.sobel(IMAGES) if blur is None else evaluation.sobel(IMAGES, blur)
    for image, edges in zip(IMAGES, found, strict=True):
        grey = sum(image[..., c] for c in range(3)) / 3
        strength = np.sqrt(convolve(grey, down, mode="reflect") ** 2 + convolve(grey, down.T, mode="reflect") ** 2)
        for axis in (0, 1):
            strength = gaussian_filter1d(strength, 2.0 if blur is None else blur, axis=axis)
        assert np.allclose(edges, strength, atol=1e-12)


# ---------------------------------------------------------------------- two sets of maps


def pairs_of_maps():
    rng = np.random.default_rng(2)
    one = rng.integers(-4, 5, (3, 9, 14)).astype(float)  # with ties, and of both signs
    return one, 0.5 * one + rng.normal(0, 2, one.shape) * np.array([0.1, 1.0, 3.0])[:, None, None]


def test_rank_correlations_are_scipys_image_by_image():
    one, two = pairs_of_maps()
    found = evaluation.similarity(one, two)
    for n in range(3):
        assert found["spearman"][n] == pytest.approx(spearmanr(one[n].ravel(), two[n].ravel()).statistic)
        absolute = spearmanr(abs(one[n]).ravel(), abs(two[n]).ravel()).statistic
        assert found["spearman, absolute"][n] == pytest.approx(absolute)
    assert list(found) == ["spearman", "spearman, absolute", "SSIM"]


def ssim_by_hand(x, y, window):
    """Wang et al.'s formula in every window, its edge mirrored as often as the window needs."""
    low, high = window // 2, window - 1 - window // 2
    views = []
    for m in (x, y):
        unit = (m - m.min()) / (m.max() - m.min())
        wide = np.pad(unit, (low, high), mode="symmetric")
        views.append(np.lib.stride_tricks.sliding_window_view(wide, (window, window)).reshape(*m.shape, -1))
    a, b = views
    ma, mb = a.mean(axis=-1), b.mean(axis=-1)
    cov = ((a - ma[..., None]) * (b - mb[..., None])).mean(axis=-1)
    c1, c2 = 0.0001, 0.0009
    parts = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (a.var(axis=-1) + b.var(axis=-1) + c2))
    return parts.mean()


@pytest.mark.parametrize("window", [None, 3, 4])
def test_ssim_is_its_formula_window_by_window(window):
    one, two = pairs_of_maps()
    given = () if window is None else (window,)
    found = evaluation.structural_similarity(one, two, *given)
    assert found == pytest.approx([ssim_by_hand(a, b, window or 7) for a, b in zip(one, two, strict=True)])
    absolute = evaluation.similarity(one, two)["SSIM"]
    assert absolute == pytest.approx([ssim_by_hand(abs(a), abs(b), 7) for a, b in zip(one, two, strict=True)])
    assert np.ptp(found) > 0.2 and not np.allclose(found, absolute)


def test_a_constant_map_is_like_nothing_and_does_not_spoil_the_others():
    one, two = pairs_of_maps()
    flat = one.copy()
    flat[1] = -2.0
    for pair in ((flat, two), (two, flat)):
        found = evaluation.similarity(*pair)
        assert np.isnan(found["spearman"]).tolist() == [False, True, False]
        assert np.isfinite(found["SSIM"]).all() and found["SSIM"][1] < 0.1
    assert evaluation.similarity(flat, flat)["SSIM"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        (np.ones((5, 4)), np.ones((5, 4)), r"\(5, 4\) and \(5, 4\)"),
        (np.ones((2, 5, 4)), np.ones((2, 4, 5)), "two sets"),
        (np.full((2, 5, 4), np.inf), np.ones((2, 5, 4)), "NaN or an infinity"),
        (np.ones((2, 5, 4)), np.full((2, 5, 4), np.nan), "NaN or an infinity"),
    ],
)
def test_only_finite_sets_of_one_shape_are_compared(one, two, message):
    with pytest.raises(InputError, match=message):
        evaluation.similarity(one, two)


# ---------------------------------------------------------------------- networks drawn anew


def trained():
    model = nn.Sequential(
        [nn.Conv2D(4, 3), nn.ReLU(), nn.Flatten(), nn.Dense(5), nn.ReLU(), nn.Dense(3)], (7, 6, 2), random_state=4
    )
    model.set_weights([w + 10 for w in model.get_weights()])  # what no drawing gives
    return model


def anew(model, other):
    """The names of the layers whose weights and biases are fresh: small, and none of them as trained."""
    found = []
    for before, after in zip(model.layers, other.layers, strict=True):
        if before.params:
            fresh = [np.abs(after.params[key]).max() < 5 for key in before.params]
            same = [np.array_equal(after.params[key], before.params[key]) for key in before.params]
            assert all(fresh) or all(same)
            found += [before.name] if all(fresh) else []
    return found


@pytest.mark.parametrize("kind", ["cascading", "independent"])
def test_layers_are_drawn_anew_from_the_last_to_the_first(kind):
    model = trained()
    stages = list(evaluation.randomised_layers(model, kind, seed=3))
    assert [name for name, _ in stages] == ["dense_1", "dense", "conv2d"]
    for count, (name, other) in enumerate(stages, 1):
        expected = ["conv2d", "dense", "dense_1"][-count:] if kind == "cascading" else [name]
        assert anew(model, other) == expected
    assert anew(model, model) == []
    if kind == "cascading":  # what is random stays the same from stage to stage
        last = [other.layers[-1].params["kernel"] for _, other in stages]
        assert all(np.array_equal(kernel, last[0]) for kernel in last)


def test_the_drawn_weights_are_those_that_the_layer_begins_with_and_follow_the_seed():
    rng, found = np.random.default_rng(3), dict(evaluation.randomised_layers(trained(), seed=3))
    for name in ("dense_1", "dense", "conv2d"):
        layer = found[name].get_layer(name)
        for key, expected in layer.create_params(layer.input_shape, rng).items():
            assert np.array_equal(layer.params[key], expected.astype(layer.params[key].dtype))
    by_default, zero, one = (
        dict(evaluation.randomised_layers(trained(), **seed))["dense"].layers[3].params["kernel"]
        for seed in ({}, {"seed": 0, "kind": "cascading"}, {"seed": 1})
    )
    assert np.array_equal(by_default, zero) and not np.array_equal(zero, one)


def test_kernels_that_begin_from_a_formula_are_drawn_anew_as_noise_of_the_trained_size():
    model = nn.cloth_cnn((32, 32, 3), random_state=1)
    found = dict(evaluation.randomised_layers(model, "independent"))
    for name in ("grey", "filters", "waves"):
        trained, new = (net.get_layer(name).params["kernel"] for net in (model, found[name]))
        likeness = np.corrcoef(trained.ravel(), new.ravel())[0, 1]
        if name == "grey":  # three numbers: any two sets of them may be alike
            assert not np.allclose(trained, new)
        else:
            assert abs(likeness) < 0.1 and new.std() == pytest.approx(trained.std(), rel=0.1)
    assert np.ptp(found["filters"].get_layer("filters").params["bias"]) == 0


def test_cascading_is_the_default_and_another_kind_is_an_error():
    *_, (_, last) = evaluation.randomised_layers(trained())
    assert anew(trained(), last) == ["conv2d", "dense", "dense_1"]
    with pytest.raises(InputError, match="'all at once'"):
        next(evaluation.randomised_layers(trained(), "all at once"))


# ---------------------------------------------------------------------- intervals


def test_an_interval_is_where_the_means_of_redrawn_images_lie():
    values = np.random.default_rng(5).exponential(2, 80)
    found = evaluation.mean_interval(values, seed=2, resamples=20_000)
    drawn = np.random.default_rng(9).choice(values, (20_000, 80)).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])  # of 95%
    width = high - low
    assert found.mean == pytest.approx(values.mean()) and found.images == 80
    assert abs(found.low - low) < 0.02 * width and abs(found.high - high) < 0.02 * width
    assert str(found) == f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def test_an_interval_repeats_by_its_seed_and_is_of_two_thousand_drawings():
    values = np.random.default_rng(6).random(30)
    found = evaluation.mean_interval(values)
    assert found == evaluation.mean_interval(values, seed=0, resamples=2000)
    assert found != evaluation.mean_interval(values, seed=1)
    assert found != evaluation.mean_interval(values, resamples=50)


def test_what_is_undefined_is_left_out_and_what_does_not_vary_has_no_width():
    values = np.array([3.0, np.nan, 5.0, 4.0, np.inf])
    assert evaluation.mean_interval(values) == evaluation.mean_interval(values[[0, 2, 3]])
    assert evaluation.mean_interval(values).images == 3
    assert evaluation.mean_interval(np.array([1.0, 2.0])).low < 1.5  # two are enough
    assert evaluation.mean_interval(np.array([7.0, np.nan])) == (7, 7, 7, 1)
    assert evaluation.mean_interval(np.full(4, 0.25)) == (0.25, 0.25, 0.25, 4)
    nothing = evaluation.mean_interval(np.array([np.nan, np.nan]))
    assert np.isnan(nothing[:3]).all() and nothing.images == 0
