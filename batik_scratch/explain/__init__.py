"""A saved network goes in, explanations come out as files: image by image, or judged over many drawn cloths."""

from .judgement import evaluate_saliency
from .pictures import explain_images

__all__ = ["evaluate_saliency", "explain_images"]
