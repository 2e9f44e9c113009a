"""A convolutional network written from scratch, and the two-stage batik study built on it.

`from batik_scratch import nn` is where to start reading; submodules load when they are first used, because
numba alone takes a third of a second.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = [
    "CNNClassifier",
    "bench",
    "estimator",
    "exchange",
    "figures",
    "images",
    "learn",
    "motifs",
    "nn",
    "ops",
    "report",
    "saliency",
    "study",
]


def __getattr__(name: str) -> Any:
    if name == "CNNClassifier":
        return importlib.import_module(f"{__name__}.estimator").CNNClassifier
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
