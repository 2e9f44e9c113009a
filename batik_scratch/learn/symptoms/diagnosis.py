"""What the doctor hands out."""

from dataclasses import dataclass

import numpy as np

ATOL, RTOL = 1e-8, 1e-7  # of the largest value: far above rounding, far below any mistake


@dataclass(frozen=True)
class Diagnosis:
    """One finding about one tensor.

    name        a short slug, the same for every case of the same mistake: "constant factor", "kernel not flipped"
    tensor      "dx", a parameter's name ("kernel", "bias"), or what was touched ("dy", "x") or called ("backward")
    sentence    plain words: what it is, the evidence in numbers, where to look
    """

    name: str
    tensor: str
    sentence: str

    @classmethod
    def told(cls, tensor: str, words: str) -> "Diagnosis":
        """From "name: sentence", line breaks and indents being those of the source."""
        name, sentence = " ".join(words.split()).split(": ", 1)
        return cls(name, tensor, sentence)

    def __str__(self) -> str:
        return f"{self.tensor}: {self.name}. {self.sentence}"


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """True if both agree to 1e-7 of the largest value; places that are NaN in b (a kink) are not compared."""
    if a.shape != b.shape:
        return False
    known = ~np.isnan(b)
    if not known.any():
        return b.size == 0
    largest = float(np.abs(b[known]).max())
    return bool((np.abs(a - b)[known] <= ATOL + RTOL * largest).all())  # False if a is NaN


def zero(a: np.ndarray) -> np.ndarray:
    """True at each place where a is zero, up to the rounding of a numerical derivative."""
    return np.abs(a) <= ATOL
