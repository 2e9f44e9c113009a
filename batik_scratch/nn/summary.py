"""The table of a network's layers: what goes in, what comes out, what it costs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Sequential


def summary_table(model: "Sequential") -> str:
    """Layer (type), output shape, parameters, multiply-adds and cached bytes for one image, with totals."""
    rows: list[tuple[str, ...]] = [("Layer (type)", "Output Shape", "Param #", "Multiply-adds", "Cached bytes")]
    built = model.input_shape is not None
    for layer in model.layers:
        shape = f"(None, {', '.join(map(str, layer.output_shape))})" if layer.output_shape else "?"
        figures = (layer.parameter_count, layer.multiply_adds(), layer.cached_bytes()) if built else ("?", "?", "?")
        rows.append((f"{layer.name} ({type(layer).__name__})", shape, *(_commas(value) for value in figures)))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(_align(cell, widths[i], i) for i, cell in enumerate(row)).rstrip() for row in rows]
    lines.insert(1, "-" * (sum(widths) + 2 * 4))
    if not built:
        return "\n".join([*lines, "", "Not built yet: give input_shape, or call the model on a batch."])
    total = sum(layer.parameter_count for layer in model.layers)
    return "\n".join(
        [
            *lines,
            lines[1],
            f"Input shape: (None, {', '.join(map(str, model.input_shape or ()))})",
            f"Total params: {total:,} ({total * model.dtype.itemsize / 2**20:.2f} MiB as {model.dtype})",
            f"Multiply-adds: {sum(layer.multiply_adds() for layer in model.layers):,} per image, forward",
            f"Cached for the backward pass: {sum(layer.cached_bytes() for layer in model.layers):,} bytes per image",
        ]
    )


def _commas(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _align(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)
