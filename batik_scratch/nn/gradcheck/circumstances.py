"""A layer in one circumstance: a batch, a shape, a range of inputs, a state; as `thorough` goes through them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..layers import Layer
from .numeric import WIDTH, distinct
from .probe import is_coarse, is_rounded
from .specimen import Gradients, Specimen

Make = Callable[..., "Setting"]
Draw = Callable[[tuple[int, ...], np.random.Generator], np.ndarray]
BLOCK = 17  # of units or channels: more than two blocks of 8 or one of 16, and odd
PASSES = 6  # before the one that is looked at
STEP = 0.3  # of every parameter, from N(0, 1)


class Setting:
    """A specimen, an input x, and an upstream gradient dy for its y; `options` go to every forward pass.

    x, y, dy      (n, ...) as drawn; y of x; N(0, 1) of y's shape
    rng           for what else is drawn
    """

    def __init__(self, specimen: Specimen, x: np.ndarray, rng: np.random.Generator, **options: Any) -> None:
        self.specimen, self.x, self.rng, self.options = specimen, x, rng, options
        self.y = self.output()
        self.dy = rng.standard_normal(self.y.shape)

    def output(self) -> np.ndarray:
        """y of x and the parameters as they stand."""
        return self.specimen.forward(self.x, **self.options)

    def gradients(self, dy: np.ndarray | None = None, **options: Any) -> Gradients:
        """{tensor: gradient} of a fresh forward pass; `options` go to backward."""
        self.output()
        return self.specimen.backward(self.dy if dy is None else dy, **options)

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """{"dx": x, and each trained parameter}: what forward reads, to be moved in place."""
        movable = {"dx": self.x} if self.x.dtype.kind == "f" else {}
        return {**movable, **self.specimen.trained}

    @property
    def measurable(self) -> bool:
        """True if y is there and finite: what forward cannot do is no matter of gradients."""
        return self.y.size > 0 and bool(np.isfinite(self.y).all())

    @property
    def coarse(self) -> bool:
        """True if forward computes in float32, all of it or on the way."""
        return is_coarse(self.y) or any(is_rounded(self.output, tensor, self.y) for tensor in self.tensors.values())

    def at(self, x: np.ndarray) -> "Setting":
        """The same specimen at another input."""
        return Setting(self.specimen, x, self.rng, **self.options)


def as_usual(layer: Layer, shape: tuple[int, ...], n: int, seed: int, spread: float = 0.1) -> Setting:
    """Values from -2 to 2, all different; parameters `spread` N(0, 1) beside those that build made."""
    rng = np.random.default_rng(seed)
    specimen = Specimen(layer, shape, rng, spread)
    return Setting(specimen, specimen.suited(distinct((n, *shape), rng)), rng)


def other_shapes(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every axis one longer, all but the last two longer, and the last one of length 17 and 1."""
    for axis in range(len(shape)):
        yield (*shape[:axis], shape[axis] + 1, *shape[axis + 1 :])
    if len(shape) > 1:
        yield (*(size + 2 for size in shape[:-1]), shape[-1])
    for last in {BLOCK, 1} - {shape[-1]} if shape else ():
        yield (*shape[:-1], last)


def drawn() -> Iterator[tuple[str, Draw]]:
    """Ranges of inputs: what they are called, and how one is drawn."""
    yield "x to 10", lambda shape, rng: distinct(shape, rng, 20.0)
    yield "x to 1e-9", lambda shape, rng: 1e-9 * distinct(shape, rng, 2.0)
    yield "x in [0, 1]", lambda shape, rng: distinct(shape, rng, 1.0) + 0.5
    yield "x below 0", lambda shape, rng: distinct(shape, rng, WIDTH) - WIDTH


def changed_input(make: Make, draw: Draw) -> Setting:
    """The usual setting with another x, moved above zero if forward is finite there alone."""
    setting = make()
    if setting.x.dtype.kind != "f":
        return setting
    return setting.at(setting.specimen.suited(draw(setting.x.shape, setting.rng)))


def kept_at_rest(make: Make) -> Setting:
    """A pass with training=False that is kept, as a saliency map asks for it, after one of training."""
    usual = make()
    usual.gradients()
    return Setting(usual.specimen, usual.x, usual.rng, training=False, keep=True)


def seventh(make: Make) -> Setting:
    """After six passes forward and backward in which nothing was put back: counters, caches and sums have moved on."""
    setting = make()
    specimen = setting.specimen
    for _ in range(PASSES):
        specimen.train_once(setting.rng.permutation(setting.x.reshape(-1)).reshape(setting.x.shape), setting.dy)
    specimen.hold()
    return setting.at(setting.x)


def after_a_step(make: Make) -> Setting:
    """After one pass forward and backward, and parameters that were changed in place since, as an optimiser does."""
    setting = make()
    setting.specimen.train_once(setting.x, setting.dy)
    for value in setting.specimen.trained.values():
        value += STEP * setting.rng.standard_normal(value.shape)
    setting.specimen.hold()
    return setting.at(setting.x)
