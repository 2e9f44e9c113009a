"""A folder of photos, one subfolder per class: what is in it, before anything is decoded."""

import csv
import os
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from .reading import printable

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".gif"})
JUNK = frozenset({"thumbs.db", "desktop.ini"})
MIN_PER_CLASS = 4  # so that a 75:25 split leaves every class something on both sides


@dataclass
class Listing:
    """Image files of a folder: `files` as (class name, path relative to `root`), sorted; and what was passed over."""

    root: Path
    class_names: list[str]
    files: list[tuple[str, str]]
    skipped: Counter[str] = field(default_factory=Counter)


def list_folder(folder: str | os.PathLike, follow_links: bool = False) -> Listing:
    """Find the image files of `folder/CLASS/...`; of a drawn data set (manifest.csv) those under `images/`.

    Hidden files and folders, links (unless `follow_links`) and files without an image's extension are skipped and
    counted. Raises InputError for a missing folder, no or one class, an empty class, names that differ only in
    case or Unicode form, and link loops.
    """
    given = Path(folder).expanduser()
    if not given.is_dir():
        what = "is a file, not a folder" if given.exists() else "there is no such folder"
        raise InputError(f"{printable(folder)}: {what}; needs a folder with one subfolder of images per class")
    root = given / "images" if is_drawn(given) else given
    listing = Listing(root, [], [])
    for entry in _entries(root):
        if _is_skipped(entry, listing, follow_links) or not entry.is_dir(follow_symlinks=follow_links):
            continue
        listing.class_names.append(entry.name)
        listing.files += [(entry.name, path) for path in sorted(_walk(root, entry.name, listing, follow_links, set()))]
    _check_classes(given, listing)
    return listing


def check_counts(listing: Listing, folder: str | os.PathLike, minimum: int = MIN_PER_CLASS) -> None:
    """InputError unless every class has at least `minimum` images."""
    counts = Counter(name for name, _ in listing.files)
    for name in listing.class_names:
        n = counts[name]
        if n < minimum:
            has = "is empty" if n == 0 else f"has {n} image{'s' if n > 1 else ''}"
            raise InputError(
                f'{printable(folder)}: class "{printable(name)}" {has}; each class needs at least {minimum} images. '
                f"Found: {', '.join(f'{printable(c)} {counts[c]}' for c in listing.class_names[:12])}"
            )


def is_drawn(folder: Path) -> bool:
    """True for a data set written by `motifs.write_dataset`: its manifest names images/ and masks/."""
    manifest = folder / "manifest.csv"
    if not manifest.is_file() or not (folder / "images").is_dir():
        return False
    with manifest.open(newline="", encoding="utf-8", errors="replace") as file:
        header = next(csv.reader(file), [])
    return "path" in header and "mask" in header


def _entries(folder: Path) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_skipped(entry: os.DirEntry, listing: Listing, follow_links: bool) -> bool:
    if entry.name.startswith(".") or entry.name.lower() in JUNK:
        listing.skipped["hidden or system files"] += 1
    elif entry.is_symlink() and not follow_links:
        listing.skipped["symbolic links"] += 1
    else:
        return False
    return True


def _walk(root: Path, relative: str, listing: Listing, follow_links: bool, above: set[tuple[int, int]]) -> list[str]:
    """Relative paths of the image files below root/relative."""
    status = os.stat(root / relative)
    if (status.st_dev, status.st_ino) in above:
        raise InputError(
            f"{printable(root / relative)}: a symbolic link leads back to a folder above it; remove the loop"
        )
    above = above | {(status.st_dev, status.st_ino)}
    found = []
    for entry in _entries(root / relative):
        path = f"{relative}/{entry.name}"
        if _is_skipped(entry, listing, follow_links):
            continue
        if entry.is_dir(follow_symlinks=follow_links):
            found += _walk(root, path, listing, follow_links, above)
        elif os.path.splitext(entry.name)[1].lower() in EXTENSIONS:
            found.append(path)
        else:
            listing.skipped["files without an image's extension"] += 1
    return found


def _check_classes(folder: Path, listing: Listing) -> None:
    names = listing.class_names
    if len(names) < 2:
        have = f"only one class ({printable(names[0])})" if names else "no subfolders"
        raise InputError(
            f"{printable(folder)}: has {have}; needs at least two classes, one subfolder of images for each: "
            "FOLDER/CLASS/photo.jpg"
        )
    seen: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            raise InputError(
                f'{printable(folder)}: class names "{printable(seen[key])}" and "{printable(name)}" differ only in '
                "case or Unicode form; rename one, or merge them"
            )
        seen[key] = name
