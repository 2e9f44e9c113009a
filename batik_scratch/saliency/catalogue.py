"""All methods by name, and how each method's raw map becomes "how much does this pixel matter"."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from ..nn import Sequential
from .grad_cam import GradCAM
from .grad_cam_plus_plus import GradCAMPlusPlus
from .gradient import Gradient, GradientTimesInput
from .guided import Deconvnet, GuidedBackprop
from .hires_cam import HiResCAM
from .integrated_gradients import IntegratedGradients
from .lrp import LRP
from .method import Method
from .occlusion import Occlusion
from .smoothgrad import SmoothGrad


def largest_channel(maps: np.ndarray) -> np.ndarray:
    """max_c |M| : (N, H, W, C) -> (N, H, W); for maps that say how sensitive the score is."""
    return np.abs(maps).max(axis=-1)


def amount(maps: np.ndarray) -> np.ndarray:
    """|sum_c M| : (N, H, W, C) -> (N, H, W); for maps that share the score out, for or against the class."""
    return np.abs(maps.sum(axis=-1))


def evidence(maps: np.ndarray) -> np.ndarray:
    """max(0, mean_c M) : (N, H, W, C) -> (N, H, W); for coarse maps: only what speaks for the class."""
    return np.maximum(maps.mean(axis=-1), 0)


class Entry(NamedTuple):
    """How to make a method from a model, and a map (N, H, W) >= 0 from its raw map."""

    make: Callable[[Sequential], Method]
    reduce: Callable[[np.ndarray], np.ndarray]


PASSES = 25  # of the methods that average: half of the classes' own default, for pictures of all methods at once
METHODS: dict[str, Entry] = {
    "gradient": Entry(Gradient, largest_channel),
    "gradient-x-input": Entry(GradientTimesInput, amount),
    "smoothgrad": Entry(lambda model: SmoothGrad(model, PASSES), largest_channel),
    "smoothgrad-squared": Entry(lambda model: SmoothGrad(model, PASSES, statistic="squared"), largest_channel),
    "vargrad": Entry(lambda model: SmoothGrad(model, PASSES, statistic="variance"), largest_channel),
    "integrated-gradients": Entry(lambda model: IntegratedGradients(model, PASSES), amount),
    "guided-backprop": Entry(GuidedBackprop, largest_channel),
    "deconvnet": Entry(Deconvnet, largest_channel),
    "grad-cam": Entry(GradCAM, evidence),
    "hires-cam": Entry(HiResCAM, evidence),
    "grad-cam-plus-plus": Entry(GradCAMPlusPlus, evidence),
    "occlusion": Entry(lambda model: Occlusion(model, max((model.input_shape or (16,))[0] // 6, 1)), evidence),
    "lrp": Entry(LRP, amount),
}


def chosen(name: str) -> dict[str, Entry]:
    """The method called `name`, or all of them for "all"; the error lists the names."""
    if name == "all":
        return METHODS
    if name not in METHODS:
        raise InputError(f"method is one of all, {', '.join(METHODS)}; got {name!r}")
    return {name: METHODS[name]}
