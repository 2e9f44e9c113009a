"""The arguments of ONNX' operators, in the terms that layers have here."""

from typing import Any

import numpy as np

from ..errors import InputError
from .onnx_graph import Step


def only(step: Step, **allowed: tuple[Any, ...]) -> None:
    """InputError unless the attributes that are there have one of the values that change nothing."""
    for key, values in allowed.items():
        if key in step.attributes and step.attributes[key] not in values:
            raise InputError(f"{key}={step.attributes[key]} is not read; only {values[0]} is")


def vector(array: np.ndarray, length: int) -> np.ndarray:
    """A bias as (length,): one number for all, or one each."""
    if array.size != 1 and (array.size != length or array.shape[-1] != length):
        raise InputError(f"has {array.size} numbers of the shape {array.shape} for {length} outputs")
    return np.array(np.broadcast_to(array.ravel(), (length,)))
