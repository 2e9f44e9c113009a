"""The images of a study: drawn or photographed, and who trains and who validates."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import images, motifs
from .config import TwoStageConfig


@dataclass(frozen=True)
class StudyData:
    """Images uint8 (N, H, W, 3) with labels (N,), names and paths, split once for both stages."""

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

    def split_rows(self) -> list[tuple[str, str, int, str]]:
        """(path, class, label, split) of every image, for split.csv."""
        held_out = set(self.validation.tolist())
        return [
            (path, self.class_names[label], int(label), "validation" if i in held_out else "train")
            for i, (path, label) in enumerate(zip(self.paths, self.labels, strict=True))
        ]

    def description(self) -> dict[str, Any]:
        """What data.json says."""
        parts = {"train": self.train, "validation": self.validation}
        return {
            "source": self.source,
            "class_names": list(self.class_names),
            "counts": {
                name: dict(
                    zip(
                        self.class_names,
                        np.bincount(self.labels[rows]).tolist(),
                        strict=True,
                    )
                )
                for name, rows in parts.items()
            },
            "skipped": [list(entry) for entry in self.skipped],
            "near_duplicate_groups": self.near_duplicate_groups,
            "key": self.key,
        }


def load_study_data(config: TwoStageConfig) -> StudyData:
    """Draw (or find in the cache) the embedded data set, or decode a folder of photos; then split by identity."""
    if config.data:
        folder = Path(config.data).expanduser()
    else:
        counts = dict(zip(motifs.PAPER_COUNTS, config.draw_counts, strict=True))
        folder = motifs.cached_dataset(config.seed, counts, config.image_size, config.difficulty)
    found = images.load_folder(folder, config.image_size, skip_bad=config.skip_bad)
    split = images.stratified_split(found.labels, config.validation_fraction, config.seed, found.groups)
    sizes = np.bincount(found.groups)  # images of each picture
    return StudyData(
        found.images,
        found.labels,
        found.class_names,
        found.paths,
        split.train,
        split.validation,
        folder.name if config.data else "drawn",
        found.skipped,
        int((sizes > 1).sum()),
        found.key,
    )
