"""Arms on images and maps that are made up, so that the accuracy which each must reach is known before it trains.

Three worlds. In the first the images are noise and the class stands in the maps alone; in the second it stands in the
images alone, and the maps are blank; in the third the images are noise, and the maps are those of networks that were
trained on it: they know by heart what they trained on, and nothing else.
"""

import dataclasses

import numpy as np
import pytest

from batik_scratch.experiment import ARMS, ExperimentConfig, possible_arms
from batik_scratch.experiment.arms import View
from batik_scratch.experiment.cells import Cell, Group
from batik_scratch.experiment.graph import needs
from batik_scratch.experiment.material import Material, split
from batik_scratch.experiment.training import assembled, run_cell
from batik_scratch.study import TwoStageConfig

pytestmark = pytest.mark.slow
N, S, CLASSES, FOLDS = 150, 24, 3, 3
STUDY = TwoStageConfig(
    image_size=S, epochs=10, learning_rate=1e-3, schedule="cosine", dropout=0.0,
    rotation_range=0.0, shift_range=0.0, zoom_range=0.0, horizontal_flip=False,
)  # fmt: skip
CONFIG = ExperimentConfig(STUDY, tuple(possible_arms("paper", True)), 1, FOLDS, 1, inner_folds=2, permuted=0)
LABELS = np.arange(N) % CLASSES
LUCK = np.random.default_rng(1).permutation(LABELS)  # classes that are guessed
FOLD = split(CONFIG, Material(np.empty(0), LABELS, np.arange(N), list("abc"), None, "drawn", ""), Group(0, 0, False))
CHANCE = 1 / CLASSES
DOUBT = 3 * np.sqrt(CHANCE * (1 - CHANCE) / len(FOLD.validation))  # three standard errors of guessing 50 images: 0.2


def noise(low, high, size=S):
    return np.random.default_rng(0).integers(low, high, (N, size, size, 3), dtype=np.uint8)


def bars(classes):
    """Maps (N, S, S) that are full in a bar whose height tells the class."""
    maps = np.zeros((N, S, S), np.uint8)
    for row, label in enumerate(classes):
        maps[row, 8 * label : 8 * label + 8, 4:20] = 255
    return maps


def material(images, masks):
    return Material(images, LABELS, np.arange(N), list("abc"), masks, "drawn", "made up")


def reached(arm, images, maps, masks):
    return run_cell(CONFIG, material(images, masks), Cell(0, 0, arm), maps).record["accuracy"]


@pytest.fixture(scope="module")
def told_by_maps():
    """Noise; a network that guesses ("predicted"), but knows by heart what it trained on ("in_fold")."""
    by_heart = LABELS.copy()
    by_heart[FOLD.validation] = LUCK[FOLD.validation]
    maps = {"predicted": bars(LUCK), "true": bars(LABELS), "true_in_fold": bars(LABELS), "in_fold": bars(by_heart)}
    return {arm: reached(arm, noise(100, 156), maps, bars(LABELS)) for arm in ARMS}


@pytest.mark.parametrize("arm", ["true_class", "true_in_fold", "true_maps_alone", "true_mask"])
def test_maps_of_the_true_class_leak_the_label_into_images_that_tell_nothing(told_by_maps, arm):
    assert told_by_maps[arm] > 0.95


def test_splitting_anew_leaks_what_stage_one_knew_by_heart(told_by_maps):
    """Of the images that validate now, those that trained stage one bear their label, the others a guess."""
    anew = ARMS["resplit"].sees(_view_of_in_fold()).fold
    by_heart = np.isin(anew.validation, FOLD.train)
    told = (by_heart | (LUCK == LABELS)[anew.validation]).mean()
    assert 0.6 < told < 0.9 and told_by_maps["resplit"] == pytest.approx(told, abs=0.05)


def _view_of_in_fold():
    return View(CONFIG, material(noise(100, 156), None), Group(0, 0, False), FOLD, {"in_fold": bars(LABELS)})


@pytest.mark.parametrize("arm", ["saliency", "in_fold", "fourth_channel", "maps_alone", "another_image", "shuffled",
                                 "images", "tint", "sobel", "centre", "random_network"])  # fmt: skip
def test_honest_arms_stay_at_chance_where_the_images_tell_nothing(told_by_maps, arm):
    """In fold too, though its training images bear their labels: those that validate do not."""
    assert abs(told_by_maps[arm] - CHANCE) < DOUBT


@pytest.fixture(scope="module")
def told_by_the_right_maps():
    """The same noise under maps of a stage one that is right about every image."""
    arms = ("saliency", "fourth_channel", "maps_alone", "another_image", "shuffled", "tint")
    return {arm: reached(arm, noise(100, 156), {"predicted": bars(LABELS)}, None) for arm in arms}


@pytest.mark.parametrize("arm", ["saliency", "fourth_channel", "maps_alone"])
def test_what_a_map_tells_is_learnt_over_the_image_beside_it_and_without_it(told_by_the_right_maps, arm):
    assert told_by_the_right_maps[arm] > 0.95


@pytest.mark.parametrize("arm", ["another_image", "shuffled", "tint"])
def test_the_controls_take_away_what_a_map_tells(told_by_the_right_maps, arm):
    assert abs(told_by_the_right_maps[arm] - CHANCE) < DOUBT


@pytest.fixture(scope="module")
def told_by_images():
    """The class stands in the images, and every map is blank."""
    images = noise(100, 156)
    images[bars(LABELS) > 0] += 90
    blank = dict.fromkeys(("predicted", "true", "in_fold", "true_in_fold"), np.zeros((N, S, S), np.uint8))
    return {arm: reached(arm, images, blank, blank["true"]) for arm in ARMS}


@pytest.mark.parametrize("arm", [name for name, arm in ARMS.items() if arm.kind != "alone"])
def test_no_arm_covers_what_the_images_tell(told_by_images, arm):
    assert told_by_images[arm] > 0.9


@pytest.mark.parametrize("arm", ["maps_alone", "true_maps_alone"])
def test_blank_maps_alone_are_at_chance(told_by_images, arm):
    assert abs(told_by_images[arm] - CHANCE) < DOUBT


@pytest.fixture(scope="module")
def of_real_networks():
    """Noise with strong grains, and networks that have the time to know it by heart; their maps as they make them.

    The accuracies are those of all three folds: of 150 images.
    """
    study = dataclasses.replace(STUDY, image_size=32, epochs=20)
    config, made = dataclasses.replace(CONFIG, study=study), material(noise(0, 255, 32), None)
    found = {arm: [] for arm in ("saliency", "in_fold", "true_in_fold", "resplit")}
    for fold in range(FOLDS):
        stage_one = needs(config, Cell(0, fold, "saliency"))
        left = {cell.arm: run_cell(config, made, cell, {}).maps for cell in stage_one}
        for arm, reached in found.items():
            cell = Cell(0, fold, arm)
            maps = assembled(config, made, cell, {need.arm: left[need.arm] for need in needs(config, cell)})
            reached.append(run_cell(config, made, cell, maps).record["accuracy"])
    return {arm: np.mean(reached) for arm, reached in found.items()}


@pytest.mark.parametrize("arm", ["true_in_fold", "resplit"])
def test_real_networks_write_a_label_that_can_be_read(of_real_networks, arm):
    assert of_real_networks[arm] > CHANCE + DOUBT / np.sqrt(FOLDS)


@pytest.mark.parametrize("arm", ["saliency", "in_fold"])
def test_of_noise_real_networks_teach_an_honest_arm_nothing(of_real_networks, arm):
    assert abs(of_real_networks[arm] - CHANCE) < DOUBT / np.sqrt(FOLDS)
