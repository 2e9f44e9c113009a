"""Compile the kernels before they are needed: `batik-scratch bench --warmup`."""

import subprocess
import sys
import time

import numpy as np

from .. import images, saliency
from ..errors import InputError
from ..ops.jit import cache_is_cold, plain_reason
from .networks import NETWORKS

PROGRAM = "from batik_scratch.bench.warmup import warm_up; print(warm_up())"


def warm_up(size: int = 32) -> str:
    """Fill numba's cache with every kernel of `run`; says how long that took.

    A few tiny images are augmented; one of each network's size is trained on, predicted and explained.
    """
    cold, began = cache_is_cold(), time.perf_counter()
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (8, size, size, 3), np.uint8), np.zeros(8, int)
    # images as large as the real ones: the dense kernels take another path if there is little to multiply
    for network in NETWORKS.values():
        model = network.ours(network.size)
        model.compile()
        big = rng.random((1, network.size, network.size, 3), np.float32)
        model.fit(big, labels[:1], verbose=0)
        model.predict(big)
        saliency.Gradient(model).attribute(big)
    augment = images.ImageAugmenter(rotation_range=20)
    for _ in images.AugmentedBatches(pixels, labels, 4, augment):
        pass
    seconds = time.perf_counter() - began
    return f"kernels compiled in {seconds:.0f} s" if cold else f"kernels were compiled already ({seconds:.1f} s)"


def compile_kernels() -> str:
    """`warm_up` in a process of its own, so that no figure contains what compiling costs; says how long it took."""
    if plain_reason() is not None:
        return "nothing to compile: everything runs on NumPy"
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    if done.returncode:
        last = ["no word", *done.stderr.strip().splitlines()][-1]
        raise InputError(
            f"bench: the kernels cannot be compiled here: {last}; check numba's installation and the free memory"
        )
    return done.stdout.strip()
