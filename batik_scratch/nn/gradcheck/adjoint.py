"""check_adjoint: a linear map and what claims to be its transpose."""

from collections.abc import Callable, Sequence

import numpy as np

from .numeric import ADJOINT, DRAWS, verdict
from .report import GradientReport


def check_adjoint(
    forward: Callable[[np.ndarray], np.ndarray],
    adjoint: Callable[[np.ndarray], np.ndarray],
    input_shape: Sequence[int],
    seed: int = 0,
    title: str = "adjoint",
) -> GradientReport:
    """<forward(x), y> = <x, adjoint(y)> for a linear map and what claims to be its adjoint, on random x and y."""
    rng = np.random.default_rng(seed)
    left, right, sizes = [], [], []
    for _ in range(DRAWS):
        x = rng.standard_normal(tuple(input_shape))
        image = forward(x)
        y = rng.standard_normal(image.shape)
        back = adjoint(y)
        left.append(float((image * y).sum()))
        right.append(float((x * back).sum()))
        sizes.append(float(np.linalg.norm(x) * np.linalg.norm(back)))
    row = verdict(
        "pairing", ADJOINT, np.array(right), np.array(left), (DRAWS,), np.arange(DRAWS), 0, 0.0, 1e-11 * max(sizes)
    )
    return GradientReport(f"{title} {tuple(input_shape)}", [row])
