"""What a motif module gives: its geometry at the points of a photograph. A new motif is one file with one function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .fields import Array


@dataclass(frozen=True)
class Geometry:
    """A motif, evaluated at points of any shape (H, W).

    distance    signed distance to the motif's outline, negative inside; the mask is distance < 0
    tone        which of five tones a place inside has, 0..4, floats allowed
    line        distance to the wax lines inside the motif, negative on a line
    drawn       the parameters that made it, for the manifest
    """

    distance: Array
    tone: Array
    line: Array
    drawn: dict[str, Any]


Motif = Callable[[Array, Array, np.random.Generator], Geometry]


def banded(distance: Array, width: float, tones: int, inwards_lighter: bool) -> tuple[Array, Array]:
    """Iso-bands of a distance field: (tone 0..4, distance to the lines between bands), both of its shape."""
    depth = np.maximum(-distance, 0) / width
    step = np.clip(np.floor(depth), 0, tones - 1)
    tone = step * 4 / max(tones - 1, 1)
    nearest = (
        np.abs(depth - np.clip(np.rint(depth), 1, tones - 1)) * width if tones > 1 else np.full_like(distance, 9.0)
    )
    return (tone if inwards_lighter else 4 - tone), nearest
