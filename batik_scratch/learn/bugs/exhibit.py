"""What hangs beside each bug in the museum."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

IMAGE, COLOURED = (5, 6, 2), (5, 6, 3)  # unequal sizes, which tell the axes apart
ROW, CLASSES = (6,), (5,)  # neither is the batch of three
LABELS = ("Looks right", "The check", "Numbers")


@dataclass(frozen=True)
class Exhibit:
    """One bug on show, and what must be found out about it.

    bug          a broken layer, loss, optimiser or difference quotient; its docstring tells the story
    tensor       the gradient that the check must call wrong: "dx", "kernel", ...
    diagnosis    the name that the doctor should give it
    shape        input shape for a layer, without the batch axis
    """

    bug: Any
    tensor: str
    diagnosis: str
    shape: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The class, or the function, that is wrong."""
        return self._source().__name__

    @property
    def story(self) -> dict[str, str]:
        """What was wrong, and under each of LABELS what its docstring says."""
        first, *rest = (self._source().__doc__ or "").strip().split("\n\n", 1)
        told = {"What": " ".join(first.split())}
        label = ""
        for line in (rest[0] if rest else "").splitlines():
            found = next((name for name in LABELS if line.strip().startswith(name)), None)
            label = found or label
            words = line.strip().removeprefix(found or "").strip()
            told[label] = f"{told.get(label, '')} {words}".strip()
        return told

    def _source(self) -> Callable:
        return self.bug if hasattr(self.bug, "__name__") else type(self.bug)
