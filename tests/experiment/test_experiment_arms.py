"""Every arm does what its sentence says, on images that are made up so that the answer is known."""

import dataclasses
import tomllib

import numpy as np
import pytest
from experiment.conftest import TINY

from batik_scratch import saliency
from batik_scratch.errors import InputError
from batik_scratch.experiment import ARMS, Kind, check_arms, load_experiment_config, possible_arms
from batik_scratch.experiment.arms import View, check_possible
from batik_scratch.experiment.cells import Cell, Group, stream
from batik_scratch.experiment.material import Material, check_size, inner_parts, split
from batik_scratch.experiment.training import assembled

N, S = 24, 32
GROUP = Group(0, 1, False)


def material(groups=None):
    """Grey images, each of its own level; labels 0, 1, 2 in turn; masks of a square that is elsewhere in each."""
    images = np.repeat(np.arange(N, dtype=np.uint8), S * S * 3).reshape(N, S, S, 3)
    masks = np.zeros((N, S, S), np.uint8)
    for i in range(N):
        masks[i, i : i + 4, :4] = 255
    groups = np.arange(N) if groups is None else groups
    return Material(images, np.arange(N) % 3, groups, ["a", "b", "c"], masks, "drawn", "key")


def view(**changes):
    """A fold with maps in which a picture's number can be read: image i has i at its first pixel, i + 1 elsewhere."""
    config, made = TINY, material()
    fold = split(config, made, GROUP)
    of_all = np.repeat(np.arange(N, dtype=np.uint8) + 1, S * S).reshape(N, S, S)
    of_all[:, 0, 0] -= 1
    maps = {"predicted": of_all, "in_fold": of_all + 50, "true": of_all + 100, "true_in_fold": of_all + 150}
    return dataclasses.replace(View(config, made, GROUP, fold, maps), **changes)


def blue_of(maps, images=None):
    """The overlay by the package's own function."""
    return saliency.overlay(material().images if images is None else images, maps.astype(np.float32) / 255, 0.8)


@pytest.mark.parametrize(
    ("arm", "maps"),
    [("saliency", "predicted"), ("in_fold", "in_fold"), ("true_class", "true"), ("true_in_fold", "true_in_fold")],
)
def test_the_arms_of_maps_lay_their_own_maps_over_the_images(arm, maps):
    looked = view()
    seen = ARMS[arm].sees(looked)
    assert np.array_equal(seen.pixels, blue_of(looked.maps[maps])) and seen.fold is looked.fold
    assert ARMS[arm].maps == (maps,)


def test_images_are_the_images_for_the_epochs_of_both_stages():
    looked = view()
    seen = ARMS["images"].sees(looked)
    assert seen.pixels is looked.images and seen.fold is looked.fold
    assert ARMS["images"].stages == 2 and {arm.stages for name, arm in ARMS.items() if name != "images"} == {1}


def test_split_anew_shows_the_in_fold_overlay_to_another_split():
    looked = view()
    seen = ARMS["resplit"].sees(looked)
    assert np.array_equal(seen.pixels, blue_of(looked.maps["in_fold"]))
    trained = np.isin(seen.fold.validation, looked.fold.train)
    assert trained.any() and len(seen.fold.validation) == len(looked.fold.validation)
    assert np.array_equal(np.sort([*seen.fold.train, *seen.fold.validation]), np.arange(N))


def test_another_images_map_is_never_the_images_own_and_stays_on_its_side():
    looked = view()
    marked = looked.maps["predicted"].copy()
    marked[:] = (np.arange(N, dtype=np.uint8) * 10)[:, None, None]
    seen = ARMS["another_image"].sees(dataclasses.replace(looked, maps={"predicted": marked})).pixels
    black = np.zeros((N, S, S, 3), np.uint8)
    of = {tuple(blue_of(marked, black)[i, 0, 0]): i for i in range(N)}
    seen = (
        ARMS["another_image"]
        .sees(
            dataclasses.replace(
                looked, material=dataclasses.replace(looked.material, images=black), maps={"predicted": marked}
            )
        )
        .pixels
    )
    giver = np.array([of[tuple(seen[i, 0, 0])] for i in range(N)])
    assert (giver != np.arange(N)).all() and np.array_equal(np.sort(giver), np.arange(N))
    for rows in (looked.fold.train, looked.fold.validation):
        assert set(giver[rows]) == set(rows)


def test_shuffled_keeps_the_values_of_each_map_and_their_places_for_none():
    looked = view()
    black = dataclasses.replace(looked.material, images=np.zeros((N, S, S, 3), np.uint8))
    maps = np.tile(np.arange(S * S, dtype=np.uint8).reshape(S, S), (N, 1, 1))
    seen = ARMS["shuffled"].sees(dataclasses.replace(looked, material=black, maps={"predicted": maps})).pixels
    straight = blue_of(maps, black.images)
    for i in range(N):
        assert np.array_equal(np.sort(seen[i, ..., 2], axis=None), np.sort(straight[i, ..., 2], axis=None))
        assert (seen[i] != straight[i]).mean() > 0.5
    assert not np.array_equal(seen[0], seen[1])


def test_the_controls_without_a_network():
    looked = view()
    tint = ARMS["tint"].sees(looked).pixels
    mean = np.rint(looked.maps["predicted"][looked.fold.train].mean())
    assert np.array_equal(tint, blue_of(np.full((N, S, S), mean)))
    black = dataclasses.replace(looked.material, images=np.zeros((N, S, S, 3), np.uint8))
    centre = ARMS["centre"].sees(dataclasses.replace(looked, material=black)).pixels[..., 2]
    assert (centre == centre[0]).all() and centre[0].max() == centre[0, 15, 15] and centre[0, 0, 0] == 0
    mask = ARMS["true_mask"].sees(looked).pixels
    assert np.array_equal(mask, blue_of(looked.material.masks))
    edged = looked.material.images.copy()
    edged[:, :, S // 2 :] += 100
    sobel = ARMS["sobel"].sees(dataclasses.replace(looked, material=dataclasses.replace(looked.material, images=edged)))
    laid = sobel.pixels.astype(int)[..., 2] - edged[..., 2]
    assert laid[3, 16, S // 2] > 60 and laid[3, 16, 2] < 3


def test_a_random_networks_map_repeats_and_is_of_the_image():
    looked = view(material=dataclasses.replace(material(), images=np.random.default_rng(0).integers(
        0, 255, (N, S, S, 3), dtype=np.uint8)))  # fmt: skip
    seen, again = (ARMS["random_network"].sees(looked).pixels for _ in range(2))
    assert np.array_equal(seen, again)
    other = ARMS["random_network"].sees(dataclasses.replace(looked, group=Group(1, 1, False))).pixels
    assert not np.array_equal(seen, other)


def test_the_fourth_channel_is_the_map_and_leaves_the_image_alone():
    looked = view()
    seen = ARMS["fourth_channel"].sees(looked).pixels
    assert np.array_equal(seen[..., :3], looked.images) and np.array_equal(seen[..., 3], looked.maps["predicted"])


@pytest.mark.parametrize(("arm", "maps"), [("maps_alone", "predicted"), ("true_maps_alone", "true")])
def test_maps_alone_show_nothing_of_the_image(arm, maps):
    looked = view()
    seen = ARMS[arm].sees(looked).pixels
    assert all(np.array_equal(seen[..., channel], looked.maps[maps]) for channel in range(3))
    assert ARMS[arm].kind == Kind.ALONE


def test_every_arm_says_what_it_is_there_to_show():
    assert all(arm.title and arm.shows.endswith((".", "?")) for arm in ARMS.values())


def test_cross_fitted_maps_come_from_networks_that_did_not_train_on_the_image():
    """Inner network k left maps of the value 10 + k (predicted) and 110 + k (true), the whole one 1 and 101."""
    config, made = TINY, material()
    fold, part = split(config, made, GROUP), inner_parts(config, made, GROUP)
    assert set(part[fold.validation]) == {-1} and set(part[fold.train]) == {0, 1}

    def filled(value, n=N):
        return np.full((n, S, S), value, np.uint8)

    left = {"stage_one": {"in_fold": filled(1), "true_in_fold": filled(101), "other": filled(7, 3),
                          "other_class": np.zeros(3)}}  # fmt: skip
    for k in range(2):
        left[f"inner_{k}"] = {
            "predicted": filled(10 + k, (part == k).sum()),
            "true": filled(110 + k, (part == k).sum()),
        }
    maps = assembled(config, made, Cell(0, 1, "saliency"), left)["predicted"]
    assert (maps[fold.validation] == 1).all() and (maps[part == 0] == 10).all() and (maps[part == 1] == 11).all()
    maps = assembled(config, made, Cell(0, 1, "true_class"), left)["true"]
    assert (maps[fold.validation] == 101).all() and (maps[part == 1] == 111).all()
    found = assembled(config, made, Cell(0, 1, "in_fold"), left)
    assert set(found) == {"in_fold", "other", "other_class"}


def test_copies_stay_together_in_folds_and_inside_them():
    copies = np.arange(N)
    copies[12:] = np.arange(12)  # each picture twice; labels agree, as 12 is a multiple of 3
    made = material(copies)
    config = dataclasses.replace(TINY, folds=2)
    for repeat in range(3):
        for group in (Group(repeat, 0, False), Group(repeat, 1, True)):
            fold, part = split(config, made, group), inner_parts(config, made, group)
            assert not set(copies[fold.train]) & set(copies[fold.validation])
            for i in fold.train:
                assert part[i] == part[(i + 12) % N]


def test_permuted_labels_are_the_same_in_every_fold_of_a_repeat_and_as_many_of_each():
    made = material()
    labels = [split(TINY, made, Group(0, fold, True)).labels for fold in range(3)]
    assert all(np.array_equal(labels[0], other) for other in labels)
    assert not np.array_equal(labels[0], made.labels)
    for fold in range(3):
        rows = split(TINY, made, Group(0, fold, True)).validation
        assert np.array_equal(rows, split(TINY, made, Group(0, fold, False)).validation)
        assert np.array_equal(np.bincount(labels[0][rows]), np.bincount(made.labels[rows]))
    assert np.array_equal(split(TINY, made, GROUP).labels, made.labels)


def test_every_image_validates_once_a_repeat():
    held_out = np.concatenate([split(TINY, material(), Group(0, fold, False)).validation for fold in range(3)])
    assert np.array_equal(np.sort(held_out), np.arange(N))


def test_a_folder_too_small_for_the_folds_is_named_with_what_to_do():
    with pytest.raises(InputError, match=r'class "a" has 8 different pictures, too few for 9 folds.*--folds'):
        check_size(dataclasses.replace(TINY, folds=9), material())
    with pytest.raises(InputError, match="too few for 2 folds with 5 parts inside"):
        check_size(dataclasses.replace(TINY, folds=2, inner_folds=5), material())
    check_size(dataclasses.replace(TINY, folds=8, inner_folds=7), material())


def test_unknown_and_impossible_arms_are_refused():
    with pytest.raises(InputError, match="no arm 'salience'; did you mean saliency"):
        check_arms(["images", "salience"])
    with pytest.raises(InputError, match="arms are images, saliency, in_fold"):
        check_arms(["qqq"])
    with pytest.raises(InputError, match="true_mask needs the motifs' masks"):
        check_possible(["images", "true_mask"], "paper", masks=False)
    with pytest.raises(InputError, match="fourth_channel needs a network that takes colours apart"):
        check_possible(["images", "fourth_channel"], "cloth", masks=True)
    assert set(ARMS) - set(possible_arms("cloth", masks=False)) == {"true_mask", "fourth_channel"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeats": 0}, "--repeats: needs a whole number from 1"),
        ({"folds": 1}, "--folds: needs a whole number from 2"),
        ({"permuted": 3}, "--permuted: needs a whole number from 0 to 2, got 3"),
        ({"arms": ("saliency",)}, "needs 'images'"),
        ({"arms": ("images", "tint", "tint")}, "each arm once"),
    ],
)
def test_settings_that_break_a_rule(changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(TINY, **changes)


def test_the_config_reads_back_and_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "experiment.toml"
    path.write_text(TINY.to_toml())
    assert load_experiment_config(path) == TINY and tomllib.loads(TINY.to_toml())["experiment"]["folds"] == 3
    path.write_text("[study]\n")
    with pytest.raises(InputError, match="damaged"):
        load_experiment_config(path)


def test_streams_differ_by_every_word_and_repeat():
    seeds = {stream(0, "a", 1), stream(0, "a", 2), stream(0, "b", 1), stream(1, "a", 1), stream(0, "a1")}
    assert len(seeds) == 5 and all(0 <= seed < 2**63 for seed in seeds)
    assert stream(3, "weights", *Cell(1, 2, "saliency", 1)) == 8751672486630630650
