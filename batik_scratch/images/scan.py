"""`scan`: everything that is wrong with a folder of photos, file by file, before any training."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed

from ..bars import tqdm
from .cache import quiet_pillow
from .duplicates import grey_thumbnail, near_duplicate_groups
from .folders import MIN_PER_CLASS, list_folder
from .kinds import counted
from .notes import note_words
from .passed_over import Entry, summary
from .reading import UnreadableImage, printable, read_with_notes
from .same_pictures import same_pictures
from .split_folders import list_split_folders

SCAN_SIZE = 64  # pixels to which pictures are squeezed before they are compared


@dataclass(frozen=True)
class ScanReport:
    """What a folder holds.

    counts          readable images per class
    problems        (path, reason) of every file that does not decode; (class, reason) of every class that is too small
    skipped         how many files were passed over, by reason
    duplicates      groups of paths of one class that show the same picture
    across_classes  groups of paths that show the same picture under two labels
    across_parts    of a folder that is split already: groups of paths that show one picture on both sides
    passed_over     `skipped` by kind, class and extension
    warnings        what the names, the levels and the losses make one suspect; the scale of greys
    """

    folder: str
    counts: dict[str, int]
    problems: list[tuple[str, str]]
    skipped: dict[str, int]
    duplicates: list[list[str]]
    across_classes: list[list[str]]
    across_parts: list[list[str]] = field(default_factory=list)
    passed_over: list[Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if nothing needs mending: every file decodes, every class is large enough, no picture has two labels or
        stands on both sides of a split.
        """
        return not (self.problems or self.across_classes or self.across_parts)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return self.__dict__ | {"ok": self.ok}

    def table(self) -> str:
        """The report for a terminal."""
        width = max((len(printable(name)) for name in self.counts), default=0)
        lines = [printable(self.folder), ""]
        passed = summary(self.passed_over) or [counted(n, kind) for kind, n in sorted(self.skipped.items())]
        lines += [f"  {printable(name):{width}s}  {count:6d} images" for name, count in self.counts.items()]
        for title, rows in (
            ("problems", [f"{printable(path)}: {reason}" for path, reason in self.problems]),
            ("one picture under two labels", [_joined(group) for group in self.across_classes]),
            ("copies or near-duplicates (kept on one side of a split)", [_joined(g) for g in self.duplicates]),
            ("one picture on both sides of the split", [_joined(group) for group in self.across_parts]),
            ("warnings", self.warnings),
            ("passed over", passed),
        ):
            if rows:
                lines += ["", f"{title}: {len(rows)}", *(f"  {row}" for row in rows)]
        return "\n".join([*lines, "", "nothing to mend" if self.ok else "needs mending"])


def scan(
    folder: str | PathLike,
    follow_links: bool = False,
    workers: int | None = None,
    progress: bool = True,
    split_folders: bool = False,
) -> ScanReport:
    """Decode every image of `folder` completely and report what is wrong; nothing is changed or deleted.

    Raises InputError if the folder as such cannot be used: see `folders.list_folder`.
    """
    listing = (list_split_folders if split_folders else list_folder)(folder, follow_links)
    jobs = (delayed(_thumbnail)(listing.root / path) for _, path in listing.files)
    results = Parallel(workers or cpu_count(), prefer="threads", return_as="generator")(jobs)
    disable = None if progress else True
    counts = Counter({name: 0 for name in listing.class_names})
    problems: list[tuple[str, str]] = []
    notes: Counter[str] = Counter()
    readable: list[str] = []
    labels: list[str] = []
    thumbnails = []
    with quiet_pillow():
        bar = tqdm(results, total=len(listing.files), desc="scanning", unit="image", leave=False, disable=disable)
        for (name, path), result in zip(listing.files, bar, strict=True):
            if isinstance(result, str):
                problems.append((path, result))
                continue
            thumbnail, noted = result
            notes.update(noted)
            counts[name] += 1
            readable.append(path)
            labels.append(name)
            thumbnails.append(thumbnail)
    problems += [(name, f"this class {why}") for name, why in listing.lost.items()]
    for name, count in counts.items():
        if count < MIN_PER_CLASS:
            problems.append((name, f"this class has {count} readable images and needs at least {MIN_PER_CLASS}"))
    groups = near_duplicate_groups(np.stack(thumbnails)) if thumbnails else np.zeros(0, np.int64)
    same = same_pictures(groups, labels, readable, listing.held_out)
    return ScanReport(
        str(folder),
        dict(counts),
        problems,
        dict(listing.skipped),
        same.within,
        same.across_classes,
        same.across_parts,
        listing.passed_over.entries(),
        listing.warnings() + note_words(notes),
    )


def _thumbnail(path: Path) -> tuple[np.ndarray, tuple[str, ...]] | str:
    try:
        image, notes = read_with_notes(path)
        return grey_thumbnail(np.asarray(image.resize((SCAN_SIZE, SCAN_SIZE)))), notes
    except UnreadableImage as error:
        return error.reason


def _joined(paths: Sequence[str]) -> str:
    return " = ".join(printable(path) for path in paths)
