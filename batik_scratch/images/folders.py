"""A folder of photos, one subfolder per class: what is in it, before anything is decoded."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from . import kinds
from .levels import check_levels, level_remarks, loose_pictures, name_remarks
from .names import near_misses, same_name
from .own_output import is_drawn, own_output
from .passed_over import PassedOver, losses, shortened
from .reading import printable

MIN_PER_CLASS = 4  # so that a 75:25 split leaves every class something on both sides
_WRONG_SHOWN = 6  # classes of one message


@dataclass
class Listing:
    """Image files of a folder: `files` as (class name, path relative to `root`), sorted; and what was passed over.

    lost       {class name: why} of class folders that are not read at all
    remarks    what the folders' names and levels make one suspect
    held_out   paths of the images that only validate, where the folder is split already; else None
    """

    root: Path
    class_names: list[str]
    files: list[tuple[str, str]]
    passed_over: PassedOver = field(default_factory=PassedOver)
    lost: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    held_out: frozenset[str] | None = None

    @property
    def skipped(self) -> Counter[str]:
        """How many files were passed over, by kind."""
        return self.passed_over.by_kind()

    def counts(self) -> dict[str, int]:
        """{class name: images}, classes without one included."""
        return {name: 0 for name in self.class_names} | Counter(name for name, _ in self.files)

    def warnings(self) -> list[str]:
        """What one must know before believing that this is the data: losses first, then the remarks."""
        return losses(self.passed_over, self.counts()) + self.remarks


def list_folder(folder: str | os.PathLike, follow_links: bool = False, min_classes: int = 2) -> Listing:
    """Find the image files of `folder/CLASS/...`; of a drawn data set (manifest.csv) those under `images/`.

    Hidden files and folders, links (unless `follow_links`), files without an image's extension and what this program
    wrote are passed over and counted. Raises InputError for a missing folder, fewer classes than `min_classes`, the
    parts of a split in place of classes, output of this program, names that differ only in case, spaces or Unicode
    form, and link loops.
    """
    given = Path(folder).expanduser()
    if not given.is_dir():
        what = "is a file, not a folder" if given.exists() else "there is no such folder"
        raise InputError(f"{printable(folder)}: {what}; needs a folder with one subfolder of images per class")
    drawn = is_drawn(given)
    root = given / "images" if drawn else given
    listing = Listing(root, [], [])
    entries = _entries(root)
    own = None if drawn else own_output(given.absolute(), [entry.name for entry in entries])
    if own:
        raise InputError(f"{printable(folder)}: is {own}, which this program wrote, not a folder of photos")
    for entry in entries:
        _list_class(entry, listing, follow_links)
    _check_classes(given, listing, min_classes, [e.name for e in entries if e.is_file() and kinds.is_picture(e.name)])
    pairs = [f'"{printable(a)}" and "{printable(b)}"' for a, b in near_misses(listing.class_names)]
    if pairs:
        listing.remarks.append(f"these class names are almost the same: {shortened(pairs, 4)}; are they two classes?")
    listing.remarks += name_remarks(listing.class_names) + level_remarks(listing.files)
    return listing


def check_counts(listing: Listing, folder: str | os.PathLike, minimum: int = MIN_PER_CLASS) -> None:
    """InputError, with all that is wrong at once, if a class was lost or has fewer than `minimum` images."""
    counts = listing.counts()
    needs = f"each class needs at least {minimum} image{'s' if minimum > 1 else ''}"
    found = f". Found: {shortened([f'{printable(name)} {n}' for name, n in counts.items()])}"
    few = [name for name, n in counts.items() if n < minimum]
    if len(listing.lost) + len(few) == 1:
        for name, why in listing.lost.items():
            raise InputError(f'{printable(folder)}: class "{printable(name)}" {why}')
        raise InputError(f"{printable(folder)}: {_too_few(listing, few[0], needs)}{found}")
    wrong = [f'class "{printable(name)}" {why}' for name, why in listing.lost.items()]
    wrong += [_too_few(listing, name, needs) for name in few]
    if not wrong:
        return
    shown = [f"  {line}" for line in wrong[:_WRONG_SHOWN]]
    if len(wrong) > _WRONG_SHOWN:
        shown.append(f"  and {len(wrong) - _WRONG_SHOWN} more; see: batik-scratch data scan {printable(folder)}")
    head = f"{printable(folder)}: {len(wrong)} of its classes cannot be used as they are"
    raise InputError("\n".join([head + found, *shown]))


def _too_few(listing: Listing, name: str, needs: str) -> str:
    """How many images a class has, what was passed over in it, what it needs, and what to do."""
    n = listing.counts()[name]
    words = listing.passed_over.words(name)
    has = "is empty" if n == 0 else f"has {n} image{'s' if n > 1 else ''}"
    passed = f" (passed over: {words})" if words else ""
    lost = [kind for kind in sorted(listing.passed_over.by_kind(name)) if kind in kinds.ADVICE]
    advice = "; ".join(kinds.ADVICE[kind] for kind in lost) or "add images, or take its folder away"
    return f'class "{printable(name)}" {has}{passed}; {needs}; {advice}'


def _list_class(entry: os.DirEntry, listing: Listing, follow_links: bool) -> None:
    """Take in one entry of the root: a class folder, or what is none."""
    name = entry.name
    if _is_skipped(entry, listing, follow_links, ""):
        if entry.is_symlink() and entry.is_dir() and not kinds.is_hidden(name):
            listing.lost[name] = (
                "is a symbolic link to a folder, and links are not followed; use --follow-links, or remove the link"
            )
        return
    if not entry.is_dir(follow_symlinks=follow_links):
        listing.passed_over.add(kinds.BESIDE, "", kinds.extension_of(name))
        return
    before = PassedOver()
    inside = Listing(listing.root, [], [], before)
    found = sorted(_walk(listing.root, name, inside, follow_links, set(), name))
    listing.passed_over.update(before)
    passed = before.by_kind()
    if not found and passed[kinds.OWN] and not kinds.MEANT & passed.keys():
        return  # a folder of runs, say: no class
    listing.class_names.append(name)
    listing.files += [(name, path) for path in found]


def _entries(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except PermissionError:
        raise InputError(f"{printable(folder)}: may not be read; change its permissions, or move it away") from None


def _is_skipped(entry: os.DirEntry, listing: Listing, follow_links: bool, class_name: str) -> bool:
    if kinds.is_in_the_cloud(entry.name):
        kind = kinds.IN_THE_CLOUD
    elif kinds.is_hidden(entry.name):
        kind = kinds.HIDDEN
    elif entry.is_symlink() and (not follow_links or not os.path.exists(entry.path)):
        kind = kinds.LINKS
    else:
        return False
    listing.passed_over.add(kind, class_name, kinds.extension_of(entry.name))
    return True


def _walk(
    root: Path, relative: str, listing: Listing, follow_links: bool, above: set[tuple[int, int]], class_name: str
) -> list[str]:
    """Relative paths of the image files below root/relative."""
    status = os.stat(root / relative)
    if (status.st_dev, status.st_ino) in above:
        raise InputError(
            f"{printable(root / relative)}: a symbolic link leads back to a folder above it; remove the loop"
        )
    above = above | {(status.st_dev, status.st_ino)}
    found = []
    entries = _entries(root / relative)
    if own_output((root / relative).absolute(), [entry.name for entry in entries]):
        listing.passed_over.add(kinds.OWN, class_name)
        return []
    for entry in entries:
        path = f"{relative}/{entry.name}"
        if _is_skipped(entry, listing, follow_links, class_name):
            continue
        if entry.is_dir(follow_symlinks=follow_links):
            found += _walk(root, path, listing, follow_links, above, class_name)
        elif not entry.is_file():
            listing.passed_over.add(kinds.SPECIAL, class_name, kinds.extension_of(entry.name))
        elif kinds.is_picture(entry.name):
            found.append(path)
        else:
            listing.passed_over.add(kinds.kind_of(Path(entry.path)), class_name, kinds.extension_of(entry.name))
    return found


def _check_classes(folder: Path, listing: Listing, min_classes: int, loose: list[str]) -> None:
    names = listing.class_names
    check_levels(listing.root, folder, [*names, *listing.lost])
    if len(names) < min_classes and not listing.lost:
        have = f"only one class ({printable(names[0])})" if names else "no subfolders"
        needs = "at least two classes, one subfolder of images for each" if min_classes > 1 else "one for each class"
        advice = loose_pictures(loose) + ("; or ask the model by `predict`" if loose and min_classes == 1 else "")
        raise InputError(f"{printable(folder)}: has {have}; needs {needs}: FOLDER/CLASS/photo.jpg{advice}")
    seen: dict[str, str] = {}
    for name in (*names, *listing.lost):
        key = same_name(name)
        if not key:
            raise InputError(
                f'{printable(folder)}: the class name "{printable(name)}" shows nothing; rename that folder'
            )
        if key in seen:
            raise InputError(
                f'{printable(folder)}: class names "{printable(seen[key])}" and "{printable(name)}" differ only in '
                "case, spaces or Unicode form; rename one, or merge them"
            )
        seen[key] = name
