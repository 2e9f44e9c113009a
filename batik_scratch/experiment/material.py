"""The images of an experiment, and how each repeat splits them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from .. import images
from ..errors import InputError
from ..study import TwoStageConfig
from ..study.data import load_images
from .cells import Group, stream
from .config import ExperimentConfig


@dataclass(frozen=True)
class Material:
    """What a worker needs: images uint8 (N, S, S, 3), labels (N,), groups of copies (N,), class names.

    masks    uint8 (N, S, S), 255 where the motif is; None for photos, of which nobody knows
    source   the folder's name, or "drawn"
    key      changes with any pixel, name or class
    """

    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    class_names: Sequence[str]
    masks: np.ndarray | None
    source: str
    key: str

    def description(self) -> dict:
        """As JSON takes it; `chance` is the share of the largest class."""
        counts = np.bincount(self.labels, minlength=len(self.class_names))
        return {
            "source": self.source,
            "class_names": list(self.class_names),
            "counts": dict(zip(self.class_names, counts.tolist(), strict=True)),
            "images": len(self.labels),
            "near_duplicate_groups": int((np.bincount(self.groups) > 1).sum()),
            "chance": float(counts.max() / counts.sum()),
            "key": self.key,
        }


class Fold(NamedTuple):
    """Rows that train and rows that validate, both sorted, and the labels (N,) that count here."""

    train: np.ndarray
    validation: np.ndarray
    labels: np.ndarray


def load_material(config: TwoStageConfig) -> Material:
    """Draw or decode the images; with them the masks of a drawn set."""
    folder, found = load_images(config)
    return Material(
        found.images,
        found.labels,
        found.groups,
        found.class_names,
        _masks(folder / "masks", found.paths, config.image_size),
        folder.name if config.data else "drawn",
        found.key,
    )


def _masks(folder: Path, paths: Sequence[str], size: int) -> np.ndarray | None:
    """The masks (N, size, size) of the images of these paths; None unless there is one of each."""
    if not all((folder / path).is_file() for path in paths):
        return None
    masks = np.empty((len(paths), size, size), np.uint8)
    for row, path in enumerate(paths):
        with Image.open(folder / path) as mask:
            masks[row] = np.asarray(mask.convert("1").resize((size, size), Image.Resampling.NEAREST)) * np.uint8(255)
    return masks


def check_size(config: ExperimentConfig, material: Material) -> None:
    """InputError unless every class has enough different pictures for the folds, and for the parts inside them."""
    _, first = np.unique(material.groups, return_index=True)
    pictures = np.bincount(material.labels[first], minlength=len(material.class_names))  # (U,)
    least = int(pictures.min())
    left = least - -(-least // config.folds)  # of the smallest class, to train in the fold that takes most of it
    if least < config.folds or left < config.inner_folds:
        name = material.class_names[int(pictures.argmin())]
        raise InputError(
            f'{material.source}: class "{name}" has {least} different pictures, too few for {config.folds} folds with '
            f"{config.inner_folds} parts inside; add images, or ask for fewer folds (--folds)"
        )


def split(config: ExperimentConfig, material: Material, group: Group, purpose: str = "split") -> Fold:
    """The fold of a repeat. Another `purpose` than "split" makes another split of the same kind."""
    fold = _folds(config, material, group.repeat, purpose)  # (N,)
    labels = material.labels
    if group.permuted:
        # within each fold, so that every part keeps as many of each class
        rng = np.random.default_rng(stream(config.study.seed, "permuted", group.repeat))
        kept = _folds(config, material, group.repeat, "split")
        labels = labels.copy()
        for number in range(config.folds):
            rows = np.flatnonzero(kept == number)
            labels[rows] = rng.permutation(labels[rows])
    return Fold(np.flatnonzero(fold != group.fold), np.flatnonzero(fold == group.fold), labels)


def _folds(config: ExperimentConfig, material: Material, repeat: int, purpose: str) -> np.ndarray:
    seed = stream(config.study.seed, purpose, repeat)
    return images.stratified_folds(material.labels, config.folds, seed, material.groups)


def inner_parts(config: ExperimentConfig, material: Material, group: Group) -> np.ndarray:
    """The part (N,) of each training image of a fold, 0 to inner_folds - 1; -1 of the others."""
    train = split(config, material, group).train
    part = np.full(len(material.labels), -1)
    seed = stream(config.study.seed, "inner", group.repeat, group.fold)
    part[train] = images.stratified_folds(material.labels[train], config.inner_folds, seed, material.groups[train])
    return part
