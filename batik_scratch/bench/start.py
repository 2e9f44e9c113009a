"""Where all programs begin: the same weights, and the answers that they must give with them.

A folder holds weights.npz (arrays in Keras' order and layouts), network.onnx (for runtimes that read ONNX), and
inference.npy and saliency.npy: what this package answers to the first batch and to the second. A framework's process
reads from it, and imports nothing here that would load numba.
"""

from pathlib import Path

import numpy as np

from .batches import CLASS, data, rows
from .networks import NETWORKS

WEIGHTS, GRAPH = "weights.npz", "network.onnx"
# How far from our answers is still the same. Of logits: the largest difference over the largest logit; probabilities
# would hide much, where a network is sure. Of maps: the norm of the difference over that of ours, since rounding alone
# may choose another of two nearly equal maxima, whose gradient then stands at another pixel.
LIMITS = {"inference": 1e-4, "saliency": 1e-2}


def write_start(folder: Path, batch: int, size: int, network: str, graph: bool) -> None:
    """Fill `folder`; with the ONNX file only if `graph`, since it needs the library onnx.

    Biases and running statistics, which begin as zeros and ones, are moved at random: a program that mixes them up, or
    leaves them out, then answers something else.
    """
    from .. import saliency
    from ..exchange import to_onnx

    model = NETWORKS[network].ours(size)
    rng = np.random.default_rng(2)
    weights = [
        array + np.abs(rng.normal(0, 0.1, array.shape)).astype(array.dtype) if array.ndim == 1 else array
        for array in model.get_weights()
    ]
    model.set_weights(weights)
    np.savez(folder / WEIGHTS, *weights)
    if graph:
        to_onnx(model, folder / GRAPH, logits=True)
    x, _ = data(batch, size)
    chosen = rows(batch)
    np.save(folder / "inference.npy", model.logits(x[next(chosen)], batch_size=batch))
    maps = saliency.Gradient(model).attribute(x[next(chosen)], target=CLASS, batch_size=batch)
    np.save(folder / "saliency.npy", maps)


def read_weights(folder: Path) -> list[np.ndarray]:
    """The arrays of every layer, in Keras' order and layouts."""
    with np.load(folder / WEIGHTS) as file:
        return [file[name] for name in file.files]


def difference(folder: Path, work: str, answer: object) -> float:
    """How far a program's answer to "inference" (logits (N, U)) or "saliency" is from ours, in the measure of LIMITS.

    Maps may come as (N, H, W, C) or (N, C, H, W). Infinite, if the answer has another shape or numbers that are none.
    """
    ours = np.load(folder / f"{work}.npy").astype(np.float64)
    theirs = np.asarray(answer).astype(np.float64)
    if work == "saliency" and theirs.shape != ours.shape and theirs.ndim == 4:
        theirs = np.moveaxis(theirs, 1, 3)  # (N, C, H, W) -> (N, H, W, C)
    if theirs.shape != ours.shape or not np.isfinite(theirs).all():
        return float("inf")
    if work == "saliency":
        return float(np.linalg.norm(theirs - ours) / np.linalg.norm(ours))
    return float(np.abs(theirs - ours).max() / np.abs(ours).max())
