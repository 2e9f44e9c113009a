"""Where weights begin: random, with a spread that neither kills nor explodes the signal; and where biases begin.

glorot (Glorot & Bengio, 2010) keeps the variance in both directions: 2 / (fan_in + fan_out).
he (He et al., 2015) makes up for the half that ReLU removes: 2 / fan_in.
A uniform draw from [-limit, limit] has variance limit^2 / 3, hence limit = sqrt(3 variance).
gabor, harmonics and luma are no draws: a bank of oriented filters, waves over its directions, brightness (gabor.py).
"""

import math
from collections.abc import Callable

import numpy as np

from ..errors import InputError
from .gabor import gabor_kernel, harmonics_kernel, luma_kernel

NAMES = ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "zeros", "gabor", "harmonics", "luma")
BIASES = ("zeros", "centred")
BY_HAND: dict[str, Callable[[tuple[int, ...]], np.ndarray]] = {  # by formula: no random number is used
    "zeros": np.zeros,
    "gabor": gabor_kernel,
    "harmonics": harmonics_kernel,
    "luma": luma_kernel,
}
# the standard deviation of a normal draw cut off at two standard deviations, as Keras draws: 0.8796
TRUNCATED_STD = 0.87962566103423978


def check(name: str) -> str:
    """Return `name` if it is an initialiser, else raise InputError."""
    if name not in NAMES:
        raise InputError(f"kernel_initializer is one of {', '.join(NAMES)}; got {name!r}")
    return name


def check_bias(name: str) -> str:
    """Return `name` if it is an initialiser of biases, else raise InputError."""
    if name not in BIASES:
        raise InputError(f"bias_initializer is one of {', '.join(BIASES)}; got {name!r}")
    return name


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of a dense kernel (D, U) or a convolution's (kh, kw, C, F): inputs per output, and back."""
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A float64 kernel of `shape`, drawn by the initialiser `name`; InputError if that cannot do the shape."""
    if name in BY_HAND:
        return BY_HAND[name](shape)
    fan_in, fan_out = fans(shape)
    variance = 2 / (fan_in + fan_out) if name.startswith("glorot") else 2 / fan_in
    if name.endswith("uniform"):
        limit = math.sqrt(3 * variance)
        return rng.uniform(-limit, limit, shape)
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(outside.sum())
    return values * math.sqrt(variance) / TRUNCATED_STD


def draw_bias(name: str, kernel: np.ndarray) -> np.ndarray:
    """The bias (F,) that `kernel` (..., F) begins with, after the initialiser `name`.

    zeros      b_f = 0
    centred    b_f = -1/2 sum_k W_kf    for inputs in [0, 1]

    With "centred", the layer answers W x + b = W (x - 1/2) at the start: as if 1/2 had been taken from every input. All
    inputs of [0, 1] lie on the same side of 0, so that with a bias of 0 two images look nearly the same to random
    filters, and learning has to begin by moving away from what they share: lesson 9 measures what that costs.
    """
    if name == "zeros":
        return np.zeros(kernel.shape[-1])
    return -0.5 * kernel.sum(axis=tuple(range(kernel.ndim - 1)))  # (F,)
