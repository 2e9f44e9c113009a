"""The pictures of a run folder: overlaid/, examples.npz, and the arrays that are there only while a run is at work."""

from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import TypedDict, cast

import numpy as np
from PIL import Image

from ..files import named
from .formats import ArraysFile, ScratchArray


class OverlaidPictures:
    """overlaid/CLASS/*.png: every image under its map, for whoever looks at the folder."""

    name = "overlaid"

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.name

    def write(self, name: str, pixels: np.ndarray) -> None:
        """Write pixels uint8 (H, W, 3) under a name of `overlaid_names`."""
        write_png(self.path / name, pixels)


def overlaid_names(paths: Sequence[str], classes: Sequence[str] | None = None) -> list[str]:
    """CLASS/NAME.png for each image path; its class is its first folder, unless `classes` says another.

    x.jpg and x.png of one folder get different names.
    """
    taken: set[str] = set()
    names = []
    folders = classes or [PurePosixPath(path).parts[0] for path in paths]
    for index, (path, folder) in enumerate(zip(paths, folders, strict=True)):
        own = f"{folder}/{PurePosixPath(path).stem}.png"
        numbered = (f"{folder}/image_{number:06d}.png" for number in count(index))
        name = next(name for name in chain([own] * (len(own) <= 200), numbered) if name not in taken)
        taken.add(name)
        names.append(name)
    return names


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 (H, W, 3) to a file called .png, at its own size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with named(path):
        Image.fromarray(pixels).save(path)


class OverlaidPixels(ScratchArray):
    """What stage two sees: uint8 (N, H, W, 3)."""

    name = "overlaid.npy"


class MapsInWork(ScratchArray):
    """Raw maps while they are made: float32 (N, H, W)."""

    name = "maps.npy"


class Examples(TypedDict):
    """M pictures kept with the run, so that it can be reported without its photos.

    images, overlays        uint8 (M, H, W, 3), without and with saliency
    maps, maps_stage2       raw maps float32 (M, H, W): stage one's of `images`, stage two's of `overlays`
    labels, predicted       (M,), and probabilities (M, U), both of stage one
    paths, split            (M,) text, as in split.csv
    """

    images: np.ndarray
    maps: np.ndarray
    overlays: np.ndarray
    maps_stage2: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    paths: np.ndarray
    split: np.ndarray


class ExamplesFile(ArraysFile):
    """The pictures kept for the report."""

    name = "examples.npz"
    axes: Mapping[str, int] = {
        "images": 4,
        "maps": 3,
        "overlays": 4,
        "maps_stage2": 3,
        "labels": 1,
        "predicted": 1,
        "probabilities": 2,
    }

    # kinds of numbers that are no floats
    kinds: Mapping[str, str] = dict(images="u", overlays="u", labels="iu", predicted="iu", paths="U", split="U")

    def write(self, examples: Examples) -> None:
        """Write the examples."""
        arrays = dict(examples)
        self.write_arrays({name: arrays[name] for name in Examples.__annotations__})

    def read(self, classes: int) -> Examples:
        """The examples of a run with as many classes; at least one."""
        arrays = self.arrays(Examples.__annotations__)
        fits = all(array.ndim == self.axes.get(name, 1) for name, array in arrays.items())
        if not fits or arrays["probabilities"].shape[1] != classes:
            raise self.wrong(f"has arrays of other shapes than a run with {classes} classes records")
        number = len(arrays["images"])
        if not number or any(len(array) != number for array in arrays.values()):
            raise self.wrong("needs at least one picture, and as many entries in every array")
        if wrong := [name for name, array in arrays.items() if array.dtype.kind not in self.kinds.get(name, "f")]:
            raise self.wrong(f"has {', '.join(wrong)} of another type than a run records")
        labels = np.stack([arrays["labels"], arrays["predicted"]])  # (2, M)
        if labels.min() < 0 or labels.max() >= classes:
            raise self.wrong(f"has labels beyond its {classes} classes")
        shapes = {arrays[name].shape[1:3] for name in ("images", "maps", "overlays", "maps_stage2")}
        if len(shapes) > 1 or any(arrays[name].shape[3] != 3 for name in ("images", "overlays")):
            raise self.wrong("has pictures and maps of different sizes")
        return cast(Examples, arrays)
