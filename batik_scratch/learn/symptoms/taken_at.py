"""The slope of the last activation, taken at its input where the formula is one of its output, or the other way."""

from collections.abc import Callable, Iterator

import numpy as np

from .checkup import ATOL, close
from .claim import Claim, Words
from .matrices import pair_of, tensor_word

ENOUGH = 4
MOST = 1 - 1e-6  # of tanh: nearer to 1 the input cannot be told from the output
Formula = Callable[[np.ndarray], np.ndarray]


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-z)))


# activation, slope in terms of the output, the same in words, the input by the output, the activation itself
ACTIVATIONS: tuple[tuple[str, Formula, str, Formula, Formula], ...] = (
    ("tanh", lambda t: 1 - t**2, "1 - {0}^2", np.arctanh, np.tanh),
    ("the sigmoid", lambda s: s * (1 - s), "{0} (1 - {0})", lambda s: np.log(s / (1 - s)), _sigmoid),
)


def slope_taken_elsewhere(claim: Claim) -> Iterator[Words]:
    """dy is multiplied by 1 - z^2, where z is what goes into tanh; or by 1 - tanh(y)^2."""
    if (pair := pair_of(claim)) is None:
        return
    y = claim.y.reshape(-1)
    for word, of_output, formula, back, activation in ACTIVATIONS:
        inside = (np.abs(y) < MOST) if activation is np.tanh else (np.abs(2 * y - 1) < MOST)
        with np.errstate(all="ignore"):
            slope, z = of_output(y), back(y)
            at_input, twice = of_output(z), of_output(activation(y))
        there = inside & (np.abs(pair[1]) > 1e3 * ATOL).any(axis=1)
        if there.sum() < ENOUGH or (y.size - inside.sum()) > inside.sum() or not np.ptp(y[there]) > 1e-3:
            continue
        for taken, words in (
            (at_input, f"""the slope {formula.format("z")} is taken of z, what goes into {word}. That formula holds of
                what comes out: {formula.format("y")}, with y = {"tanh(z)" if word == "tanh" else "sigmoid(z)"}. Keep y
                in forward, not z."""),
            (twice, f"""the slope of {word} is taken at y, what comes out of it, as if {word} were applied twice.
                It belongs to what goes in, and in terms of what comes out it is simply {formula.format("y")}."""),
        ):  # fmt: skip
            claimed, meant = pair[0] * slope[:, None], pair[1] * taken[:, None]
            if close(claimed[there], meant[there]) and not close(claimed[there], (pair[1] * slope[:, None])[there]):
                yield f"""slope taken elsewhere: In the gradient of {tensor_word(claim)} {words} All {there.sum()}
                    outputs compared fit this."""
                return
