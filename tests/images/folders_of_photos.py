"""Small folders of pictures for the tests of reading, caching and scanning."""

from pathlib import Path

import numpy as np
from PIL import Image


def blocks(seed: int, width: int = 40, height: int = 24) -> Image.Image:
    """A picture of 8 x 6 random blocks, like no other seed's."""
    values = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((width, height), Image.Resampling.NEAREST)


def save(path: Path, seed: int, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks(seed).save(path, **options)
    return path


def make_folder(place: Path, counts: dict[str, int]) -> Path:
    """One subfolder per class with so many PNG files 0.png, 1.png, ..., every picture its own."""
    for number, (name, count) in enumerate(counts.items()):
        (place / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            save(place / name / f"{i}.png", 1000 * number + i)
    return place
