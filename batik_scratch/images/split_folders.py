"""A folder that is split already: train/CLASS and val/CLASS, taken as they are."""

import os
from pathlib import Path

from ..errors import InputError
from . import kinds
from .folders import Listing, check_counts, list_folder
from .levels import split_parts, without_wrapping
from .names import same_name
from .passed_over import shortened
from .reading import printable


def list_split_folders(folder: str | os.PathLike, follow_links: bool = False) -> Listing:
    """The images of `folder`/train/CLASS and `folder`/val/CLASS; `held_out` names those of the second.

    The second is validation's folder, or else the test's; where both are there, the test's is passed over with its
    count. Names may be Indonesian, and "train_set" or "Training Data". Raises InputError unless both hold the same
    classes, at least two, each with an image.
    """
    given = Path(folder).expanduser()
    if not given.is_dir():
        raise InputError(f"{printable(folder)}: there is no such folder; --split-folders needs train and val in it")
    with os.scandir(given) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not kinds.is_hidden(e.name))
    parts = split_parts(names)
    if not parts or any(len(found) > 1 for found in parts.values()):
        raise InputError(
            f"{printable(folder)}: --split-folders needs one folder for training and one for validation, such as train "
            f"and val; it holds {shortened([printable(name) for name in names]) or 'none'}"
        )
    train = parts["train"][0]
    second = (parts.get("validation") or parts["test"])[0]
    halves = {name: list_folder(without_wrapping(given / name), follow_links) for name in (train, second)}
    for name, half in halves.items():
        check_counts(half, given / name, minimum=1)
    _check_same_classes(folder, halves[train], train, halves[second], second)
    known = {same_name(name): name for name in halves[train].class_names}
    whole = Listing(given, halves[train].class_names, [], held_out=frozenset())
    for name, half in halves.items():
        above = half.root.relative_to(given).as_posix()
        found = [(known[same_name(label)], f"{above}/{path}") for label, path in half.files]
        whole.files += found
        whole.passed_over.update(half.passed_over)
        whole.remarks += [f"{printable(name)}: {remark}" for remark in half.remarks]
        if name == second:
            whole.held_out = frozenset(path for _, path in found)
    whole.files.sort()
    for name in names:
        if name not in halves and name in {n for found in parts.values() for n in found}:
            unused = sum(len(files) for _, _, files in os.walk(given / name))
            whole.passed_over.add(kinds.UNUSED, name, "", unused)
            whole.remarks.append(f"{printable(name)} is not used: {unused} files neither train nor validate")
        elif name not in halves:
            whole.passed_over.add(kinds.BESIDE, "", "")
    return whole


def check_halves(listing: Listing, folder: str | os.PathLike) -> None:
    """InputError unless every class has an image that trains and one that validates."""
    held_out = listing.held_out or frozenset()
    for words, half in (("training", False), ("validation", True)):
        files = [(name, path) for name, path in listing.files if (path in held_out) is half]
        here = {name for name, _ in files}
        if missing := [printable(name) for name in listing.class_names if name not in here]:
            raise InputError(
                f"{printable(folder)}: no image for {words} is left of {shortened(missing)}; each class needs one on "
                "both sides"
            )


def _check_same_classes(folder: str | os.PathLike, one: Listing, name: str, other: Listing, second: str) -> None:
    first, others = ({same_name(n): n for n in half.class_names} for half in (one, other))
    if alone := [first.get(key) or others[key] for key in sorted(first.keys() ^ others.keys())]:
        raise InputError(
            f"{printable(folder)}: {printable(name)} and {printable(second)} need the same classes; only one of them "
            f"holds {shortened([printable(n) for n in alone])}"
        )
