"""Warping against scipy.ndimage, which knows nothing of ours: both passes, all fill modes, oblong images."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from batik_scratch.images.augment import affine_matrices
from batik_scratch.images.warp import FILL_MODES, Transforms, fold, neighbour, warp, warp_plain
from batik_scratch.ops import threads

SCIPY_MODES = {"nearest": "nearest", "reflect": "reflect", "constant": "constant", "wrap": "grid-wrap"}
BOTH = pytest.mark.parametrize("warping", [warp, warp_plain])


def by_scipy(images, transforms, mode, cval, top, rescale):
    """What `warp` promises, image by image and channel by channel."""
    out = np.empty(images.shape)
    for n, a in enumerate(transforms.matrices):
        for c in range(images.shape[3]):
            plane = images[n, :, :, c].astype(float)  # (H, W)
            value = affine_transform(plane, a[:, :2], a[:, 2], order=1, mode=SCIPY_MODES[mode], cval=cval)
            value = np.clip(value + transforms.offsets[n], 0, top)
            out[n, :, :, c] = np.clip(value * transforms.brightness[n], 0, top) * rescale
    return out


def drawn(n, h, w, seed, largest=1.0):
    """Transforms that go far outside the picture, each image its own."""
    rng = np.random.default_rng(seed)
    zoom = rng.uniform(0.5, 1.9, (n, 2))
    turn, shear = rng.uniform(-3, 3, n), rng.uniform(-0.6, 0.6, n)
    matrices = affine_matrices(turn, rng.uniform(-h, h, n), rng.uniform(-w, w, n), shear, zoom, h, w)
    return Transforms(matrices, largest * rng.uniform(-0.4, 0.4, n), rng.uniform(0.4, 1.8, n))


def unchanged(n, matrix=((1, 0, 0), (0, 1, 0))):
    return Transforms(np.array([matrix] * n, float), np.zeros(n), np.ones(n))


@BOTH
@pytest.mark.parametrize("mode", FILL_MODES)
@pytest.mark.parametrize(("n", "h", "w", "c"), [(5, 11, 7, 3), (2, 4, 13, 1), (3, 9, 2, 2)])
def test_every_pixel_is_what_scipy_reads_there(warping, mode, n, h, w, c):
    batch = np.random.default_rng(h).integers(0, 256, (n, h, w, c), dtype=np.uint8)
    transforms = drawn(n, h, w, seed=h * w, largest=255)
    got = warping(batch, transforms, mode, 77.0, 255.0, 0.25)
    assert got.dtype == np.float32
    assert np.allclose(got, by_scipy(batch, transforms, mode, 77.0, 255.0, 0.25), atol=2e-3)


@BOTH
@pytest.mark.parametrize("mode", FILL_MODES)
def test_with_neither_offset_nor_brightness_too(warping, mode):
    batch = np.random.default_rng(3).random((4, 6, 10, 2))
    matrices = drawn(4, 6, 10, seed=5).matrices
    transforms = Transforms(matrices, np.zeros(4), np.ones(4))
    got = warping(batch, transforms, mode, 0.35, 1.0, 3.0)
    assert np.allclose(got, by_scipy(batch, transforms, mode, 0.35, 1.0, 3.0), atol=2e-5)


@BOTH
@pytest.mark.parametrize(("offset", "brightness"), [(0.3, 1.0), (-0.3, 1.0), (0.0, 1.6), (0.0, 0.4), (0.3, 1.6)])
def test_values_are_offset_then_clipped_then_brightened_then_clipped(warping, offset, brightness):
    batch = np.linspace(0, 1, 24).reshape(1, 4, 6, 1)
    transforms = Transforms(unchanged(1).matrices, np.array([offset]), np.array([brightness]))
    expected = np.clip(np.clip(batch + offset, 0, 1) * brightness, 0, 1) * 7
    assert np.allclose(warping(batch, transforms, "nearest", 0.0, 1.0, 7.0), expected, atol=1e-6)


@BOTH
def test_a_fill_value_is_offset_and_brightened_like_the_rest(warping):
    transforms = Transforms(np.array([[[1, 0, -2], [0, 1, 0]]], float), np.array([20.0]), np.array([0.5]))
    got = warping(np.full((1, 3, 4, 1), 200, np.uint8), transforms, "constant", 100.0, 255.0, 1.0)
    assert got[0, :, 1, 0].tolist() == [60, 60, 110]


@BOTH
@pytest.mark.parametrize(("cval", "kept"), [(-4.0, 0.0), (0.25, 0.25), (9.0, 1.0)])
def test_a_fill_value_beyond_the_images_range_is_clipped_to_it(warping, cval, kept):
    batch = np.random.default_rng(0).random((1, 4, 5, 3))
    got = warping(batch, unchanged(1, ((1, 0, 0), (0, 1, 3))), "constant", cval, 1.0, 2.0)  # the picture, 3 to the left
    assert np.allclose(got[:, :, 2:], 2 * kept) and np.allclose(got[:, :, :2], 2 * batch[:, :, 3:], atol=1e-6)


@BOTH
@pytest.mark.parametrize("mode", FILL_MODES)
@pytest.mark.parametrize(("h", "w"), [(1, 5), (5, 1), (1, 1), (4, 6)])
def test_where_nothing_moves_the_edges_are_inside(warping, mode, h, w):
    batch = np.random.default_rng(1).integers(0, 256, (2, h, w, 3), dtype=np.uint8)
    assert np.array_equal(warping(batch, unchanged(2), mode, 99.0, 255.0, 1.0), batch)


@BOTH
@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("nearest", [10, 10, 10, 10, 20, 40, 70, 70, 70, 70]),
        ("reflect", [40, 20, 10, 10, 20, 40, 70, 70, 40, 20]),
        ("wrap", [20, 40, 70, 10, 20, 40, 70, 10, 20, 40]),
        ("constant", [90, 90, 90, 10, 20, 40, 70, 90, 90, 90]),
    ],
)
@pytest.mark.parametrize("upright", [True, False])
def test_what_lies_beyond_either_end(warping, mode, expected, upright):
    """Positions -3 to 6 of the line 10 20 40 70, along rows or columns, by three windows of four pixels."""
    batch = np.tile(np.array([10, 20, 40, 70], np.uint8), (3, 1))[None, :, :, None]  # (1, 3, 4, 1)
    seen = {}
    for start in (-3, 1, 3):
        shift = [[1, 0, start], [0, 1, 0]] if upright else [[1, 0, 0], [0, 1, start]]
        picture = batch.transpose(0, 2, 1, 3) if upright else batch
        got = warping(picture, unchanged(1, shift), mode, 90.0, 255.0, 1.0)[0, :, :, 0]
        seen |= dict(enumerate((got[:, 1] if upright else got[1]).tolist(), start))
    assert [seen[position] for position in range(-3, 7)] == expected


@BOTH
@pytest.mark.parametrize("mode", FILL_MODES)
def test_a_hair_outside_either_edge_reads_the_edge_or_the_fill(warping, mode):
    batch = np.array([[[[10], [30]], [[50], [90]]]], np.uint8)
    for hair in (-1e-18, -1e-300):  # so small that n - hair is n itself
        got = warping(batch, unchanged(1, [[1, 0, hair], [0, 1, hair]]), mode, 7.0, 255.0, 1.0)[0, 0, 0, 0]
        assert got == (7.0 if mode == "constant" else 10.0)


def test_halfway_past_the_end_wrap_means_last_with_first_and_the_others_stay():
    batch = np.array([[[[10], [30], [90]]] * 2], np.uint8)  # (1, 2, 3, 1)
    half = unchanged(1, [[1, 0, 0], [0, 1, 0.5]])
    ends = {mode: warp(batch, half, mode, 0.0, 255.0, 1.0)[0, 0, 2, 0] for mode in FILL_MODES}
    assert ends == {"nearest": 90, "reflect": 90, "constant": 0, "wrap": 50}


def test_positions_fold_back_in_closed_form():
    places = np.array([-4.25, -1.0, -0.5, -0.25, 0.0, 1.3, 2.0, 2.25, 2.5, 3.0, 4.75, 7.1])
    assert np.allclose(fold(places, 3, "nearest"), [0, 0, 0, 0, 0, 1.3, 2, 2, 2, 2, 2, 2])
    assert np.allclose(fold(places, 3, "reflect"), [1.75, 0, 0, 0, 0, 1.3, 2, 2, 2, 2, 0.25, 1.1])
    assert np.allclose(fold(places, 3, "wrap"), [1.75, 2, 2.5, 2.75, 0, 1.3, 2, 2.25, 2.5, 0, 1.75, 1.1])
    assert fold(np.array([-1e-18]), 3, "wrap").tolist() == [0]
    assert neighbour(np.array([0, 1, 2]), 3, "wrap").tolist() == [1, 2, 0]
    assert neighbour(np.array([0, 1, 2]), 3, "reflect").tolist() == [1, 2, 2]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_image_keeps_its_own_transform_however_the_batch_is_shared_out(count):
    batch = np.random.default_rng(4).integers(0, 256, (count, 5, 8, 3), dtype=np.uint8)
    transforms = drawn(count, 5, 8, seed=9, largest=255)
    whole, alone = (transforms.matrices, transforms.offsets, transforms.brightness), []
    for i in range(count):
        own = Transforms(*(part[i : i + 1] for part in whole))
        alone.append(warp(batch[i : i + 1], own, "reflect", 0.0, 255.0, 1.0)[0])
    most = threads.count()
    for used in {1, most}:
        threads.use(used)
        assert np.array_equal(warp(batch, transforms, "reflect", 0.0, 255.0, 1.0), alone)
    threads.use(most)


def test_a_batch_whose_memory_is_turned_is_read_as_it_looks():
    batch = np.random.default_rng(5).integers(0, 256, (2, 6, 4, 3), dtype=np.uint8)
    turned = np.asfortranarray(batch)
    transforms = drawn(2, 6, 4, seed=3, largest=255)
    arguments = (transforms, "wrap", 0.0, 255.0, 1.0)
    assert np.array_equal(warp(turned, *arguments), warp(batch, *arguments))
