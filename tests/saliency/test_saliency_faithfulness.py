"""Deletion, insertion and what a covered pixel shows: by hand, picture by picture; colours, unequal sides."""

from itertools import pairwise

import numpy as np
import pytest
from saliency_networks import network
from scipy.ndimage import gaussian_filter1d

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.saliency import evaluation
from batik_scratch.saliency.evaluation.faithfulness import covered

SHAPE = (8, 5, 3)
CLASSES = np.array([2, 0, 1])


@pytest.fixture(scope="module")
def model():
    made = network(5, [nn.Flatten(), nn.Dense(6), nn.ReLU(), nn.Dense(3), nn.Softmax()], SHAPE)
    # far from linear, and undecided, so that every step counts
    made.set_weights([w * (3 if w.ndim == 2 else 0) for w in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(5)
    return rng.random((3, *SHAPE)) * np.array([1.0, 0.5, 0.8])[:, None, None, None] * np.array([1.0, 0.3, 0.6])


@pytest.fixture(scope="module")
def maps():
    return np.random.default_rng(6).integers(-3, 4, (3, 8, 5)).astype(float)


def mean_colour(image):
    """(H, W, C) of one colour."""
    return np.broadcast_to([image[..., c].mean() for c in range(3)], image.shape)


def blurred(image):
    """A Gaussian along the rows, then along the columns: a tenth of the height wide both times, colours apart."""
    width = len(image) / 10
    return gaussian_filter1d(gaussian_filter1d(image, width, axis=0), width, axis=1)


COVER = {"mean": mean_colour, "blur": blurred}


@pytest.mark.parametrize("baseline", COVER)
def test_a_covered_image_shows_its_own_mean_colour_or_its_blur(baseline, images):
    before = images.copy()
    for image, found in zip(images, covered(images, baseline), strict=True):
        assert np.allclose(found, COVER[baseline](image), atol=1e-14)
    assert np.array_equal(images, before) and np.ptp(images - covered(images, baseline)) > 0.1


def along_the_way(model, starts, ends, maps, classes, steps):
    """The area under p(class), over the share of the pixels that have changed, the map's largest first."""
    areas = []
    for start, end, one, target in zip(starts, ends, maps, classes, strict=True):
        ranked = sorted(np.ndindex(*one.shape), key=lambda place, one=one: -one[place])  # equal ones in reading order
        levels = []
        for step in range(steps + 1):
            picture = start.copy()
            for place in ranked[: int(np.ceil(step / steps * len(ranked)))]:
                picture[place] = end[place]
            levels.append(model.predict(picture[None])[0, target])
        areas.append(sum((a + b) / 2 / steps for a, b in pairwise(levels)))
    return np.array(areas)


@pytest.mark.parametrize("steps", [1, 4, 7, None])
@pytest.mark.parametrize("baseline", ["mean", "blur", None])
def test_deletion_covers_and_insertion_shows_the_maps_largest_first(baseline, steps, model, images, maps):
    given = ({} if baseline is None else {"baseline": baseline}) | ({} if steps is None else {"steps": steps})
    steps = steps or 20
    nothing = {
        measure: np.stack([COVER[baseline or default](image) for image in images])
        for measure, default in (("deletion", "mean"), ("insertion", "blur"))
    }
    deleted = along_the_way(model, images, nothing["deletion"], maps, CLASSES, steps)
    inserted = along_the_way(model, nothing["insertion"], images, maps, CLASSES, steps)
    before = images.copy(), maps.copy()
    assert np.allclose(evaluation.deletion(model, images, maps, CLASSES, **given), deleted, rtol=0, atol=1e-12)
    assert np.allclose(evaluation.insertion(model, images, maps, CLASSES, **given), inserted, rtol=0, atol=1e-12)
    assert np.array_equal(images, before[0]) and np.array_equal(maps, before[1])
    if steps > 1:  # of one step, the two ends alone are seen
        turned = evaluation.deletion(model, images, -maps, CLASSES, **given)
        assert np.abs(turned - deleted).min() > 1e-6


@pytest.mark.parametrize("measure", [evaluation.deletion, evaluation.insertion])
def test_both_refuse_what_they_cannot_measure(measure, model, images, maps):
    right = {"images": images, "maps": maps, "classes": CLASSES}
    for change, message in (
        ({"images": images[..., 0]}, r"needs images \(N, H, W, C\)"),
        ({"maps": maps[:, :, :4]}, r"\(3, 8, 5, 3\), \(3, 8, 4\) and \(3,\)"),
        ({"classes": CLASSES[:2]}, r"and \(2,\)"),
        ({"maps": np.where(maps == maps[0, 0, 0], np.inf, maps)}, "NaN or an infinity"),
        ({"classes": CLASSES - 1}, r"0\.\.2; got -1\.\.1"),
        ({"classes": CLASSES + 1}, r"0\.\.2; got 1\.\.3"),
        ({"steps": 0}, "got 0"),
        ({"baseline": "black"}, "mean, blur; got 'black'"),
    ):
        with pytest.raises(InputError, match=message):
            measure(model, **(right | change))
