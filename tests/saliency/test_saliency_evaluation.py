"""The measures against maps whose score is known, and the controls that a method must beat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batik_scratch import nn, saliency
from batik_scratch.errors import InputError
from batik_scratch.saliency import evaluation
from batik_scratch.saliency.evaluation import localisation, table

MASKS = np.zeros((4, 10, 10), bool)
MASKS[:, 2:6, 3:8] = True  # a fifth of the area


def test_the_mask_itself_is_perfect_its_complement_hopeless_and_a_constant_scores_as_chance():
    for name, metric in evaluation.METRICS.items():
        assert np.allclose(metric(MASKS.astype(float), MASKS), 1), name
        worst = metric((~MASKS).astype(float), MASKS)
        assert (worst <= localisation.chance(name, MASKS)).all() and worst.max() < 0.5, name
        assert np.allclose(metric(np.ones((4, 10, 10)), MASKS), localisation.chance(name, MASKS)), name


@given(st.integers(0, 1000))
def test_the_order_alone_counts_except_for_energy(seed):
    maps = np.random.default_rng(seed).random((4, 10, 10))
    for name, metric in evaluation.METRICS.items():
        changed = metric(np.exp(5 * maps), MASKS)
        assert np.allclose(changed, metric(maps, MASKS)) == (name != "energy inside"), name


def test_random_maps_score_as_chance_in_the_mean():
    maps, masks = np.random.default_rng(0).random((150, 10, 10)), np.repeat(MASKS[:1], 150, 0)
    for name, metric in evaluation.METRICS.items():
        interval = evaluation.mean_interval(metric(maps, masks))
        expected = localisation.chance(name, masks)[0]
        slack = 0.04 if name == "average precision" else 0.02  # its chance level is reached from above
        assert interval.low - slack <= expected <= interval.high + slack, name


def test_an_empty_or_a_full_mask_is_undefined_never_a_hit():
    masks = MASKS.copy()
    masks[0], masks[1] = False, True
    for metric in evaluation.METRICS.values():
        found = metric(np.ones((4, 10, 10)), masks)
        assert np.isnan(found[:2]).all() and np.isfinite(found[2:]).all()
    for name in evaluation.METRICS:
        assert np.isnan(localisation.chance(name, masks)).tolist() == [True, True, False, False]
    assert evaluation.mean_interval(np.array([np.nan, 1.0, 0.0])).images == 2
    assert np.isnan(evaluation.mean_interval(np.array([np.nan])).mean)


def test_a_map_of_zeros_has_no_energy():
    assert np.isnan(evaluation.energy_inside(np.zeros((4, 10, 10)), MASKS)).all()


@pytest.mark.parametrize(
    ("maps", "masks", "message"),
    [
        (np.zeros((4, 9, 10)), MASKS, "same shape"),
        (np.zeros((4, 10, 10)), MASKS.astype(int), "boolean"),
        (np.full((4, 10, 10), np.nan), MASKS, "finite"),
        (np.full((4, 10, 10), -1.0), MASKS, ">= 0"),
    ],
)
def test_wrong_maps_and_masks_are_explained(maps, masks, message):
    with pytest.raises(InputError, match=message):
        evaluation.energy_inside(maps, masks)


def test_the_bootstrap_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        interval = evaluation.mean_interval(rng.normal(3, 2, 60), seed=trial, resamples=400)
        hits += interval.low <= 3 <= interval.high
    assert 0.88 <= hits / 200 <= 0.99


def bright_left():
    """A network that sees only whether the left half is bright."""
    model = nn.Sequential([nn.Flatten(), nn.Dense(2), nn.Softmax()], (8, 8, 1), dtype="float64")
    kernel = np.zeros((8, 8, 2))
    kernel[:, :4] = (-0.2, 0.2)
    model.layers[1].params["kernel"][...] = kernel.reshape(64, 2)
    model.layers[1].params["bias"][...] = (0.0, -8.0)
    return model


def test_the_true_pixels_win_deletion_and_insertion():
    model, classes = bright_left(), np.ones(3, int)
    images = np.zeros((3, 8, 8, 1))
    images[:, :, :4] = 1.0
    left = np.broadcast_to(np.arange(8) < 4, (3, 8, 8)).astype(float)
    for measure, sign in ((evaluation.deletion, -1), (evaluation.insertion, 1)):
        good, bad = (measure(model, images, maps, classes, baseline="mean") for maps in (left, 1 - left))
        assert (sign * (good - bad) > 0.05).all()
    unchanged = evaluation.deletion(model, np.full((3, 8, 8, 1), 0.4), left, classes)
    p = model.predict(np.full((1, 8, 8, 1), 0.4))[0, 1]
    assert np.allclose(unchanged, p)  # a picture of one colour loses nothing
    with pytest.raises(InputError, match="mean, blur"):
        evaluation.deletion(model, images, left, classes, baseline="black")


def test_likeness_of_a_map_to_itself_its_negative_and_to_noise():
    rng = np.random.default_rng(2)
    maps, noise = rng.normal(size=(5, 30, 30)), rng.normal(size=(5, 30, 30))
    same, turned, other = (evaluation.similarity(maps, m) for m in (maps, -maps, noise))
    assert all(np.allclose(v, 1) for v in same.values())
    assert np.allclose(turned["spearman"], -1) and np.allclose(turned["spearman, absolute"], 1)
    assert all(np.abs(v).max() < 0.2 for k, v in other.items() if k != "SSIM") and other["SSIM"].max() < 0.5
    assert np.isnan(evaluation.similarity(np.ones((1, 5, 5)), maps[:1, :5, :5])["spearman"]).all()


def test_randomising_goes_from_the_output_down_and_leaves_the_model_alone():
    model = nn.paper_cnn((22, 22, 3), random_state=0)
    before = model.get_weights()
    names, changed = [], []
    for name, other in list(evaluation.randomised_layers(model, "cascading")):
        names.append(name)
        pairs = zip(model.layers, other.layers, strict=True)
        changed.append(
            [a.name for a, b in pairs if a.params and not np.array_equal(a.params["kernel"], b.params["kernel"])]
        )
    assert names == ["dense_1", "dense", "conv2d_2", "conv2d_1", "conv2d"]
    assert [len(c) for c in changed] == [1, 2, 3, 4, 5]
    for name, other in evaluation.randomised_layers(model, "independent"):
        pairs = zip(model.layers, other.layers, strict=True)
        assert [
            a.name for a, b in pairs if a.params and not np.array_equal(a.params["kernel"], b.params["kernel"])
        ] == [name]
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_the_table_says_what_beats_the_controls_and_who_notices():
    """A network that looks at the left half, masks there: its gradient must win; a random network's map differs."""
    model = bright_left()
    rng = np.random.default_rng(3)
    images = rng.random((24, 8, 8, 1)) * 0.2 + 0.5
    masks = np.zeros((24, 8, 8), bool)
    masks[:, :, :4] = True
    methods = {"gradient": saliency.METHODS["gradient"]}
    other = nn.Sequential([nn.Flatten(), nn.Dense(2), nn.Softmax()], (8, 8, 1), random_state=1, dtype="float64")
    others = {"a random network": other, "itself": model}
    told = []
    found = evaluation.evaluate_methods(model, images, masks, methods, others, say=told.append)
    assert told == ["gradient"]
    assert found.beats("gradient", "Sobel", "energy inside") and found.beats("gradient", "centre prior", "ROC-AUC")
    assert not found.beats("Sobel", "gradient", "energy inside")
    assert found.values["gradient"]["energy inside"] == pytest.approx(np.ones(24))
    text = found.text()
    assert "gradient" in text and "*" in text
    row = text.split("deletion")[1].splitlines()
    assert "insertion" in row[0] and row[1].strip() == "chance" and row[-1] != ""  # measured and printed
    assert any(line.startswith("gradient ") and line.count("[") == 2 for line in row)
    assert set(found.arrays()) >= {"Sobel/deletion", "itself: gradient/spearman", "itself: gradient/ROC-AUC"}
    random, same = text.split("beside the trained network")[1:]
    lines = [next(line for line in part.splitlines() if line.startswith("gradient ")) for part in (random, same)]
    assert "1.000 [1.000, 1.000]*" in lines[0] and lines[0].endswith("yes")  # better than the random one's, another map
    assert "1.000 [1.000, 1.000]*" not in lines[1] and lines[1].endswith("NO")  # no better than its own, the same map
    theirs = np.abs(saliency.Gradient(other).attribute(images, target=model.logits(images).argmax(axis=1)))[..., 0]
    assert np.allclose(found.theirs["a random network"]["gradient"], evaluation.roc_auc(theirs, masks))


def test_only_finite_maps_of_one_shape_are_alike():
    maps = np.ones((2, 5, 5))
    for other, message in ((np.ones((1, 5, 5)), "two sets"), (np.full((2, 5, 5), np.nan), "NaN")):
        with pytest.raises(InputError, match=message):
            evaluation.similarity(maps, other)


@pytest.mark.parametrize(
    ("signed", "absolute", "said"),
    [(0.0, 0.2, "yes"), (0.0, 0.7, "NO"), (0.6, 0.3, "NO"), (0.1, 0.5, "unclear"), (np.nan, np.nan, "yes")],
)
def test_a_method_notices_where_neither_signs_nor_strengths_stay(signed, absolute, said):
    """A map of zeros, whose rank correlation is undefined, is another map."""
    spread = np.linspace(-0.1, 0.1, 40)
    found = {"spearman": signed + spread, "spearman, absolute": absolute + spread, "SSIM": spread}
    assert table.notices(found) == said
