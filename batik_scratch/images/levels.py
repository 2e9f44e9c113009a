"""Folders one level off: train/ and val/ above the classes, a folder too many around them, folders inside them."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from . import kinds
from .passed_over import shortened
from .reading import printable

TRAINING = frozenset({"train", "training", "trained", "latih", "latihan", "pelatihan"})
VALIDATION = frozenset({"val", "valid", "validation", "dev", "validasi"})
TESTING = frozenset({"test", "testing", "tes", "uji", "ujian", "pengujian", "holdout", "eval", "evaluation"})
_FILLING = frozenset(
    {"set", "sets", "data", "dataset", "datasets", "split", "folder", "dir", "image", "images", "img", "imgs"}
    | {"photo", "photos", "picture", "pictures", "gambar", "foto", "citra"}
)
_PARTS = (("train", TRAINING), ("validation", VALIDATION), ("test", TESTING))
_PART_WORDS = TRAINING | VALIDATION | TESTING
_MOST_BEGINNINGS = 50
_WORDS = re.compile(r"[^\W\d_]+")


def part_of_split(name: str, common: Collection[str] = ()) -> str | None:
    """ "train", "validation" or "test" if a folder is called so, in English or Indonesian; else None.

    `common` are words that its neighbours have too, and which tell nothing: "seg" of seg_train, seg_test.
    """
    words = _words(name) - set(common)
    if len(words) != 1:
        return None
    for part, known in _PARTS:
        if words <= known:
            return part
    return None


def split_parts(names: Collection[str]) -> dict[str, list[str]]:
    """{part: folders called so} if these folders are the parts of a split, one of them for training; else {}."""
    common = set.intersection(*map(_words, names)) if len(names) > 1 else set()
    parts: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if part := part_of_split(name, common):
            parts[part].append(name)
    return dict(parts) if "train" in parts and len(parts) > 1 else {}


def without_wrapping(folder: Path) -> Path:
    """`folder`, or what it holds if that is one folder and nothing else, as where an archive was unpacked twice."""
    while len(inside := _folders_in(folder)) == 1 and not _has_pictures(folder):
        folder = folder / inside[0]
    return folder


def check_levels(folder: Path, given: object, names: Sequence[str]) -> None:
    """InputError if `names`, the folders in `folder`, are the parts of a split or one folder around the classes."""
    if parts := split_parts(names):
        raise InputError(_advice_on_parts(folder, given, parts))
    if len(names) != 1:
        return
    inner = without_wrapping(folder / names[0])
    inside = _folders_in(inner)
    if len(inside) > 1:
        check_levels(inner, inner, inside)
        raise InputError(
            f"{printable(str(given))}: has only one class ({printable(names[0])}), which holds folders itself "
            f"({_listed(inside)}); if those are the classes, give --data {printable(inner)}"
        )


def _advice_on_parts(folder: Path, given: object, parts: Mapping[str, list[str]]) -> str:
    every = [name for part in ("train", "validation", "test") for name in parts.get(part, [])]
    said = f"{printable(str(given))}: {_listed(every)} are the parts of a split, not classes"
    train, other = parts["train"][0], (parts.get("validation") or parts["test"])[0]
    classes = without_wrapping(folder / train)
    if len(_folders_in(classes)) < 2:
        return f"{said}, and {printable(folder / train)} holds no class folders; sort its photos into some"
    alone = f"{said}. Give --data {printable(classes)}"
    if len(_folders_in(without_wrapping(folder / other))) < 2:
        return f"{alone}; {printable(other)} holds no class folders"
    return f"{alone}, or use --split-folders to train on {printable(train)} and validate on {printable(other)}"


def name_remarks(names: Sequence[str]) -> list[str]:
    """A warning about classes that are called alike but for a part of a split: train_kawung, test_kawung."""
    alike: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in names:
        if (rest := _words(name) - _PART_WORDS) != _words(name) and rest:
            alike[frozenset(rest)].append(name)
    found = [same for same in alike.values() if len(same) > 1]
    if not found:
        return []
    told = shortened([" and ".join(f'"{printable(name)}"' for name in same) for same in found], 4)
    return [f"the parts of a split look like classes here: {told}; put them into train/CLASS and val/CLASS"]


def loose_pictures(names: Collection[str]) -> str:
    """What to do with pictures of these names that lie beside the class folders, or where there should be some."""
    if not names:
        return ""
    beginnings = Counter(match.group() for name in names if (match := _WORDS.match(name)))
    classes = [word for word, count in beginnings.items() if count > 1]
    hint = f" (their names begin with {_listed(classes)})" if 1 < len(classes) <= _MOST_BEGINNINGS else ""
    return f". It holds {len(names)} pictures itself{hint}: put those of each class into a folder of its name"


def level_remarks(files: Sequence[tuple[str, str]]) -> list[str]:
    """Warnings about folders inside class folders, of (class, path below the data folder) each."""
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    direct: Counter[str] = Counter()
    for name, path in files:
        parts = path.split("/")
        if len(parts) > 2:
            inside[name][parts[1]] += 1
        else:
            direct[name] += 1
    if not inside:
        return []
    split = [name for name, found in inside.items() if split_parts(found)]
    if split:
        return [
            f"the class folders {_listed(split)} hold parts of a split ({_listed(inside[split[0]])}); their photos are "
            "mixed, and split anew"
        ]
    common = set.intersection(*(set(found) for found in inside.values()))
    if len(inside) > 1 and len(common) > 1 and not direct:
        return [
            f"every class holds the folders {_listed(common)}: if those are the classes, the folders are one level "
            f"off, and this trains {_listed(inside)} against each other"
        ]
    return [_deeper(inside)]


def _deeper(inside: Mapping[str, Counter[str]]) -> str:
    told = [f"{printable(name)} from {_listed(found, 4)}" for name, found in sorted(inside.items())]
    return f"photos in folders inside a class folder belong to that class: {shortened(told, 4)}"


def _words(name: str) -> set[str]:
    """The words of a folder's name, in small letters, but those that every folder of pictures may have."""
    return set(_WORDS.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())) - _FILLING


def _listed(names: Collection[str], most: int = 6) -> str:
    return shortened([printable(name) for name in sorted(names)], most)


def _folders_in(folder: Path) -> list[str]:
    try:
        return sorted(e.name for e in folder.iterdir() if e.is_dir() and not kinds.is_hidden(e.name))
    except OSError:
        return []


def _has_pictures(folder: Path) -> bool:
    return any(kinds.is_picture(entry.name) for entry in folder.iterdir() if entry.is_file())
