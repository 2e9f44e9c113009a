"""Folders of photos: found, decoded once, split by identity, scanned."""

import os

import numpy as np
import pytest
from PIL import Image, ImageFilter

from batik_scratch import images
from batik_scratch.errors import InputError
from batik_scratch.images import cache
from batik_scratch.images.duplicates import grey_thumbnail, near_duplicate_groups


def save(path, seed, size=(40, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), dtype=np.uint8))
    noise.filter(ImageFilter.GaussianBlur(4)).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    for label, name in enumerate(("b", "a")):
        for i in range(6):
            save(tmp_path / "p" / name / f"{i}.png", 10 * label + i)
    return tmp_path / "p"


def test_classes_and_paths_are_sorted_and_labels_follow(folder):
    found = images.load_folder(folder, 24)
    assert found.class_names == ["a", "b"] and found.labels.tolist() == [0] * 6 + [1] * 6
    assert found.paths[:2] == ["a/0.png", "a/1.png"] and found.images.shape == (12, 24, 24, 3)
    assert np.array_equal(found.images[7], images.read_pixels(folder / "b/1.png", 24))


def test_a_second_load_decodes_nothing_and_a_changed_photo_is_noticed(folder, monkeypatch):
    first = np.array(images.load_folder(folder, 24).images)
    monkeypatch.setattr(cache, "read_with_notes", None)
    assert np.array_equal(images.load_folder(folder, 24).images, first)
    monkeypatch.undo()
    save(folder / "a/3.png", 99)
    again = images.load_folder(folder, 24).images
    assert not np.array_equal(again[3], first[3]) and np.array_equal(again[4], first[4])


def test_bad_files_stop_or_are_left_out(folder):
    (folder / "a/bad.jpg").write_text("<html>")
    with pytest.raises(InputError, match=r"a/bad.jpg: is not an image[\s\S]*--skip-bad"):
        images.load_folder(folder, 24)
    found = images.load_folder(folder, 24, skip_bad=True)
    assert len(found.images) == len(found.labels) == len(found.groups) == 12
    assert found.skipped == [
        ("a/bad.jpg", "is not an image in PNG, JPEG, BMP, WebP, TIFF, PPM or GIF format, but a web page")
    ]
    assert np.array_equal(found.images[6], images.read_pixels(folder / "b/0.png", 24))


def test_hidden_files_and_other_files_are_passed_over_and_counted(folder):
    for name in (".hidden.png", "._x.jpg", "Thumbs.db", "notes.txt"):
        (folder / "a" / name).write_text("x")
    (folder / ".git").mkdir()
    report = images.scan(folder)
    assert report.ok and report.skipped == {"hidden or system files": 4, "files without an image's extension": 1}
    assert report.counts == {"a": 6, "b": 6}


def test_images_in_deeper_folders_belong_to_their_class(folder):
    save(folder / "a/more/x.png", 50)
    assert "a/more/x.png" in images.load_folder(folder, 24).paths


def test_names_that_differ_only_in_case_or_unicode_form_are_an_error(folder):
    save(folder / "A/0.png", 1)
    with pytest.raises(InputError, match='"A" and "a"'):
        images.load_folder(folder, 24)


def test_links_are_not_followed_unless_asked_and_loops_are_named(folder):
    os.symlink(folder / "b", folder / "c")
    assert images.scan(folder).skipped == {"symbolic links": 1}
    os.symlink(folder / "a", folder / "a" / "loop")
    with pytest.raises(InputError, match="loop"):
        images.scan(folder, follow_links=True)


@pytest.mark.parametrize(
    "name", ['q"uo<te>.png', "new\nline.png", "x" * 246 + ".png", "صورة.png", "🌺.png", os.fsdecode(b"\xff\xfe.png")]
)
def test_odd_file_names_work(folder, name):
    os.rename(folder / "a/0.png", folder / "a" / name)
    assert f"a/{name}" in images.load_folder(folder, 24).paths
    (folder / "a" / name).write_text("no image")
    assert "problems: 1" in images.scan(folder).table()


def test_copies_turned_copies_and_smaller_copies_are_one_group():
    rng = np.random.default_rng(0)
    originals = [np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(30)]
    copies = [np.rot90(originals[3]), originals[7][:, ::-1], np.clip(originals[9] * 0.8 + 20, 0, 255).astype(np.uint8)]
    groups = near_duplicate_groups(np.stack([grey_thumbnail(p) for p in (*originals, *copies)]))
    assert groups[:30].tolist() == list(range(30)) and groups[30:].tolist() == [3, 7, 9]


def test_one_picture_under_two_labels_is_found(folder):
    (folder / "b/copy.png").write_bytes((folder / "a/2.png").read_bytes())
    report = images.scan(folder)
    assert report.across_classes == [["a/2.png", "b/copy.png"]] and not report.ok
    assert "one picture under two labels" in report.table()


def test_the_papers_shares_give_142_validation_images():
    labels = np.repeat([0, 1, 2], [217, 200, 151])
    split = images.stratified_split(labels)
    assert len(split.validation) == 142 and np.bincount(labels[split.validation]).tolist() == [54, 50, 38]
    assert sorted([*split.train, *split.validation]) == list(range(568))
    assert np.array_equal(split.validation, images.stratified_split(labels).validation)
    assert not np.array_equal(split.validation, images.stratified_split(labels, seed=1).validation)


def test_a_split_never_tears_a_group_apart():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 60, 120)
    labels = groups % 3
    split = images.stratified_split(labels, groups=groups)
    assert not set(groups[split.train]) & set(groups[split.validation])


def test_a_class_of_three_cannot_be_split():
    with pytest.raises(InputError, match="class 1 has 3"):
        images.stratified_split(np.array([0] * 9 + [1] * 3))
