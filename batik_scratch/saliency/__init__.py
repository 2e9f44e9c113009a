"""Saliency: which pixels a prediction depends on, by every method that we know how to test."""

from .catalogue import METHODS
from .grad_cam import GradCAM
from .grad_cam_plus_plus import GradCAMPlusPlus
from .gradient import Gradient, GradientTimesInput
from .guided import Deconvnet, GuidedBackprop
from .hires_cam import HiResCAM
from .integrated_gradients import IntegratedGradients
from .lrp import LRP
from .method import Method
from .occlusion import Occlusion
from .overlay import overlay
from .postprocess import clip_percentile, contour, heat_map, normalise, reduce_channels
from .smoothgrad import SmoothGrad

__all__ = [
    "LRP",
    "METHODS",
    "Deconvnet",
    "GradCAM",
    "GradCAMPlusPlus",
    "Gradient",
    "GradientTimesInput",
    "GuidedBackprop",
    "HiResCAM",
    "IntegratedGradients",
    "Method",
    "Occlusion",
    "SmoothGrad",
    "clip_percentile",
    "contour",
    "heat_map",
    "normalise",
    "overlay",
    "reduce_channels",
]
