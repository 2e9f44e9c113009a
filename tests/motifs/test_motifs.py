"""Drawn batik: reproducible, with an exact mask, written whole or not at all."""

import csv

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion, maximum_filter, minimum_filter

from batik_scratch import images, motifs
from batik_scratch.errors import InputError
from batik_scratch.motifs import camera, cloth, drawing, fields
from batik_scratch.motifs.drawing import ALL_MOTIFS


@pytest.mark.parametrize("motif", ALL_MOTIFS)
def test_a_cloth_depends_on_its_generator_alone(motif):
    image, mask = motifs.draw(motif, np.random.default_rng(3), size=48)
    again, mask_again = motifs.draw(motif, np.random.default_rng(3), size=48)
    other, _ = motifs.draw(motif, np.random.default_rng(4), size=48)
    assert image.shape == (48, 48, 3) and image.dtype == np.uint8 and mask.shape == (48, 48) and mask.dtype == bool
    assert np.array_equal(image, again) and np.array_equal(mask, mask_again) and not np.array_equal(image, other)


def rim(mask):
    """Pixels within one pixel of the mask's edge."""
    return binary_dilation(mask) & ~binary_erosion(mask, border_value=1)


@pytest.mark.parametrize("motif", ALL_MOTIFS)
def test_on_flat_cloth_the_mask_is_the_drawn_motif(motif):
    view = camera.take_view(np.random.default_rng(1), 150, 0.0)
    geometry = ALL_MOTIFS[motif](view.x, view.y, np.random.default_rng(2))
    drawn = fields.coverage(geometry.distance, view.pixel) > 0.5
    mask = geometry.distance < 0
    assert not ((drawn ^ mask) & ~rim(mask)).any() and 0.15 < mask.mean() < 0.8


@pytest.mark.parametrize("difficulty", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("motif", ALL_MOTIFS)
def test_after_the_photograph_too_the_mask_is_where_the_marker_colour_is(motif, difficulty, monkeypatch):
    """Motif white, ground black, no lines: through dye, camera, light, blur, noise and JPEG to the file's pixels."""
    monkeypatch.setattr(cloth, "with_luma", lambda colour, luma: np.full(3, 255.0 * (luma >= 95)))
    monkeypatch.setattr(cloth, "FILLINGS", {})
    monkeypatch.setattr(cloth, "LINE", -9.0)
    # evening black and white would blur the threshold below; that it moves no edge is in test_motifs_texture.py
    monkeypatch.setattr(drawing, "even_texture", lambda colour, rng: colour)
    compared = 0
    for seed in range(12):
        photo, mask, drawn = drawing.draw_described(motif, np.random.default_rng([4, seed]), 150, difficulty)
        if drawn["frame"] != "none" or drawn["dark_motif"]:
            continue
        light = photo.max(axis=-1).astype(float)
        local = (
            maximum_filter(light, 61) + minimum_filter(light, 61)
        ) / 2  # light falls unevenly: a threshold per place
        wrong = ((light > local) ^ mask) & ~rim(mask)
        assert wrong.mean() < 5e-3, (seed, drawn)  # a mask three pixels off: above 0.029
        compared += 1
    assert compared >= 5


@pytest.mark.slow
def test_drawn_by_several_processes_image_i_depends_on_seed_class_and_i_alone(tmp_path):
    one = motifs.write_dataset(tmp_path / "a", {"keratonan": 3, "singa_barong": 2}, 5, size=32, progress=False)
    two = motifs.write_dataset(
        tmp_path / "b", {"singa_barong": 4, "keratonan": 66}, 5, size=32, workers=2, progress=False
    )
    for name in ("images/keratonan/keratonan_00002.png", "masks/singa_barong/singa_barong_00001.png"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_the_manifest_names_every_image_mask_and_parameter(tmp_path):
    folder = motifs.write_dataset(tmp_path / "d", [2, 2, 2], 1, size=40, progress=False)
    with open(folder / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 and {"palette", "rotation_degrees", "jpeg_quality", "filling"} <= set(rows[0])
    for row in rows:
        with Image.open(folder / row["path"]) as image, Image.open(folder / row["mask"]) as mask:
            assert image.size == mask.size == (40, 40)
            assert abs(np.asarray(mask).mean() - float(row["mask_share"])) < 1e-3


def test_a_drawn_data_set_loads_as_a_folder_of_photos(tmp_path):
    folder = motifs.write_dataset(tmp_path / "d", [4, 5, 4], 1, size=32, progress=False)
    found = images.load_folder(folder, 32)
    assert found.class_names == list(motifs.MOTIFS) and np.bincount(found.labels).tolist() == [4, 5, 4]


def test_the_paper_counts_are_568_in_its_shares():
    assert sum(motifs.PAPER_COUNTS.values()) == 568 and tuple(motifs.PAPER_COUNTS) == motifs.MOTIFS == tuple(
        sorted(motifs.MOTIFS)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 31}, "from 32"),
        ({"counts": [4, -1, 4]}, ">= 0"),
        ({"counts": {"parang": 3}}, "motif is one of"),
        ({"counts": [1, 2]}, "needs 3 numbers"),
        ({"difficulty": 1.2}, "between 0 and 1"),
        ({"seed": -1}, "seed"),
        ({"folder": "/proc/nothing"}, "writable"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_drawn(tmp_path, change, message):
    arguments = {"folder": tmp_path / "d", "counts": [4, 4, 4], "seed": 0, "progress": False} | change
    with pytest.raises(InputError, match=message):
        motifs.write_dataset(**arguments)
    assert not list(tmp_path.iterdir())


def test_a_failure_halfway_leaves_nothing(tmp_path, monkeypatch):
    from batik_scratch.motifs import dataset

    def fail(path, rows):
        raise OSError("disk full")

    monkeypatch.setattr(dataset, "_write_manifest", fail)
    with pytest.raises(OSError, match="disk full"):
        motifs.write_dataset(tmp_path / "d", [1, 1, 1], 0, size=32, progress=False)
    assert not list(tmp_path.iterdir())


def test_the_cache_draws_once(tmp_path, monkeypatch):
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path))
    first = motifs.cached_dataset(3, [1, 1, 1], 32, progress=False)
    stamp = (first / "manifest.csv").stat().st_mtime_ns
    assert motifs.cached_dataset(3, [1, 1, 1], 32, progress=False) == first
    assert (first / "manifest.csv").stat().st_mtime_ns == stamp
    assert motifs.cached_dataset(4, [1, 1, 1], 32, progress=False) != first


def test_fields_are_distances():
    x, y = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-2, 2, 81))
    for field in (
        fields.circle(x, y, 0.3, -0.2, 0.5),
        fields.capsule(x, y, (-1, 0), (1, 0.4), 0.3, 0.3),
        fields.box(x, y, 0, 0, 0.8, 0.4),
    ):
        gy, gx = np.gradient(field, 0.05)
        slope = np.hypot(gx, gy)
        assert np.abs(np.median(slope) - 1) < 0.01  # a distance grows by one per unit of length
    assert fields.circle(np.array(0.0), np.array(0.0), 3, 4, 1) == 4
    assert abs(float(fields.ellipse(np.array(2.0), np.array(0.0), 0, 0, 1.5, 0.5)) - 0.5) < 0.1


def test_luma_is_what_was_asked_for():
    for colour in ((200.0, 20.0, 30.0), (10.0, 10.0, 90.0)):
        for luma in (40, 120, 230):
            assert abs(cloth.with_luma(np.array(colour), luma) @ np.array([0.299, 0.587, 0.114]) - luma) < 1e-9
