"""A folder of photos as arrays: listed, decoded, and with what one must know of it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from . import kinds
from .cache import decoded
from .folders import MIN_PER_CLASS, Listing, check_counts, list_folder
from .notes import note_words
from .passed_over import Entry, shortened
from .reading import printable
from .split_folders import check_halves, list_split_folders


@dataclass(frozen=True)
class ImageSet:
    """Decoded images of a folder.

    images         uint8 (N, size, size, 3), read-only, mapped from the cache file
    labels         int64 (N,), the class's place in the sorted `class_names`
    paths          relative to the folder, "/" between; sorted by class, then path
    groups         int64 (N,): equal numbers are copies or near-duplicates of one picture
    skipped        (path, reason) of files left out by skip_bad
    key            a digest of every file's content, name and class, and of the size
    passed_over    what else is in the folder, counted by kind, class and extension, `skipped` included
    warnings       what one must know before believing that this is the data
    held_out       bool (N,): images that only validate, where the folder is split already; else None
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: list[str]
    paths: list[str]
    groups: np.ndarray
    skipped: list[tuple[str, str]]
    key: str
    passed_over: list[Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    held_out: np.ndarray | None = None


def load_folder(
    folder: str | os.PathLike,
    size: int,
    skip_bad: bool = False,
    cache_dir: str | os.PathLike | None = None,
    workers: int | None = None,
    progress: bool = True,
    follow_links: bool = False,
    split_folders: bool = False,
    minimum: int = MIN_PER_CLASS,
) -> ImageSet:
    """Every image of `folder/CLASS/...` as uint8 (N, size, size, 3), decoded in parallel or found in the cache.

    Files that do not decode raise InputError naming them, or are left out with `skip_bad`. Without `cache_dir`, the
    cache is the user's: see `places.user_cache`. `follow_links` reads what symbolic links lead to; `split_folders`
    takes a folder that is split already: see `split_folders`. Each class needs `minimum` images; with 1, for a model
    that is only asked, one class is enough, and empty ones are counted.
    """
    listing = _list(folder, follow_links, split_folders, minimum)
    found = decoded(listing.root, listing.files, size, cache_dir, workers, progress)
    if found.bad and not skip_bad:
        raise InputError(_unreadable_message(folder, list(found.bad.items())))
    for name, relative in listing.files:
        if relative in found.bad:
            listing.passed_over.add(kinds.UNREADABLE, name, kinds.extension_of(relative))
    listing.files = [(name, relative) for name, relative in listing.files if relative not in found.bad]
    if listing.held_out is None:
        _check(listing, folder, minimum)
    else:
        check_halves(listing, folder)
    _remark_on_empty_classes(listing)
    places = {name: label for label, name in enumerate(listing.class_names)}
    held_out = listing.held_out
    return ImageSet(
        found.images,
        np.array([places[name] for name, _ in listing.files], np.int64),
        listing.class_names,
        [relative for _, relative in listing.files],
        found.groups,
        list(found.bad.items()),
        found.key,
        listing.passed_over.entries(),
        listing.warnings() + note_words(found.notes),
        None if held_out is None else np.array([relative in held_out for _, relative in listing.files], bool),
    )


def _list(folder: str | os.PathLike, follow_links: bool, split_folders: bool, minimum: int) -> Listing:
    if split_folders:
        return list_split_folders(folder, follow_links)
    listing = list_folder(folder, follow_links, min_classes=1 if minimum == 1 else 2)
    _check(listing, folder, minimum)
    return listing


def _check(listing: Listing, folder: str | os.PathLike, minimum: int) -> None:
    """InputError if there are too few images: in each class, or in all where one is enough."""
    if minimum == 1 and listing.files and not listing.lost:
        return
    check_counts(listing, folder, minimum)


def _remark_on_empty_classes(listing: Listing) -> None:
    empty = [printable(name) for name, count in listing.counts().items() if not count]
    if empty:
        listing.remarks.append(f"without an image: {shortened(empty)}")


def _unreadable_message(folder: str | os.PathLike, bad: Sequence[tuple[str, str]]) -> str:
    lines = [f"  {printable(path)}: {reason}" for path, reason in bad[:4]]
    if len(bad) > 4:
        lines.append(f"  and {len(bad) - 4} more; see: batik-scratch data scan {printable(folder)}")
    return "\n".join(
        [
            f"{printable(folder)}: {len(bad)} of its files cannot be read:",
            *lines,
            "Remove or replace them, or use --skip-bad",
        ]
    )
