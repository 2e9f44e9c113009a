"""What a layer is tried with: sizes, weights and inputs; and batches that tell what the usual one does not."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...nn.gradcheck.specimen import Specimen


@dataclass(frozen=True)
class Trial:
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


def specimen(cls: type, trial: Trial) -> Specimen:
    """A layer for the trial, with parameters that are the same for every class."""
    return Specimen(cls(**trial.options), trial.shape, np.random.default_rng(7), spread=0.3)


def draw(trial: Trial, batch: Batch = USUAL, seed: int = 8) -> np.ndarray:
    """Inputs for the trial (N, *shape), from N(0, 1) times the batch's scale."""
    return batch.scale * np.random.default_rng(seed).standard_normal((batch.images, *trial.shape))


def draw_like(y: np.ndarray, batch: Batch = USUAL) -> np.ndarray:
    """An upstream gradient of y's shape, from N(0, 1) times the batch's scale."""
    return batch.scale * np.random.default_rng(9).standard_normal(y.shape)


def said_of(trial: Trial, batch: Batch = USUAL) -> str:
    """With what something was tried, for the student."""
    return f"tried with {', '.join(filter(None, [trial.words, batch.words]))}"
