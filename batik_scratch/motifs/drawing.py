"""`draw`: one photograph of one cloth, with the truth about where its motif is."""

from typing import Any

import numpy as np

from ..errors import InputError
from .camera import take_view
from .cloth import dye
from .kawung import kawung
from .keratonan import keratonan
from .mega_mendung import mega_mendung
from .motif import Motif
from .photograph import expose
from .singa_barong import singa_barong
from .texture import even_texture

VERSION = 4  # part of the cache's key: raise it when any pixel would change
DEFAULT_DIFFICULTY = 0.005
MIN_SIZE, MAX_SIZE = 32, 4096
# the paper's classes; a further motif is one file and one line in ALL_MOTIFS
MOTIFS = ("keratonan", "mega_mendung", "singa_barong")
ALL_MOTIFS: dict[str, Motif] = {
    "keratonan": keratonan,
    "mega_mendung": mega_mendung,
    "singa_barong": singa_barong,
    "kawung": kawung,
}
# 568 images in the paper's class shares: see README, "What is taken from the paper"
PAPER_COUNTS = {"keratonan": 217, "mega_mendung": 200, "singa_barong": 151}


def draw(
    motif: str, rng: np.random.Generator, size: int = 150, difficulty: float = DEFAULT_DIFFICULTY
) -> tuple[np.ndarray, np.ndarray]:
    """A drawn cloth, photographed: image uint8 (size, size, 3) and its motif's mask, bool (size, size).

    motif        one of ALL_MOTIFS
    rng          everything is drawn from it, and nothing else
    difficulty   0 (straight, sharp, even light) to 1
    """
    image, mask, _ = draw_described(motif, rng, size, difficulty)
    return image, mask


def draw_described(
    motif: str, rng: np.random.Generator, size: int = 150, difficulty: float = DEFAULT_DIFFICULTY
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """`draw`, and every drawn parameter as a dict."""
    check(motif, size, difficulty)
    # streams of their own: a motif that draws more numbers does not change the dyes or the camera
    geometry_rng, view_rng, dye_rng, photo_rng, texture_rng = rng.spawn(5)
    view = take_view(view_rng, size, difficulty)
    geometry = ALL_MOTIFS[motif](view.x, view.y, geometry_rng)
    colour, mask, dyed = dye(view, geometry, dye_rng, difficulty)
    colour = even_texture(colour, texture_rng)
    image, mask, exposed = expose(colour, view.shade, mask, photo_rng, difficulty)
    return image, mask, {**geometry.drawn, **view.drawn, **dyed, **exposed}


def check(motif: str, size: int, difficulty: float) -> None:
    """InputError unless the arguments of `draw` are valid."""
    if motif not in ALL_MOTIFS:
        raise InputError(f"motif is one of {', '.join(ALL_MOTIFS)}; got {motif!r}")
    if not isinstance(size, int | np.integer) or not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError(f"size needs a whole number of pixels from {MIN_SIZE} to {MAX_SIZE}, got {size!r}")
    if not 0 <= difficulty <= 1:
        raise InputError(f"difficulty is between 0 and 1, got {difficulty!r}")
