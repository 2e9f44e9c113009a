"""The eight views of a square: by hand, as a group, back again; and the mean of what is said of them."""

import numpy as np
import pytest

from batik_scratch.errors import InputError
from batik_scratch.images import eight_views, mean_over_views


def some(n=3, side=4, dtype="float32"):
    return (np.random.default_rng(0).random((n, side, side, 2)) * 255).astype(dtype)


def test_the_views_of_four_pixels_are_the_eight_that_a_hand_can_lay():
    square = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    assert [view.ravel().tolist() for view in eight_views(square)] == [
        [1, 2, 3, 4], [2, 4, 1, 3], [4, 3, 2, 1], [3, 1, 4, 2], [2, 1, 4, 3], [1, 3, 2, 4], [3, 4, 1, 2], [4, 2, 3, 1],
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_all_are_different_whole_batches_with_pixels_and_channels_kept_together(dtype):
    batch = some(dtype=dtype)
    views = list(eight_views(batch))
    assert len({view.tobytes() for view in views}) == 8 and np.array_equal(views[0], batch)
    for view in views:
        assert view.shape == batch.shape and view.dtype == dtype and view.flags.c_contiguous
        for image, pixels in zip(batch, view, strict=True):
            assert sorted(map(tuple, pixels.reshape(-1, 2))) == sorted(map(tuple, image.reshape(-1, 2)))


def test_they_are_a_group_views_of_a_view_are_the_same_eight_and_one_of_them_leads_back():
    batch = some()
    known = {view.tobytes() for view in eight_views(batch)}
    for view in eight_views(batch):
        again = [second.tobytes() for second in eight_views(view)]
        assert set(again) == known and again.count(batch.tobytes()) == 1


def test_half_of_them_are_mirror_images_and_only_half_turn_rows_into_columns():
    gradient = np.mgrid[:3, :3].transpose(1, 2, 0)[None]  # (1, 3, 3, 2): each pixel holds its own row and column
    linear = []
    for view in eight_views(gradient):
        down, right = view[0, 1, 0] - view[0, 0, 0], view[0, 0, 1] - view[0, 0, 0]
        linear.append(np.stack([down, right], axis=1))
    assert np.round(np.linalg.det(linear)).tolist() == [1] * 4 + [-1] * 4
    assert [bool(matrix[0, 0]) for matrix in linear] == [True, False] * 4


def test_only_one_view_at_a_time_is_made():
    views = eight_views(some())
    assert iter(views) is views and next(views).shape == (3, 4, 4, 2)


@pytest.mark.parametrize("shape", [(2, 4, 5, 3), (4, 4, 3), (2, 4, 4), (1, 2, 2, 2, 1)])
def test_what_is_not_square_is_refused_at_once(shape):
    with pytest.raises(InputError, match=r"eight_views: needs square images .*make them square") as error:
        eight_views(np.zeros(shape))
    assert str(shape) in str(error.value)


def test_the_mean_is_of_eight_answers_and_is_the_same_however_the_picture_lies():
    rng = np.random.default_rng(1)
    weights = rng.random((4 * 4 * 2, 5))
    asked = []

    def answer(images):
        asked.append(images)
        return np.exp(images.reshape(len(images), -1) / 255 @ weights / 9)

    batch = some(dtype="float64")
    mean = mean_over_views(answer, batch)
    assert len(asked) == 8 and all(np.array_equal(a, b) for a, b in zip(asked, eight_views(batch), strict=True))
    assert mean.shape == (3, 5) and np.allclose(mean, np.mean([answer(view) for view in asked[:8]], axis=0))
    assert not np.allclose(mean, answer(batch), rtol=0.01)
    for view in eight_views(batch):
        assert np.allclose(mean_over_views(answer, view), mean, rtol=1e-12)


def test_probabilities_stay_probabilities_of_their_own_type_also_out_of_a_memory_used_again():
    memory = np.empty((3, 2), np.float32)
    shares = iter(np.linspace(0, 1, 8))

    def answer(images):
        share = next(shares)
        memory[:] = share, 1 - share
        return memory

    mean = mean_over_views(answer, some())
    assert mean.dtype == np.float32 and np.allclose(mean, 0.5)
