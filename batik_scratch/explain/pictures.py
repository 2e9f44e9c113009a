"""Images explained one by one: a page of all maps, an overlay, and the numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import nn, saliency
from ..errors import InputError
from ..figures import methods_grid
from ..figures.style import to_png
from ..files import write_bytes, write_npz
from ..images.names import nearest, place_of
from ..images.passed_over import shortened
from ..record import write_png
from ..saliency import catalogue
from ..study.data import to_unit
from ..study.single import load_classifier, read_pixels
from ..study.training import probabilities
from .checks import check_finite, make_folder, usable_methods


def explain_images(
    model_file: Path, paths: Sequence[Path], target: str, out: Path, method: str = "gradient"
) -> list[Path]:
    """Explain each image by one method or "all"; returns the paths written into `out`.

    NAME_methods.png    methods in columns, classes in rows
    NAME_overlay.png    the first method's map for the target, laid over the image
    NAME_map.npz        every method's raw map for the target, and "map": the first one in [0, 1]

    target: "predicted", or a class name of the model.
    """
    model, names, size = load_classifier(model_file)
    wanted = place_of(target, names)
    if target != "predicted" and wanted is None:
        near = nearest(target, names)
        hint = f"; did you mean {near}?" if near else ""
        raise InputError(f'--target {target}: the model knows {shortened(names)}; or use "predicted"{hint}')
    entries = usable_methods(method, model)
    pixels = read_pixels(paths, size)
    x = to_unit(pixels)
    answers = probabilities(model, x)  # (N, U)
    check_finite(answers, model_file)
    make_folder(out)
    written: list[Path] = []
    for path, image, picture, shares in zip(paths, x, pixels, answers, strict=True):
        explained = int(shares.argmax()) if wanted is None or target == "predicted" else wanted
        raw = _raw_maps(model, entries, image, len(names))
        maps = np.stack([entries[name].reduce(found) for name, found in raw.items()], axis=1)  # (U, M, H, W)
        shades = saliency.normalise(maps[explained, :1])[0]  # (H, W), of the first method
        rows = [f"{' '.join(name.split())}\n{share:.1%}" for name, share in zip(names, shares, strict=True)]
        figure = methods_grid(picture, maps, rows, list(entries), explained)
        stem = _free_name(out, path.stem, written)
        files = [out / f"{stem}_{what}" for what in ("methods.png", "overlay.png", "map.npz")]
        write_bytes(files[0], to_png(figure))
        write_png(files[1], saliency.overlay(picture, shades))
        arrays = {name.replace("-", "_"): found[explained] for name, found in raw.items()}
        write_npz(files[2], arrays | {"map": shades})
        written += files
    return written


def _raw_maps(
    model: nn.Sequential, entries: dict[str, catalogue.Entry], image: np.ndarray, classes: int
) -> dict[str, np.ndarray]:
    """{method: raw maps (U, H, W, C)} of one image (H, W, C): one for each class, predicted or not."""
    every = np.arange(classes)  # (U,)
    repeated = np.repeat(image[None], classes, axis=0)  # (U, H, W, C)
    return {name: entry.make(model).attribute(repeated, target=every) for name, entry in entries.items()}


def _free_name(folder: Path, stem: str, written: Sequence[Path]) -> str:
    """`stem`, numbered if another image of this call has it already."""
    candidate, number = stem, 2
    while folder / f"{candidate}_overlay.png" in written:
        candidate, number = f"{stem}_{number}", number + 1
    return candidate
