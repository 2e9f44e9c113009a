"""Folders one level off: train/ and val/ above the classes, a folder too many around them, folders inside them."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from .passed_over import shortened
from .reading import printable

TRAINING = frozenset({"train", "training", "trained", "latih", "latihan", "pelatihan"})
VALIDATION = frozenset({"val", "valid", "validation", "dev", "validasi"})
TESTING = frozenset({"test", "testing", "tes", "uji", "ujian", "pengujian", "holdout", "eval", "evaluation"})
_FILLING = frozenset(
    {"set", "sets", "data", "dataset", "datasets", "split", "folder", "dir", "image", "images", "img", "imgs"}
    | {"photo", "photos", "picture", "pictures", "gambar", "foto", "citra"}
)
_WORDS = re.compile(r"[^\W\d_]+")


def part_of_split(name: str) -> str | None:
    """ "train", "validation" or "test" if a folder is called so, in English or Indonesian; else None."""
    words = set(_WORDS.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())) - _FILLING
    if len(words) != 1:
        return None
    for part, known in (("train", TRAINING), ("validation", VALIDATION), ("test", TESTING)):
        if words <= known:
            return part
    return None


def split_parts(names: Collection[str]) -> dict[str, list[str]]:
    """{part: folders called so} if these folders are the parts of a split, one of them for training; else {}."""
    parts: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if part := part_of_split(name):
            parts[part].append(name)
    return dict(parts) if "train" in parts and len(parts) > 1 else {}


def check_levels(folder: Path, given: object, names: Sequence[str]) -> None:
    """InputError if `names`, the folders in `folder`, are the parts of a split or one folder around the classes."""
    if parts := split_parts(names):
        raise InputError(_advice_on_parts(folder, given, parts))
    inside = _folders_in(folder / names[0]) if len(names) == 1 else []
    if len(inside) > 1:
        inner = folder / names[0]
        check_levels(inner, inner, inside)
        raise InputError(
            f"{printable(str(given))}: has only one class ({printable(names[0])}), which holds folders itself "
            f"({_listed(inside)}); if those are the classes, give --data {printable(inner)}"
        )


def _advice_on_parts(folder: Path, given: object, parts: Mapping[str, list[str]]) -> str:
    every = [name for part in ("train", "validation", "test") for name in parts.get(part, [])]
    said = f"{printable(str(given))}: {_listed(every)} are the parts of a split, not classes"
    train, other = parts["train"][0], (parts.get("validation") or parts["test"])[0]
    if len(_folders_in(folder / train)) < 2:
        return f"{said}, and {printable(folder / train)} holds no class folders; sort its photos into some"
    alone = f"{said}. Give --data {printable(folder / train)}"
    if len(_folders_in(folder / other)) < 2:
        return f"{alone}; {printable(other)} holds no class folders"
    return f"{alone}, or use --split-folders to train on {printable(train)} and validate on {printable(other)}"


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


def _listed(names: Collection[str], most: int = 6) -> str:
    return shortened([printable(name) for name in sorted(names)], most)


def _folders_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []
