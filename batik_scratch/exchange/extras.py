"""Libraries that only the exchange of files needs: fetched when they are, with a word on how to install them."""

import importlib
from typing import Any

from ..errors import InputError


def h5py() -> Any:
    """The h5py module; InputError says which extra brings it."""
    return _module("h5py", "keras")


def onnx() -> Any:
    """The onnx module; InputError says which extra brings it."""
    return _module("onnx", "onnx")


def _module(name: str, extra: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"this needs the library {name} ({error}); install it with: pip install 'batik-scratch[{extra}]'"
        ) from None
