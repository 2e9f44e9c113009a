"""What a saved model says of pictures, one by one as they are read; a bad file is an answer too."""

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .. import images
from ..images import UnreadableImage
from .data import to_unit
from .single import load_classifier
from .training import probabilities

TOGETHER = 16  # pictures that are read before the model is asked


@dataclass
class Answer:
    """Of one file: the predicted class and {class name: probability} in the model's order, or what is wrong with it."""

    file: str
    predicted: str = ""
    probabilities: dict[str, float] = field(default_factory=dict)
    error: str = ""


class Answers:
    """Iterating gives an Answer for each picture of `words`, in order and soon: memory does not grow with their number.

    InputError at once if the file is no model, or has no class names.
    """

    def __init__(self, model_file: Path, words: Iterable[str | os.PathLike]) -> None:
        self.model_file, self.words = model_file, words
        self.model, self.class_names, self.size = load_classifier(model_file)

    def __iter__(self) -> Iterator[Answer]:
        found = images.pictures(self.words)
        while some := list(itertools.islice(found, TOGETHER)):
            yield from self._together(some)

    def _together(self, some: list[Path | UnreadableImage]) -> Iterator[Answer]:
        answers: list[Answer] = []
        pixels: list[np.ndarray] = []  # of those without an error
        for one in some:
            try:
                if isinstance(one, UnreadableImage):
                    raise one
                pixels.append(images.read_pixels(one, self.size))
                answers.append(Answer(str(one)))
            except UnreadableImage as error:
                answers.append(Answer(str(error.path), error=error.reason))
        if pixels:
            said = iter(probabilities(self.model, to_unit(np.stack(pixels))))  # (N, U)
            for answer in (one for one in answers if not one.error):
                p = next(said)  # (U,)
                answer.predicted = self.class_names[int(p.argmax())]
                answer.probabilities = dict(zip(self.class_names, p.tolist(), strict=True))
        yield from answers
