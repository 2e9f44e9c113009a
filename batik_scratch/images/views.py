"""The eight ways to lay a square picture: as it is, turned, mirrored; and an answer that is the mean over all of them.

Cloth has no upper edge. What a network says of a picture and of its mirror image should be the same, and is not quite;
the mean over the eight is, however the picture lies, and the network's errors partly cancel in it.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ..errors import InputError


def eight_views(images: np.ndarray) -> Iterator[np.ndarray]:
    """The batch (N, H, W, C) turned by 0, 90, 180 and 270 degrees against the clock, and its mirror image likewise.

    Pixels change places and nothing else: each view is (N, H, W, C) of the same dtype, contiguous, and only one of them
    need be in memory; the first is `images` itself, if that is contiguous. InputError if the images are not square: a
    quarter turn would change the shape.
    """
    if images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise InputError(f"eight_views: needs square images (N, S, S, C), got {images.shape}; make them square before")
    return (
        np.ascontiguousarray(np.rot90(laid, turns, axes=(1, 2)))  # (N, S, S, C)
        for laid in (images, images[:, :, ::-1])
        for turns in range(4)
    )


def mean_over_views(answer: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """The mean of answer(view) over the eight views of images (N, S, S, C), such as probabilities (N, U).

    answer    what a network says of a batch (`model.predict`), an array whose first axis is that of the images
    """
    views = eight_views(images)
    total = np.array(answer(next(views)))  # (N, ...), a copy: whoever answers may use the memory again
    for view in views:
        total += answer(view)
    return total / 8
