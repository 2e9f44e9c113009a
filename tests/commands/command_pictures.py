"""Pictures for the tests of the commands, and how the network gets to see them, written once more with Pillow alone."""

from contextlib import contextmanager

import numpy as np
from PIL import Image

from batik_scratch import saliency

SIDE = 32  # of the network that the tests share


def photo(path, seed, size=(44, 37)):
    """A wide picture of smooth colours, unlike for each seed."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def photos(folder, counts):
    """folder/NAME/*.png, so many of each name."""
    for number, (name, count) in enumerate(counts.items()):
        for i in range(count):
            photo(folder / name / f"{i}.png", [number, i])
    return folder


def decoded(paths, side=SIDE):
    """uint8 (N, side, side, 3), squeezed as Keras does."""
    opened = (Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BILINEAR) for path in paths)
    return np.stack([np.asarray(picture) for picture in opened])


def unit(pixels):
    """uint8 pixels as the network takes them."""
    return np.asarray(pixels, np.float32) / np.float32(255)


@contextmanager
def only_methods(names):
    """Within the block "all" means these methods; afterwards all are back, in their order."""
    everything = dict(saliency.METHODS)
    for name in set(everything) - set(names):
        del saliency.METHODS[name]
    try:
        yield dict(saliency.METHODS)
    finally:
        saliency.METHODS.clear()
        saliency.METHODS.update(everything)
