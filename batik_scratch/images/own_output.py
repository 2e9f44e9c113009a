"""Knowing this program's own output again, so that it is never taken for photos."""

import csv
import re
from collections.abc import Collection
from pathlib import Path

RUN = frozenset({"config.toml", "stage1", "stage2"})
EXPERIMENT = frozenset({"config.toml", "cells"})
_CACHED = re.compile(r"decoded-[0-9a-f]{32}(-\w+)?\.npy")
_MAP, _OVERLAY = "_map.npz", "_overlay.png"


def own_output(folder: Path, names: Collection[str]) -> str | None:
    """What of this program's a folder is that holds files of these names; None if it is somebody else's.

    Known are run folders (finished or not), folders of experiments, saliency maps and their judgement, drawn data sets
    and their masks, and decoded photos.
    """
    present = set(names)
    if present >= RUN:
        return "a run"
    if present >= EXPERIMENT:
        return "an experiment"
    if any(name.endswith(_MAP) and name.removesuffix(_MAP) + _OVERLAY in present for name in present):
        return "saliency maps"
    if present >= {"table.txt", "values.npz", "networks.png"}:
        return "a judgement of saliency maps"
    if any(_CACHED.fullmatch(name) for name in present):
        return "decoded photos"
    if "manifest.csv" in present and is_drawn(folder):
        return "a drawn data set"
    if folder.name == "masks" and is_drawn(folder.parent):
        return "masks of a drawn data set"
    return None


def is_drawn(folder: Path) -> bool:
    """True for a data set written by `motifs.write_dataset`: its manifest names images/ and masks/."""
    manifest = folder / "manifest.csv"
    if not manifest.is_file() or not (folder / "images").is_dir():
        return False
    with manifest.open(newline="", encoding="utf-8", errors="replace") as file:
        header = next(csv.reader(file), [])
    return "path" in header and "mask" in header
