"""The classes of layers that a model file may name: this package's, and those that a user registered.

A file holds names and numbers and no code, so whoever loads it must have the class. `@nn.register` above a class says
once that files may name it; `Sequential.load(path, layers=[MyLayer])` says it for one file.
"""

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ..errors import InputError
from . import layers as layer_classes
from .layers import Layer

L = TypeVar("L", bound=type[Layer])
BUILT_IN: dict[str, type[Layer]] = {name: getattr(layer_classes, name) for name in layer_classes.__all__}
del BUILT_IN["Layer"]
_registered: dict[str, type[Layer]] = {}


def register(cls: L) -> L:
    """A decorator: from now on model files may name this class of layers, and `Sequential.load` finds it by itself.

    A class that is defined again (a notebook's cell that ran twice) takes the place of the one before. InputError if it
    is no Layer, or if its name is taken: by this package, or by a class of another module.
    """
    check_class(cls, "register")
    before = _registered.get(cls.__name__)
    if before is not None and (before.__module__, before.__qualname__) != (cls.__module__, cls.__qualname__):
        raise InputError(
            f"register: the name {cls.__name__} is taken by {before.__module__}.{before.__qualname__}; "
            "give one of the two another name"
        )
    _registered[cls.__name__] = cls
    return cls


def known(more: Iterable[type[Layer]] = ()) -> dict[str, type[Layer]]:
    """{name: class} of all that a file may name; `more` are classes given for this file alone, and come first."""
    given = list(more)
    for cls in given:
        check_class(cls, "load")
    return BUILT_IN | _registered | {cls.__name__: cls for cls in given}


def check_class(cls: Any, who: str) -> None:
    """InputError unless `cls` is a class of layers with a name of its own."""
    if not isinstance(cls, type) or not issubclass(cls, Layer) or cls is Layer:
        hint = f"; give its class, {type(cls).__name__}" if isinstance(cls, Layer) else ""
        raise InputError(f"{who}: needs classes that inherit from nn.Layer, got {cls!r}{hint}")
    if BUILT_IN.get(cls.__name__, cls) is not cls:
        raise InputError(
            f"{who}: the name {cls.__name__} is a layer's of this package, and files would mean that one; "
            "give your class another name"
        )


def make(name: str, config: Mapping[str, Any], classes: Mapping[str, type[Layer]]) -> Layer:
    """The layer that a file describes; InputError if its class is unknown, or not made of these arguments."""
    if name not in classes:
        shown = str(name)[:60]
        raise InputError(
            f"unknown layer type {shown!r}; if it is a layer of your own, import its class and give it: "
            f"Sequential.load(path, layers=[{shown}]), or put @nn.register above the class"
        )
    cls = classes[name]
    if cls is BUILT_IN.get(name):
        return cls(**config)
    try:
        return cls(**config)
    except TypeError as error:
        raise InputError(
            f"{name} cannot be made of what the file says of it, {dict(config)!r:.300} ({error!s:.300}); "
            f"the class takes {_arguments(cls)}. What its config() returns must be what its constructor takes"
        ) from None


def doubts(layer: Layer) -> str | None:
    """Why a file with this layer could not be loaded back as it is; None if it could.

    InputError if its `config()` holds what no file can take.
    """
    cls, name = type(layer), type(layer).__name__
    if cls is BUILT_IN.get(name):
        return None
    if name in BUILT_IN:
        return f"{name} is your own class with the name of one of this package's, which files would mean; rename it"
    config = layer.config()
    try:
        json.dumps(config)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"save: the config() of {name} needs what JSON takes (numbers, texts, lists), got {config!r} ({error}); "
            "turn arrays into lists with tolist()"
        ) from None
    left_out = [key for key, default in _arguments(cls).items() if key not in config and _differs(layer, key, default)]
    if left_out:
        return f"its config() says nothing of {', '.join(left_out)}; return every argument of the constructor there"
    try:
        cls(**config)
    except Exception as error:  # whatever a stranger's constructor raises
        return f"{name}(**config()) fails ({type(error).__name__}: {error}); return the constructor's arguments there"
    if _registered.get(name) is not cls:
        return (
            f"{name} is not registered; put @nn.register above the class, "
            f"or load the file with Sequential.load(path, layers=[{name}])"
        )
    return None


def _arguments(cls: type[Layer]) -> dict[str, Any]:
    """{name: default} of what the constructor takes, but for `name`, `*args` and `**kwargs`."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return {p.name: p.default for p in parameters if p.kind in by_name and p.name != "name"}


def _differs(layer: Layer, key: str, default: Any) -> bool:
    """Whether the layer has another value than the one that leaving `key` out would give it."""
    if default is inspect.Parameter.empty:
        return True
    value = getattr(layer, key, default)
    return value is not default and bool(value != default)
