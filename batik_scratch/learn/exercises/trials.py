"""What a layer is tried with: sizes, weights and inputs; and batches that tell what the usual one does not."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """Constructor arguments and an input shape to try, simple ones first; `words` names it to the student."""

    words: str
    shape: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """How many images, and how large their numbers are; `words` names it to the student, the usual one has none."""

    words: str = ""
    images: int = 3
    scale: float = 1.0


USUAL = Batch()
ALONE = Batch("one image alone", images=1)  # a sum over one image shows a lost axis, or a case made for it
LARGE = Batch("numbers around 100", scale=100.0)  # of both signs: what is cut off at 6 passes unseen around 1
BATCHES = (USUAL, ALONE, LARGE)


def built(cls: type, case: Case, dtype: str = "float64") -> Any:
    """A layer of the case with parameters of which none is zero, the same for every class."""
    rng = np.random.default_rng(7)
    layer = cls(**case.options).astype(dtype)
    layer.build(case.shape, rng)
    for key, value in layer.params.items():
        layer.params[key] = (value + 0.3 * rng.standard_normal(value.shape)).astype(dtype)
    return layer


def draw(case: Case, batch: Batch = USUAL, seed: int = 8) -> np.ndarray:
    """Inputs of the case (N, *shape), from N(0, 1) times the batch's scale."""
    return batch.scale * np.random.default_rng(seed).standard_normal((batch.images, *case.shape))


def draw_like(y: np.ndarray, batch: Batch = USUAL, seed: int = 9) -> np.ndarray:
    """An upstream gradient of y's shape, from N(0, 1) times the batch's scale."""
    return batch.scale * np.random.default_rng(seed).standard_normal(y.shape)


def said_of(case: Case, batch: Batch) -> str:
    """With what something was tried, for the student."""
    return f"tried with {', '.join(filter(None, [case.words, batch.words]))}"
