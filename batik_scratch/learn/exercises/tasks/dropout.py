"""dropout: inverted dropout, both passes; after lessons 4, 8.

forward   In training, every value is dropped with probability rate. What must the others be multiplied by, for the
            mean to stay?
          self.rng.random(x.shape) is below rate with probability rate. Outside training the mask is all ones.
          mask = (self.rng.random(x.shape) >= self.rate) / (1 - self.rate); keep it, then return x * mask
backward  Y = X M, place by place, and M is a constant once it is drawn: what is dY/dX?
          The very mask of the forward pass, its factor 1 / (1 - rate) included. Never draw a new one.
          return dy * self._recall(), where forward kept the mask
"""

import numpy as np

from .... import nn
from ..answer import Answer
from ..compare import Wrong, same, wrong_kind
from ..exercise import Finding
from ..layer_questions import layer_exercise

# The output is random: the forward pass is examined by what all right ones have in common.
RATE = 0.2
SHAPE = (40, 50)


def rests_at_inference(answer: Answer) -> Wrong | None:
    """Outside training, y = x."""
    x, layer = np.random.default_rng(1).standard_normal(SHAPE), answer.thing(RATE)
    given, before = x.copy(), layer.rng.bit_generator.state
    y = layer.forward(given)
    if wrong := wrong_kind(y, x, "what forward returns when training is False"):
        return wrong
    if not np.array_equal(y, x):
        what = "drops" if (y == 0).any() else "scales"
        return f"When training is False the output must be the input; forward {what} features there too.", ()
    if np.shares_memory(y, given):
        return "When training is False forward hands on its own input; return a copy, x.copy().", ()
    if layer.rng.bit_generator.state != before:
        return "When training is False nothing may be drawn from self.rng: draw inside `if training:`.", ()
    return None


def drops_its_share(answer: Answer) -> Wrong | None:
    """In training: rate of the features are 0, the others are x / (1 - rate), large or small, of either sign."""
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 200, SHAPE) * rng.choice([-1, 1], SHAPE)
    given = x.copy()
    y = answer.thing(RATE).forward(given, training=True)
    if wrong := wrong_kind(y, x, "what forward returns"):
        return wrong
    if not np.array_equal(given, x):
        return "forward changes its input x; work on a new array.", ()
    kept, share = y != 0, float((y == 0).mean())
    factors = y[kept] / x[kept]
    details = (f"rate {RATE}: {share:.0%} of the features are 0",)
    if kept.all():
        return "Nothing is dropped although training is True.", details
    if not np.allclose(factors, factors[0]):
        return "Features that stay must all be multiplied by one factor, 1 / (1 - rate).", details
    if abs(share - RATE) > 0.06:
        hint = " It keeps `rate` of them instead of dropping it." if abs(share - (1 - RATE)) < 0.06 else ""
        return f"The share that is dropped is not rate.{hint}", details
    if not np.isclose(factors[0], 1 / (1 - RATE)):
        sentence = "Features that stay must be multiplied by 1 / (1 - rate), so that the expected value stays the same."
        return sentence, (f"they are multiplied by {factors[0]:.4g} instead of {1 / (1 - RATE):.4g}",)
    if (~kept).all(axis=0).any() or (~kept).all(axis=1).any():
        return "Whole rows or columns are dropped: draw one random number for every value, of x's shape.", ()
    return None


def draws_from_its_own(answer: Answer) -> Wrong | None:
    """From self.rng: a new mask at each call, and the same one again when the generator is rewound."""
    x, layer = np.ones(SHAPE), answer.thing(RATE)
    before = layer.rng.bit_generator.state
    first, second = layer.forward(x.copy(), training=True), layer.forward(x.copy(), training=True)
    if np.array_equal(first, second):
        return "Two calls drop the same features: each forward pass in training draws a new mask.", ()
    layer.rng.bit_generator.state = before
    if not np.array_equal(layer.forward(x.copy(), training=True), first):
        return "The mask must come from self.rng; np.random cannot be rewound by the gradient check.", ()
    return None


def tells_a_zero_from_a_dropped_one(answer: Answer) -> list[Finding]:
    """An input of 0 gives an output of 0, kept or not: the mask alone knows."""
    layer, rng = answer.thing(RATE), np.random.default_rng(1)
    x, dy = rng.standard_normal(SHAPE), rng.standard_normal(SHAPE)
    x[:, ::2] = 0  # a ReLU before it leaves many
    before = layer.rng.bit_generator.state
    mask = layer.forward(np.ones(SHAPE), training=True)
    layer.rng.bit_generator.state = before
    layer.forward(x.copy(), training=True)
    dx, right = layer.backward(dy.copy()), dy * mask
    if same(dx, right):
        return []
    sentence = "Where some inputs are 0, dx is not dy times the mask that forward drew."
    if same(dx[x != 0], right[x != 0]):
        sentence = (
            "An input that happens to be 0, as many are after a ReLU, is taken for a dropped one: neither x nor y "
            "tells which features were kept. Keep the mask as it was drawn, and multiply dy by it."
        )
    details = (f"{(dx[x == 0] == 0).mean():.0%} of the inputs that are 0 get no gradient; rate is {RATE}",)
    return answer.found("dx", sentence, details)


EXERCISE = layer_exercise(
    __doc__,
    nn.Dropout,
    [("rows of 30, rate 0.2", (30,), {"rate": RATE}), ("maps of 4 x 5 x 2, rate 0.4", (4, 5, 2), {"rate": 0.4})],
    by_chance=[rests_at_inference, drops_its_share, draws_from_its_own],
    specials=[tells_a_zero_from_a_dropped_one],
)
