"""Which layer of Keras is which of ours, and with what arguments: one table for reading and for writing.

Every argument of a Keras layer that changes what it computes is either translated or must have the one value that is
named here; what only concerns training (initialisers, regularisers) is not looked at.
"""

from collections.abc import Mapping
from typing import Any

from .. import nn
from ..errors import InputError

ACTIVATIONS: dict[str, type[nn.Layer]] = {
    "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "softmax": nn.Softmax, "leaky_relu": nn.LeakyReLU,
}  # fmt: skip
# {Keras' class: the arguments that are taken over, under the same names}
TAKEN: dict[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel_size", "strides", "padding"),
    "Dense": ("units",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "GlobalAveragePooling2D": (),
    "BatchNormalization": ("momentum", "epsilon"),
    "Dropout": ("rate",),
    "Flatten": (),
    "Rescaling": ("scale", "offset"),
    "ReLU": (),
    "LeakyReLU": ("negative_slope",),
    "Softmax": (),
}
# {argument: the values with which it changes nothing}, for all classes that have it
ONLY: dict[str, tuple[Any, ...]] = {
    "data_format": ("channels_last", None),
    "dilation_rate": ([1, 1], 1),
    "groups": (1,),
    "axis": (-1, [-1], [3]),
    "center": (True,),
    "keepdims": (False,),
    "max_value": (None,),
    "threshold": (0.0, None),
    "renorm": (False,),
    "noise_shape": (None,),
    "quantization_config": (None,),
}


def read_layer(kind: str, config: Mapping[str, Any], where: str) -> list[nn.Layer]:
    """Our layer for one of Keras', and the activation that it has inside; InputError names the line at `where`."""
    if kind == "Activation":
        return [_activation(config.get("activation"), where)]
    if kind not in TAKEN:
        raise InputError(
            f"{where}: there is no {kind} here; what can be read is {', '.join(sorted(TAKEN))} and Activation"
        )
    if kind == "BatchNormalization" and not config.get("scale", True):
        raise InputError(f"{where}: scale=False is not read; save the layer with scale=True")
    for key, allowed in ONLY.items():
        if key in config and config[key] not in allowed:
            raise InputError(f"{where}: {key}={config[key]!r} is not read; only {allowed[0]!r} is")
    if kind == "ReLU" and config.get("negative_slope"):
        kind = "LeakyReLU"
    try:
        arguments = {key: config[key] for key in TAKEN[kind] if key in config}
        layer = getattr(nn, kind)(**arguments)
    except (TypeError, ValueError, KeyError) as error:
        raise InputError(f"{where}: {error}") from None
    layer.name, layer.named_by_user = str(config.get("name", layer.name)), True
    inside = config.get("activation", "linear")
    return [layer] if inside in ("linear", None) else [layer, _activation(inside, where)]


def write_layer(layer: nn.Layer) -> tuple[str, dict[str, Any]]:
    """Keras' class and config for one of ours; InputError for a layer that Keras has not."""
    kind, config = type(layer).__name__, layer.config() | {"name": layer.name}
    if getattr(nn, kind, None) is not type(layer):
        raise InputError(f"{layer.name}: {kind} is a layer of your own, which no file of Keras can hold")
    if kind in ("Sigmoid", "Tanh"):
        return "Activation", {"name": layer.name, "activation": kind.lower()}
    if kind not in TAKEN:
        raise InputError(f"{layer.name}: Keras has no layer {kind}; to_onnx writes it, or save the model as .npz")
    told = {"name": layer.name} | {key: config[key] for key in TAKEN[kind] if key in config}
    if kind.endswith("Pooling2D") and "pool_size" in told:
        told |= {"padding": getattr(layer, "padding", "valid")}
    if kind in ("Conv2D", "Dense"):
        told |= {"activation": "linear", "use_bias": True}
    return kind, told


def _activation(given: Any, where: str) -> nn.Layer:
    name = given.get("config") if isinstance(given, Mapping) else given
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise InputError(f"{where}: activation {name!r} is not read; only linear, {', '.join(ACTIVATIONS)} are")
    return nn.LeakyReLU(0.2) if name == "leaky_relu" else ACTIVATIONS[name]()  # Keras' function has 0.2, its layer 0.3
