"""Compile what a run needs, before it is needed: `batik-scratch bench --warmup`."""

import time

import numpy as np

from .. import images, nn, saliency
from ..ops.jit import cache_is_cold


def warm_up(size: int = 32) -> str:
    """Train, predict, explain and augment a few tiny images, so that every kernel of `run` is in numba's cache; says how long."""
    cold, began = cache_is_cold(), time.perf_counter()
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (8, size, size, 3), np.uint8), np.zeros(8, int)
    # dense kernels as large as the real ones take the same path as they do
    model = nn.paper_cnn((150, 150, 3), algorithm="auto")
    model.compile()
    big = rng.random((1, 150, 150, 3), np.float32)
    model.fit(big, labels[:1], verbose=0)
    model.predict(big)
    saliency.Gradient(model).attribute(big)
    augment = images.ImageAugmenter(rotation_range=20)
    for _ in images.AugmentedBatches(pixels, labels, 4, augment):
        pass
    seconds = time.perf_counter() - began
    return f"kernels compiled in {seconds:.0f} s" if cold else f"kernels were compiled already ({seconds:.1f} s)"
