"""`scan`: everything that is wrong with a folder of photos, file by file, before any training."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed
from tqdm import tqdm

from .cache import quiet_pillow
from .duplicates import grey_thumbnail, near_duplicate_groups
from .folders import MIN_PER_CLASS, list_folder
from .reading import UnreadableImage, printable, read_image

SCAN_SIZE = 64  # pixels to which pictures are squeezed before they are compared


@dataclass(frozen=True)
class ScanReport:
    """What a folder holds.

    counts          readable images per class
    problems        (path, reason) of every file that does not decode; (class, reason) of every class that is too small
    skipped         how many files were passed over, by reason
    duplicates      groups of paths of one class that show the same picture
    across_classes  groups of paths that show the same picture under two labels
    """

    folder: str
    counts: dict[str, int]
    problems: list[tuple[str, str]]
    skipped: dict[str, int]
    duplicates: list[list[str]]
    across_classes: list[list[str]]

    @property
    def ok(self) -> bool:
        """True if nothing needs mending: every file decodes, every class is large enough, no picture has two labels."""
        return not self.problems and not self.across_classes

    def to_json(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return self.__dict__ | {"ok": self.ok}

    def table(self) -> str:
        """The report for a terminal."""
        width = max(len(printable(name)) for name in self.counts)
        lines = [printable(self.folder), ""]
        lines += [f"  {printable(name):{width}s}  {count:6d} images" for name, count in self.counts.items()]
        for title, rows in (
            ("problems", [f"{printable(path)}: {reason}" for path, reason in self.problems]),
            ("one picture under two labels", [_joined(group) for group in self.across_classes]),
            ("copies or near-duplicates (kept on one side of a split)", [_joined(g) for g in self.duplicates]),
            ("passed over", [f"{count} {reason}" for reason, count in sorted(self.skipped.items())]),
        ):
            if rows:
                lines += ["", f"{title}: {len(rows)}", *(f"  {row}" for row in rows)]
        return "\n".join([*lines, "", "nothing to mend" if self.ok else "needs mending"])


def scan(
    folder: str | PathLike, follow_links: bool = False, workers: int | None = None, progress: bool = True
) -> ScanReport:
    """Decode every image of `folder` completely and report what is wrong; nothing is changed or deleted.

    Raises InputError if the folder as such cannot be used: see `folders.list_folder`.
    """
    listing = list_folder(folder, follow_links)
    jobs = (delayed(_thumbnail)(listing.root / path) for _, path in listing.files)
    results = Parallel(workers or cpu_count(), prefer="threads", return_as="generator")(jobs)
    disable = None if progress else True
    counts = Counter({name: 0 for name in listing.class_names})
    problems: list[tuple[str, str]] = []
    readable: list[str] = []
    thumbnails = []
    with quiet_pillow():
        bar = tqdm(results, total=len(listing.files), desc="scanning", unit="image", leave=False, disable=disable)
        for (name, path), result in zip(listing.files, bar, strict=True):
            if isinstance(result, str):
                problems.append((path, result))
                continue
            counts[name] += 1
            readable.append(path)
            thumbnails.append(result)
    for name, count in counts.items():
        if count < MIN_PER_CLASS:
            problems.append((name, f"this class has {count} readable images and needs at least {MIN_PER_CLASS}"))
    duplicates = _groups_of_paths(thumbnails, readable)
    across = [group for group in duplicates if len({path.split("/")[0] for path in group}) > 1]
    within = [group for group in duplicates if group not in across]
    return ScanReport(str(folder), dict(counts), problems, dict(listing.skipped), within, across)


def _thumbnail(path: Path) -> np.ndarray | str:
    try:
        return grey_thumbnail(np.asarray(read_image(path).resize((SCAN_SIZE, SCAN_SIZE))))
    except UnreadableImage as error:
        return error.reason


def _groups_of_paths(thumbnails: Sequence[np.ndarray], paths: Sequence[str]) -> list[list[str]]:
    if not paths:
        return []
    groups = near_duplicate_groups(np.stack(thumbnails))
    members: dict[int, list[str]] = {}
    for group, path in zip(groups.tolist(), paths, strict=True):
        members.setdefault(group, []).append(path)
    return [found for found in members.values() if len(found) > 1]


def _joined(paths: Sequence[str]) -> str:
    return " = ".join(printable(path) for path in paths)
