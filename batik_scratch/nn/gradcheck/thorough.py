"""What `check_layer(thorough=True)` adds: the same gradients in other circumstances, each for other mistakes.

    batches of 1, 2, 5, 9          an axis of length 1 that is lost, a loop that ends too early
    every axis one longer, ...     odd and even, dividing by the stride and not, beyond a block of 8 or 16
    x to 10, to 1e-9, in [0, 1]    a limit, an epsilon, a formula that holds near zero alone
    float32, and float32 to 100    a rule for one dtype; an exp that overflows where the result does not
    a zero in x, equal values      conventions at the kink; a tie that is paid twice
    dy times 100, dy of zeros      a clipping in backward; something that is added to dy
    other parameters, as built     a sign or a zero that is taken for granted
    at rest, kept                  a saliency map's pass; whether something is drawn by chance there
    need_dx or need_grads off      what then is missing
    the seventh pass               a counter, a cache, an accumulation
    after a step                   what was made of the old parameters and is kept

No finite check sees everything: a mistake that needs a batch of 1,000, values beyond 100, one special number or the
hundredth call passes all of these. What a layer refuses, by raising in build or forward, is no mistake, and its row
says so; nor is it one that a layer of one size cannot take another (sizes.py), or that it is never told that it is at
rest (`told_of_training` is False): such a row says "not asked".
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from ..layers import Layer
from .circumstances import Setting, after_a_step, as_usual, changed_input, drawn, kept_at_rest, other_shapes, seventh
from .flags import (
    by_chance_at_rest,
    dy_of_zeros,
    dy_times_100,
    in_float32,
    overflowing,
    without_dx,
    without_grads,
)
from .report import TensorCheck, nothing_to_compare
from .sizes import NotAsked, of_one_size
from .slopes import wrong_slopes
from .specimen import Failure
from .ties import at_a_zero, at_equal_values

Wrong = list[TensorCheck]
PLACES = 12  # tried in each tensor, beside the random directions


def rows(layer: Layer, input_shape: tuple[int, ...], n: int, seed: int) -> list[TensorCheck]:
    """One row for each circumstance in which all is right, else one for each tensor that is wrong there."""
    return [row for words, examine in _examinations(layer, input_shape, n, seed) for row in _row(words, examine)]


Examine = Callable[[], tuple[Wrong, int]]  # the wrong tensors, and how many numbers were compared


def _row(words: str, examine: Examine) -> Wrong:
    try:
        with np.errstate(all="ignore"):
            wrong, compared = examine()
    except NotAsked:
        return [TensorCheck("all", f"{words}: not asked", 0.0, (), np.nan, np.nan, 0, 0, True)]
    except Failure as failure:
        if failure.stage == "backward":
            return [nothing_to_compare("backward", f"{words}: {type(failure.error).__name__}")]
        return [TensorCheck("all", f"{words}: refused", 0.0, (), np.nan, np.nan, 0, 0, True)]
    if wrong:
        return wrong
    return [TensorCheck("all", words, 0.0, (), np.nan, np.nan, compared, 0, True)]


def _examinations(layer: Layer, shape: tuple[int, ...], n: int, seed: int) -> Iterator[tuple[str, Examine]]:
    make = partial(as_usual, layer, shape=shape, n=n, seed=seed)
    for count in (1, 2, 5, 9):
        yield f"batch of {count}", partial(_by_slopes, f"batch of {count}", partial(make, n=count))
    for other in other_shapes(shape):
        words = f"input {other}"
        yield words, partial(of_one_size, partial(_by_slopes, words, partial(make, shape=other)), make, shape, other)
    for words, x in drawn():
        yield words, partial(_by_slopes, words, partial(changed_input, make, x))
    for words, spread in (("other parameters", 2.0), ("parameters as built", 0.0)):
        yield words, partial(_by_slopes, words, partial(make, spread=spread))
    yield "at rest, kept", partial(_by_slopes, "at rest, kept", partial(kept_at_rest, make))
    yield "seventh pass", partial(_by_slopes, "seventh pass", partial(seventh, make))
    yield "after a step", partial(_by_slopes, "after a step", partial(after_a_step, make))
    for words, look in LOOKS:
        yield words, partial(_looked, words, look, make)


LOOKS: Sequence[tuple[str, Callable[[str, Setting], tuple[Wrong, int]]]] = (
    ("float32", in_float32),
    ("float32, x to 100", overflowing),
    ("a zero in x", at_a_zero),
    ("equal values in x", at_equal_values),
    ("dy times 100", dy_times_100),
    ("dy of zeros", dy_of_zeros),
    ("at rest, by chance", by_chance_at_rest),
    ("need_dx=False", without_dx),
    ("need_grads=False", without_grads),
)


def _by_slopes(words: str, make: Callable[[], Setting]) -> tuple[Wrong, int]:
    """Backward's gradients against differences: at places, and along directions through everything."""
    setting = make()
    if not setting.measurable or setting.coarse:
        return [], 0
    return wrong_slopes(words, setting, setting.gradients(), PLACES)


def _looked(
    words: str, look: Callable[[str, Setting], tuple[Wrong, int]], make: Callable[[], Setting]
) -> tuple[Wrong, int]:
    setting = make()
    if look is by_chance_at_rest and not getattr(setting.specimen.layer, "told_of_training", True):
        raise NotAsked
    return look(words, setting) if setting.measurable and not setting.coarse else ([], 0)
