"""The table of a network's layers: what goes in, what comes out, what it costs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layers import Layer
    from .model import Sequential

COLUMNS = ("Layer (type)", "Output Shape", "Param #", "Multiply-adds", "Backward", "Cached bytes")


def summary_table(model: "Sequential") -> str:
    """Layer (type), output shape, parameters, multiply-adds (forward, then backward) and cached bytes of one image."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    built = model.input_shape is not None
    for layer in model.layers:
        shape = f"(None, {', '.join(map(str, layer.output_shape))})" if layer.output_shape else "?"
        forward, backward = (layer.multiply_adds(), backward_multiply_adds(model, layer)) if built else ("?", "?")
        figures = (layer.parameter_count, forward, backward, layer.cached_bytes() if built else "?")
        rows.append((f"{layer.name} ({type(layer).__name__})", shape, *(_commas(value) for value in figures)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = ["  ".join(_align(cell, widths[i], i) for i, cell in enumerate(row)).rstrip() for row in rows]
    lines.insert(1, "-" * (sum(widths) + 2 * (len(COLUMNS) - 1)))
    if not built:
        return "\n".join([*lines, "", "Not built yet: give input_shape, or call the model on a batch."])
    total = sum(layer.parameter_count for layer in model.layers)
    forward = sum(layer.multiply_adds() for layer in model.layers)
    backward = sum(backward_multiply_adds(model, layer) for layer in model.layers)
    return "\n".join(
        [
            *lines,
            lines[1],
            f"Input shape: (None, {', '.join(map(str, model.input_shape or ()))})",
            f"Total params: {total:,} ({total * model.dtype.itemsize / 2**20:.2f} MiB as {model.dtype})",
            f"Multiply-adds: {forward:,} per image forward, {backward:,} backward in training",
            f"Cached for the backward pass: {sum(layer.cached_bytes() for layer in model.layers):,} bytes per image",
        ]
    )


def backward_multiply_adds(model: "Sequential", layer: "Layer") -> int:
    """Multiplications with an addition that training needs in this layer's backward pass, for one image.

    A layer with parameters makes two products of its forward product's size: input times dy is the parameters'
    gradient, parameters times dy is dx. Nobody needs the first layer's dx: the pixels do not learn.
    """
    return layer.multiply_adds() * (1 if layer is model.layers[0] else 2)


def _commas(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _align(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)
