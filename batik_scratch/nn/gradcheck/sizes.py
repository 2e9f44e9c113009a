"""A layer that was made for inputs of one size, and is given another, is not wrong: it was not asked for that.

Such a layer may say so by raising in forward. If it does not, because one value is stretched to three or channels
beyond the last weight are left alone, backward stops or gives a gradient of another shape.
"""

from collections.abc import Callable

import numpy as np

from .circumstances import Make
from .report import TensorCheck
from .specimen import Failure

Wrong = list[TensorCheck]


class NotAsked(Exception):
    """What was tried is nothing that the layer can do."""


def of_one_size(
    examine: Callable[[], tuple[Wrong, int]], make: Make, shape: tuple[int, ...], other: tuple[int, ...]
) -> tuple[Wrong, int]:
    """What `examine` finds at the `other` shape; NotAsked if backward fails there, and the layer is for `shape`.

    Numbers that are wrong there are wrong.
    """
    try:
        wrong, compared = examine()
    except Failure as failure:
        if failure.stage == "backward" and _has_weights_for(make, shape, other):
            raise NotAsked from None
        raise
    nothing_compared = wrong and all(np.isnan(row.analytic) for row in wrong)  # shapes that do not fit
    if nothing_compared and (_has_weights_for(make, shape, other) or _keeps_its_size(make, shape, other)):
        raise NotAsked
    return wrong, compared


def _has_weights_for(make: Make, shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """True if the channels are others, and the parameters are still those for as many as there were."""
    before, now = ({k: v.shape for k, v in make(shape=size).specimen.layer.params.items()} for size in (shape, other))
    channels = shape[-1]
    return other[-1] != channels > 1 and before == now and any(channels in sizes for sizes in before.values())


def _keeps_its_size(make: Make, shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """True if dx has the size that inputs had when the layer was made, of inputs twice as long too.

    (One that forgets a remainder gives 4 of 5 as well, but 8 of 9.)
    """
    longer = tuple(size if size == now else 2 * size + 1 for size, now in zip(shape, other, strict=True))
    try:
        setting = make(shape=longer)
        dx = setting.gradients().get("dx")
    except Failure:
        return False
    return isinstance(dx, np.ndarray) and dx.shape == (len(setting.x), *shape)
