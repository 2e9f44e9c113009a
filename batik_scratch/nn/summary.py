"""The table of a network's layers: what goes in, what comes out, what it costs."""

from . import shown
from .layers import Conv2D, Layer
from .network import Network

COLUMNS = ("Layer (type)", "Output Shape", "Algorithm", "Param #", "Multiply-adds", "Backward", "Cached bytes")
WORDS = 3  # columns of words, to the left; numbers stand to the right


def summary_table(network: Network) -> str:
    """Layer (type), output shape, the algorithm that a convolution runs; then the figures of one image.

    These are parameters, multiply-adds forward and backward, and bytes cached for the backward pass.
    """
    rows = [COLUMNS, *_rows(network)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = ["  ".join(_align(cell, widths[i], i) for i, cell in enumerate(row)).rstrip() for row in rows]
    lines.insert(1, "-" * (sum(widths) + 2 * (len(COLUMNS) - 1)))
    rule = "" if network.input_shape is None else lines[1]
    return "\n".join([*lines, rule, *_totals(network)])


def summary_html(network: Network) -> str:
    """The same table for a notebook."""
    right = range(WORDS, len(COLUMNS))
    return shown.html_table(repr(network), COLUMNS, _rows(network), right, "\n".join(_totals(network)))


def _rows(network: Network) -> list[tuple[str, ...]]:
    """A row per layer, as in COLUMNS."""
    built, rows = network.input_shape is not None, []
    for layer in network.layers:
        shape = f"(None, {', '.join(map(str, layer.output_shape))})" if layer.output_shape else "?"
        forward, backward = (layer.multiply_adds(), backward_multiply_adds(network, layer)) if built else ("?", "?")
        figures = (parameters_of(layer), forward, backward, layer.cached_bytes() if built else "?")
        title = f"{layer.name} ({type(layer).__name__})"
        rows.append((title, shape, _algorithm(layer), *(_commas(value) for value in figures)))
    return rows


def _totals(network: Network) -> list[str]:
    """The lines below the table."""
    if network.input_shape is None:
        return ["Not built yet: give input_shape, or call the model on a batch."]
    total = sum(map(parameters_of, network.layers))
    forward = sum(layer.multiply_adds() for layer in network.layers)
    backward = sum(backward_multiply_adds(network, layer) for layer in network.layers)
    return [
        f"Input shape: (None, {', '.join(map(str, network.input_shape))})",
        f"Total params: {total:,} ({total * network.dtype.itemsize / 2**20:.2f} MiB as {network.dtype})",
        *_not_trained(total, sum(layer.parameter_count for layer in network.layers)),
        f"Multiply-adds: {forward:,} per image forward, {backward:,} backward in training",
        f"Cached for the backward pass: {sum(layer.cached_bytes() for layer in network.layers):,} bytes per image",
    ]


def backward_multiply_adds(network: Network, layer: Layer) -> int:
    """Multiplications with an addition that training needs in this layer's backward pass, for one image.

    A layer with parameters makes two products of its forward product's size: input times dy is the parameters'
    gradient, parameters times dy is dx. Nobody needs dx below the first layer that learns: the pixels do not.
    """
    below = network.layers[: network.layers.index(layer)]
    return layer.multiply_adds() * (bool(layer.trained) + any(other.trained for other in below))


def parameters_of(layer: Layer) -> int:
    """How many numbers a layer's parameters are, trained or not, as Keras counts them."""
    return sum(value.size for value in layer.params.values())


def _not_trained(total: int, trained: int) -> list[str]:
    """Keras' two lines about what is trained and what is not; none if everything is."""
    if trained == total:
        return []
    return [f"Trainable params: {trained:,}", f"Non-trainable params: {total - trained:,}"]


def _algorithm(layer: Layer) -> str:
    """The name of what a convolution runs; before it has a shape, what was asked for; "" for other layers."""
    if not isinstance(layer, Conv2D):
        return ""
    return layer.algorithm if layer.input_shape is None else layer.runs.algorithm.name


def _commas(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _align(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < WORDS else cell.rjust(width)
