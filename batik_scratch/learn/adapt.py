"""Code from elsewhere as a layer of ours: so that the check and the doctor can examine it as it is.

    functions(forward, backward, params)    two functions, as CS231n has them: y, cache = forward(x, w, b) and
                                            dx, dw, db = backward(dy, cache)
    attributes(thing, {"W": "dW"})          an object with forward(x) and backward(dy), its weights and gradients being
                                            attributes; made in the first call, added up, or used up in backward
    nchw(layer)                             a layer of ours, or adapted, that takes (N, C, H, W)
    torch_function(F, params)               a torch.autograd.Function, or a class in its manner that takes arrays

Each gives an `nn.Layer`, to be handed on:

    >>> layer = adapt.functions(affine_forward, affine_backward, {"w": (6, 4), "b": (4,)})
    >>> print(gradcheck.check_layer(layer, (6,)))
    >>> print(*doctor.diagnose(layer, (6,)), sep="\\n")

What such code does otherwise than a layer of ours, and how it is brought:

    it changes its weights in backward      attributes(thing, {"W": None}, backward=f) and
                                            f = lambda thing, dy: thing.backward(dy, 1.0):
                                            with a learning rate of 1 the gradient is what the weight loses, and the
                                            weight is put back
    it adds gradients up                    attributes sets them to zero before each backward
    it makes weights in the first call      attributes makes that call in build
    its kernels are (F, C, KH, KW)          nchw shows them as (KH, KW, C, F), and their gradients too
    it takes one image, not a batch         functions with a forward that loops over the images
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..errors import InputError
from ..nn import Layer

Shapes = Mapping[str, Any] | Callable[[tuple[int, ...]], Mapping[str, Any]] | None
NCHW_TO_NHWC, NHWC_TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
OIHW_TO_HWIO, HWIO_TO_OIHW = (2, 3, 1, 0), (3, 2, 0, 1)


def functions(forward: Callable[..., Any], backward: Callable[..., Any], params: Shapes = None) -> Layer:
    """A layer of two functions.

    forward     forward(x, *params) -> y, or (y, cache) with whatever backward needs; with a parameter called training
                or train it is told whether the network learns
    backward    backward(dy, cache) if there is a cache, else backward(dy, x, *params), of which it may take fewer; it
                returns dx, or (dx, gradient, ...) in the order of params, or (dx, {name: gradient})
    params      {name: shape or array}, in the order in which forward takes them, or a function of the input's shape
                (without the batch axis) that gives them; what is a shape is drawn from N(0, 1)

    InputError if either is no function.
    """
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise InputError(f"functions: {name} must be a function, got {function!r}")
    return _OfFunctions(forward, backward, params)


def attributes(
    thing: Any,
    params: Mapping[str, str | None] | None = None,
    forward: str | Callable[[Any, np.ndarray], Any] = "forward",
    backward: str | Callable[[Any, np.ndarray], Any] = "backward",
) -> Layer:
    """A layer of an object that keeps its weights and gradients as attributes; the object itself is copied.

    params      {attribute of a weight: attribute of its gradient}; None for a gradient means that backward changes the
                weight itself, by a learning rate of 1
    forward     the method's name, or a function (thing, x) -> y; it is not told whether the network learns
    backward    the method's name, or a function (thing, dy) -> dx

    InputError if there is no such method, and at build if there is no such attribute after a forward pass.
    """
    for name, how in (("forward", forward), ("backward", backward)):
        if isinstance(how, str) and not callable(getattr(thing, how, None)):
            raise InputError(
                f"attributes: {name} is {how!r}, and there is no such method; give its name, or a function"
            )
    return _OfAttributes(thing, dict(params or {}), forward, backward)


def nchw(layer: Layer) -> Layer:
    """The same layer for (N, H, W, C), around one that takes (N, C, H, W) and has kernels (F, C, KH, KW).

    Inputs and outputs of two axes stay as they are, and so do parameters that have not four.
    """
    return _ChannelsLast(layer)


def torch_function(function: Any, params: Shapes = None) -> Layer:
    """A layer of a class with static methods forward(ctx, x, *params) and backward(ctx, dy).

    So a torch.autograd.Function is written. A subclass of it is given tensors (float64), any other class arrays.
    ctx has save_for_backward, saved_tensors, needs_input_grad and room for attributes. `params` as in `functions`.
    """
    for name in ("forward", "backward"):
        if not callable(getattr(function, name, None)):
            raise InputError(f"torch_function: needs a class with forward and backward, got {function!r}")
    to, back = _tensors(function)

    def forward(x: np.ndarray, *weights: np.ndarray) -> tuple[np.ndarray, Any]:
        ctx = SimpleNamespace(saved_tensors=(), needs_input_grad=(True,) * (1 + len(weights)))
        ctx.save_for_backward = lambda *saved: setattr(ctx, "saved_tensors", saved)
        ctx.mark_non_differentiable = ctx.mark_dirty = lambda *tensors: None
        return back(function.forward(ctx, to(x), *map(to, weights))), ctx

    def backward(dy: np.ndarray, ctx: Any) -> Any:
        gradients = function.backward(ctx, to(dy))
        return tuple(map(back, gradients)) if isinstance(gradients, tuple) else back(gradients)

    return _OfFunctions(forward, backward, params)


class _OfFunctions(Layer):
    of_functions = True  # what they hold in common cannot be copied

    def __init__(self, forward_: Callable[..., Any], backward_: Callable[..., Any], shapes: Shapes) -> None:
        super().__init__(getattr(forward_, "__name__", None))
        self.kept: Any = None
        self.functions, self.shapes = (forward_, backward_), shapes
        self.told = _names(forward_) & {"training", "train"}
        self.told_of_training = bool(self.told)

    def create_params(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        given = self.shapes(input_shape) if callable(self.shapes) else self.shapes or {}
        return {
            name: value.copy() if isinstance(value, np.ndarray) else np.asarray(rng.standard_normal(value))
            for name, value in given.items()
        }

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        given = self.functions[0](x, *self.params.values(), **dict.fromkeys(self.told, training))
        self.has_cache, self.x = isinstance(given, tuple) and len(given) == 2, x
        y, self.kept = given if self.has_cache else (given, None)
        return y

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> Any:
        backward = self.functions[1]
        given = backward(dy, self.kept) if self.has_cache else backward(*self._fitting(backward, dy))
        if not isinstance(given, tuple | list):
            self.grads = {}
            return given
        dx, *gradients = given
        if len(gradients) == 1 and isinstance(gradients[0], dict):
            self.grads = dict(gradients[0])
        else:
            self.grads = dict(zip(self.params, gradients, strict=False))
        return dx

    def _fitting(self, backward: Callable[..., Any], dy: np.ndarray) -> list[Any]:
        every = [dy, self.x, *self.params.values()]
        places = [p for p in inspect.signature(backward).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        anything = any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(backward).parameters.values())
        return every if anything else every[: len(places)]


class _OfAttributes(Layer):
    told_of_training = False

    def __init__(self, thing: Any, of: dict[str, str | None], forward_: Any, backward_: Any) -> None:
        super().__init__()
        self.thing, self.of, self.calls = copy.deepcopy(thing), of, (forward_, backward_)

    def build(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
        y = np.asarray(self._call(0, rng.standard_normal((2, *input_shape))))  # it may make its weights only now
        lacking = [name for name in self.of if getattr(self.thing, name, None) is None]
        if lacking:
            raise InputError(f"attributes: there is no {lacking[0]!r} after a forward pass; it has {_held(self.thing)}")
        self.params = {name: np.array(getattr(self.thing, name), self.dtype) for name in self.of}
        self.input_shape, self.output_shape = tuple(input_shape), y.shape[1:]
        return self.output_shape

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> Any:
        self._hand_over()
        return self._call(0, x)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> Any:
        self._hand_over()
        for gradient in filter(None, self.of.values()):
            if isinstance(old := getattr(self.thing, gradient, None), np.ndarray | float):
                setattr(self.thing, gradient, np.zeros_like(old))  # it may add to what is there
        dx = self._call(1, dy)
        grads: dict[str, Any] = {}
        for name, attribute in self.of.items():
            after = np.array(getattr(self.thing, name))
            grads[name] = self.params[name] - after if attribute is None else getattr(self.thing, attribute, None)
        self.grads = grads
        return dx

    def _hand_over(self) -> None:
        for name, value in self.params.items():
            setattr(self.thing, name, value.copy())

    def _call(self, which: int, array: np.ndarray) -> Any:
        how = self.calls[which]
        return getattr(self.thing, how)(array) if isinstance(how, str) else how(self.thing, array)


class _ChannelsLast(Layer):
    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.inner = layer
        self.of_functions = getattr(layer, "of_functions", False)
        self.told_of_training = getattr(layer, "told_of_training", True)
        self.not_trained = tuple(getattr(layer, "not_trained", ()))

    def astype(self, dtype: str | np.dtype) -> "Layer":
        super().astype(dtype)
        self.inner.astype(dtype)
        return self

    def build(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
        shape = self.inner.build(_turned_shape(input_shape, (2, 0, 1)), rng)
        self.params = {key: _turned(value, OIHW_TO_HWIO).copy() for key, value in self.inner.params.items()}
        self.input_shape, self.output_shape = tuple(input_shape), _turned_shape(tuple(shape), (1, 2, 0))
        return self.output_shape

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        for key, value in self.params.items():
            self.inner.params[key] = _turned(value, HWIO_TO_OIHW).copy()
        y = self.inner.forward(_turned(x, NHWC_TO_NCHW).copy(), training=training, keep=keep)
        for key in self.not_trained:
            self.params[key] = self.inner.params[key]
        return _turned(y, NCHW_TO_NHWC)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> Any:
        dx = self.inner.backward(_turned(dy, NHWC_TO_NCHW).copy(), need_dx=need_dx, need_grads=need_grads)
        self.grads = {key: _turned(value, OIHW_TO_HWIO) for key, value in self.inner.grads.items()}
        return _turned(dx, NCHW_TO_NHWC)


def _turned(array: Any, order: tuple[int, ...]) -> Any:
    """The array with its axes in another order, if it has four."""
    return array.transpose(order) if isinstance(array, np.ndarray) and array.ndim == 4 else array


def _turned_shape(shape: tuple[int, ...], order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in order) if len(shape) == 3 else shape


def _names(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a function of C says nothing of its parameters
        return set()


def _held(thing: Any) -> str:
    return (
        ", ".join(sorted(name for name, value in vars(thing).items() if isinstance(value, np.ndarray))) or "no arrays"
    )


def _tensors(function: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """From an array to what the function takes, and back."""
    if not any(one.__module__.partition(".")[0] == "torch" for one in getattr(function, "__mro__", ())):
        return (lambda array: array), (lambda array: array)
    import torch

    return (lambda array: torch.from_numpy(np.ascontiguousarray(array))), _as_array


def _as_array(tensor: Any) -> Any:
    return tensor if tensor is None else tensor.detach().numpy().copy()
