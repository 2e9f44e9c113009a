"""The parts of the pipeline on their own: train one model, evaluate it, ask it about images, explain them."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import images as image_tools
from .. import nn, saliency
from ..errors import InputError
from ..files import write_npz
from .config import TwoStageConfig
from .data import load_study_data
from .maps import write_png
from .metrics import classification_metrics
from .stage import predict_rows, train_network


def train_model(config: TwoStageConfig, out: Path, verbose: int = 1) -> str:
    """Train the paper's network as a study's first stage does, write the model file `out`; returns the metrics as text."""
    if out.exists():
        raise InputError(f"--out {out}: exists; nothing was touched. Choose another name, or remove it")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise InputError(f"--out {out}: cannot be written, {out.parent} is not a writable folder")
    data = load_study_data(config)
    model, _ = train_network(config, data, data.images, verbose=verbose)
    model.save(out)
    predicted = predict_rows(model, data.images, data.validation).argmax(axis=1)  # (N,)
    return f"{_metrics_text(data.labels[data.validation], predicted, data.class_names)}\nmodel: {out}"


def evaluate_model(model_file: Path, folder: Path, skip_bad: bool = False) -> str:
    """Metrics of a saved model on every image of `folder`, as text. The folder's classes must be the model's."""
    model, names, size = load_classifier(model_file)
    found = image_tools.load_folder(folder, size, skip_bad=skip_bad)
    unknown = sorted(set(found.class_names) - set(names))
    if unknown:
        raise InputError(
            f"{folder}: the model does not know the classes {', '.join(unknown)}; it knows {', '.join(names)}"
        )
    labels = np.array([names.index(found.class_names[label]) for label in found.labels])  # (N,) as the model counts
    predicted = predict_rows(model, found.images, np.arange(len(labels))).argmax(axis=1)  # (N,)
    return _metrics_text(labels, predicted, names)


def predict_images(model_file: Path, paths: Sequence[Path]) -> str:
    """One line per image: the predicted class and every class's percentage, adding up to 100."""
    model, names, size = load_classifier(model_file)
    probabilities = model.predict(_to_unit(read_pixels(paths, size)))  # (N, U)
    lines = []
    for path, p in zip(paths, probabilities, strict=True):
        shares = ", ".join(f"{names[c]} {p[c]:.2%}" for c in np.argsort(-p, kind="stable"))
        lines.append(f"{path}: {names[int(p.argmax())]} ({shares})")
    return "\n".join(lines)


def explain_images(model_file: Path, paths: Sequence[Path], target: str, out: Path) -> list[Path]:
    """Write each image's overlay and raw map (`NAME_overlay.png`, `NAME_map.npz`) into `out`; returns the paths.

    target: "predicted", or a class name of the model.
    """
    model, names, size = load_classifier(model_file)
    if target != "predicted" and target not in names:
        raise InputError(f'--target {target}: the model knows {", ".join(names)}; or use "predicted"')
    pixels = read_pixels(paths, size)
    chosen: int | str = "predicted" if target == "predicted" else names.index(target)
    gradients = saliency.Gradient(model).attribute(_to_unit(pixels), target=chosen)  # (N, H, W, C)
    maps = saliency.normalise(saliency.reduce_channels(gradients))  # (N, H, W)
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for path, image, gradient, shades in zip(paths, pixels, gradients, maps, strict=True):
        picture = _free_name(out, f"{path.stem}_overlay.png", written)
        write_png(picture, saliency.overlay(image, shades))
        raw = picture.with_name(picture.name.replace("_overlay.png", "_map.npz"))
        write_npz(raw, {"gradient": gradient, "map": shades})
        written += [picture, raw]
    return written


def load_classifier(model_file: Path) -> tuple[nn.Sequential, list[str], int]:
    """A saved model with its class names and image size."""
    model = nn.Sequential.load(model_file)
    names, size = model.metadata.get("class_names"), model.metadata.get("image_size")
    if not isinstance(names, list) or not isinstance(size, int) or (size, size, 3) != model.input_shape:
        raise InputError(f"{model_file}: carries no class names or image size; use a model that `run` or `train` wrote")
    return model, [str(name) for name in names], size


def read_pixels(paths: Sequence[Path], size: int) -> np.ndarray:
    """Images as uint8 (N, size, size, 3), decoded as in a study."""
    from ..images.reading import read_pixels as read_one

    return np.stack([read_one(path, size) for path in paths])  # (N, size, size, 3)


def _to_unit(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255


def _free_name(folder: Path, name: str, taken: Sequence[Path]) -> Path:
    """`name` in `folder`, numbered where another image of this call has it already."""
    candidate, number = folder / name, 2
    while candidate in taken:
        candidate, number = folder / name.replace("_overlay", f"_{number}_overlay"), number + 1
    return candidate


def _metrics_text(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> str:
    metrics = classification_metrics(labels, predicted, names)
    low, high = metrics["accuracy_interval"]
    lines = [
        f"{len(labels)} images: accuracy {metrics['accuracy']:.3f} (95% interval {low:.3f} to {high:.3f}), "
        f"weighted precision {metrics['precision']:.3f}, recall {metrics['recall']:.3f}, F1 {metrics['f1']:.3f}"
    ]
    width = max(map(len, names))
    for name, row in zip(names, metrics["confusion"], strict=True):
        lines.append(
            f"  {name:{width}s}  predicted as  " + "  ".join(f"{n}: {k}" for n, k in zip(names, row, strict=True))
        )
    return "\n".join(lines)
