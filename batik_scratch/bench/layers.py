"""Where a training step's time goes: each block of layers that the model walks, forward and backward."""

import time

import numpy as np

from .. import nn
from ..nn.layers import Layer
from ..nn.passes import ConvReluPool
from ..ops import threads
from .networks import NETWORKS
from .programs import data


def layer_table(batch: int, size: int, repeats: int = 7, network: str = "paper") -> str:
    """Milliseconds, GF/s and share of the step, a line per block; medians of `repeats` training steps.

    GF/s counts two operations for each multiply-add of the definition, and backward twice those of forward. Winograd
    gets by with fewer, so a figure may exceed what the processor can multiply.
    """
    model = NETWORKS[network].ours(size)
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    x, y = (array[:batch] for array in data(batch, size))
    for _ in range(2):
        model.train_step(x, y)
    walk = model.plan()
    laps = np.array([_one_step(model, walk, x, y) for _ in range(repeats)])  # (repeats, blocks + 1, 2), Adam last
    medians = np.median(laps, axis=0) * 1e3  # (blocks + 1, 2) in ms
    total = medians.sum()
    title = f"a training step, {threads.count()} thread{'s' if threads.count() > 1 else ''}"
    lines = [f"{title:44s}{'forward':>16s}{'GF/s':>7s}{'backward':>13s}{'GF/s':>7s}{'share':>8s}"]
    for block, (forward, backward) in zip(walk, medians, strict=False):
        work = 2e-6 * batch * _multiply_adds(block)  # in MF: MF per ms are GF/s
        back = work * (1 if block is walk[0] else 2)  # the first layer needs no dx
        speeds = [f"{amount / ms:.0f}" if amount else "" for amount, ms in ((work, forward), (back, backward))]
        lines.append(
            f"{_name(block):44s}{forward:>13.2f} ms{speeds[0]:>7s}{backward:>10.2f} ms{speeds[1]:>7s}"
            f"{(forward + backward) / total:>8.1%}"
        )
    lines.append(f"{'Adam':44s}{'':>16s}{'':>7s}{medians[-1, 1]:>10.2f} ms{'':>7s}{medians[-1, 1] / total:>8.1%}")
    lines.append(f"{'all':44s}{medians[:, 0].sum():>13.2f} ms{'':>7s}{medians[:, 1].sum():>10.2f} ms")
    return "\n".join(lines)


def _one_step(model: nn.Sequential, walk: list[Layer], x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Seconds of [forward, backward] per block, and of Adam last."""
    laps = []
    with model.alone():
        out = x
        for block in walk:
            began = time.perf_counter()
            out = block.forward(out, training=True)
            laps.append([time.perf_counter() - began, 0.0])
        assert model.loss is not None
        dy = model.loss.on_logits(out, y)[1]
        for i, block in reversed(list(enumerate(walk))):
            began = time.perf_counter()
            gradient = block.backward(dy, need_dx=i > 0)
            laps[i][1] = time.perf_counter() - began
            dy = dy if gradient is None else gradient
        began = time.perf_counter()
        model.optimizer.step(model.layers)
        return [*laps, [0.0, time.perf_counter() - began]]


def _multiply_adds(block: Layer) -> int:
    return block.convolution.multiply_adds() if isinstance(block, ConvReluPool) else block.multiply_adds()


def _name(block: Layer) -> str:
    return f"{block.name} + ReLU + max-pooling" if isinstance(block, ConvReluPool) else block.name
