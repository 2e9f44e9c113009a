"""The images of a study: drawn or photographed, and who trains and who validates."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import images, motifs
from ..images.passed_over import Entry, summary
from ..images.same_pictures import copy_warnings, same_pictures
from ..record import Description, SplitRow
from .config import TwoStageConfig

BATCH = 32  # images that a trained network is asked about at a time


@dataclass(frozen=True)
class StudyData:
    """Images uint8 (N, H, W, 3) with labels (N,), names and paths, split once for both stages.

    train, validation        rows of the images
    source                   the folder's name, or "drawn"
    skipped                  (path, reason) of each file that could not be read
    near_duplicate_groups    how many pictures are there more than once
    key                      changes with any pixel, name or class
    groups                   (N,): equal numbers are copies or near-duplicates of one picture
    passed_over              what else the folder holds, counted by kind, class and extension
    warnings                 what one must know before believing that this is the data
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: Sequence[str]
    paths: Sequence[str]
    train: np.ndarray
    validation: np.ndarray
    source: str
    skipped: Sequence[tuple[str, str]]
    near_duplicate_groups: int
    key: str
    groups: np.ndarray
    passed_over: Sequence[Entry] = ()
    warnings: Sequence[str] = ()

    def split_rows(self) -> list[SplitRow]:
        """Every image with its class and its side of the split."""
        held_out = set(self.validation.tolist())
        return [
            SplitRow(path, self.class_names[label], int(label), "validation" if i in held_out else "train")
            for i, (path, label) in enumerate(zip(self.paths, self.labels, strict=True))
        ]

    def description(self) -> Description:
        """What the data are, for the run folder."""
        parts = {"train": self.train, "validation": self.validation}
        return {
            "source": self.source,
            "class_names": list(self.class_names),
            "counts": {
                name: dict(zip(self.class_names, np.bincount(self.labels[rows]).tolist(), strict=True))
                for name, rows in parts.items()
            },
            "skipped": [list(entry) for entry in self.skipped],
            "near_duplicate_groups": self.near_duplicate_groups,
            "key": self.key,
            "passed_over": [dict(entry) for entry in self.passed_over],
            "warnings": self.told(),
        }

    def told(self) -> list[str]:
        """The warnings, with those about copies: under two labels, or on both sides of this split."""
        held_out = {self.paths[row] for row in self.validation.tolist()}
        labels = [self.class_names[label] for label in self.labels.tolist()]
        return [*self.warnings, *copy_warnings(same_pictures(self.groups, labels, self.paths, held_out))]

    def said(self) -> list[str]:
        """What a reader of the terminal is told of the data, before any work."""
        return [
            *(f"WARNING: {warning}" for warning in self.told()),
            *(f"passed over: {line}" for line in summary(self.passed_over)),
        ]


def load_study_data(config: TwoStageConfig) -> StudyData:
    """The images of `load_images`, split by identity, or as the folder says itself."""
    folder, found = load_images(config)
    if found.held_out is not None:
        split = images.Split(np.flatnonzero(~found.held_out), np.flatnonzero(found.held_out))
    else:
        split = images.stratified_split(found.labels, config.validation_fraction, config.seed, found.groups)
    sizes = np.bincount(found.groups)  # images of each picture
    return StudyData(
        found.images,
        found.labels,
        found.class_names,
        found.paths,
        split.train,
        split.validation,
        folder.absolute().name if config.data else "drawn",
        found.skipped,
        int((sizes > 1).sum()),
        found.key,
        found.groups,
        found.passed_over,
        found.warnings,
    )


def load_images(config: TwoStageConfig) -> tuple[Path, images.ImageSet]:
    """Draw (or find in the cache) the embedded data set, or decode a folder of photos: where they are, and they."""
    if config.data:
        folder = Path(config.data).expanduser()
    else:
        counts = dict(zip(motifs.PAPER_COUNTS, config.draw_counts, strict=True))
        folder = motifs.cached_dataset(
            config.seed, counts, config.image_size, config.difficulty, version=config.drawn_version
        )
    return folder, images.load_folder(
        folder,
        config.image_size,
        skip_bad=config.skip_bad,
        follow_links=config.follow_links,
        split_folders=config.split_folders and bool(config.data),
    )


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """uint8 pixels as float32 in [0, 1], as the network takes them."""
    return pixels.astype(np.float32) / 255
