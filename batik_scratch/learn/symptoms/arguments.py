"""What the doctor is handed: refused in words if it is nothing to examine."""

from collections.abc import Sequence
from operator import index
from typing import Any

from ...errors import InputError
from ..update_families import numbers_of

CALLS = ("astype", "build", "forward", "backward")
SHAPE_RULE = "input_shape: needs whole numbers, one for each axis but the batch's, such as (5,) or (5, 6, 3)"
LOSS_RULE = "loss: needs what can be called as loss(logits, y) and returns (value, gradient)"


def layer_like(layer: Any) -> Any:
    """`layer`, if it is an object with the methods of `nn.Layer`."""
    if isinstance(layer, type):
        name = layer.__name__
        raise InputError(f"layer: needs a layer, got the class {name} itself; make one of it, {name}(...)")
    if lacking := [name for name in CALLS if not callable(getattr(layer, name, None))]:
        mend = f"which has no {lacking[0]}; derive it from nn.Layer, or, of a model, hand over one of its layers"
        raise InputError(f"layer: needs an object with {', '.join(CALLS)}, got {_short(layer)}, {mend}")
    return layer


def a_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The lengths of an input without its batch axis, as a tuple."""
    try:
        if isinstance(shape, str | bytes):
            raise TypeError
        lengths = tuple(index(length) for length in shape)
    except TypeError:
        mend = f"write ({shape},)" if isinstance(shape, int) else "write it as a tuple of numbers"
        raise InputError(f"{SHAPE_RULE}, got {_short(shape)}; {mend}") from None
    if any(length < 1 for length in lengths):
        raise InputError(f"{SHAPE_RULE}, got {lengths}; a length is at least 1")
    return lengths


def at_least_one(name: str, count: int) -> int:
    """The count, if it is one."""
    try:
        number = index(count)
    except TypeError:
        number = 0
    if number < 1:
        raise InputError(f"{name}: needs a whole number from 1 up, got {_short(count)}; 3 is a good one")
    return number


def a_loss(loss: Any) -> Any:
    """`loss`, if it is a function or an object that can be called."""
    if isinstance(loss, type) or not callable(loss):
        mend = "of a class, hand over an object: nn.SparseCategoricalCrossentropy(from_logits=True)"
        raise InputError(f"{LOSS_RULE}, got {_short(loss)}; {mend}")
    return loss


def an_optimizer(optimizer: Any) -> Any:
    """`optimizer`, if it is an object with a step and a learning rate."""
    has_all = hasattr(optimizer, "__dict__") and callable(getattr(optimizer, "step", None))
    if isinstance(optimizer, type) or not has_all or not hasattr(numbers_of(optimizer), "learning_rate"):
        rule = "optimizer: needs an object with step and learning_rate"
        raise InputError(f"{rule}, got {_short(optimizer)}; such as nn.Adam()")
    return optimizer


def _short(value: Any) -> str:
    words = f"the class {value.__name__}" if isinstance(value, type) else repr(value)
    return words if len(words) < 60 else f"a {type(value).__name__}"
