"""A contact sheet: classes in rows, the motif's mask outlined where there is one."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_erosion

from ..errors import InputError
from ..files import named
from ..images.folders import list_folder
from ..images.reading import printable, read_image

TILE, GAP, TITLE = 150, 8, 26
OUTLINE = (255, 255, 0)


def contact_sheet(folder: str | os.PathLike, out: str | os.PathLike, per_class: int = 8, outline: bool = True) -> Path:
    """Write a PNG of up to `per_class` images of each class of `folder`, evenly picked; masks outlined in yellow.

    Works on drawn data sets and on any folder of class folders (there without outlines).
    """
    if per_class < 1:
        raise InputError(f"per_class needs a whole number >= 1, got {per_class!r}")
    listing = list_folder(folder)
    target = Path(out)
    if any(target.resolve().is_relative_to((listing.root / name).resolve()) for name in listing.class_names):
        raise InputError(f"{target}: is in a class folder of {folder}, and would become one of its images")
    width = GAP + per_class * (TILE + GAP)
    sheet = Image.new("RGB", (width, GAP + len(listing.class_names) * (TILE + TITLE + GAP)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    for row, name in enumerate(listing.class_names):
        top = GAP + row * (TILE + TITLE + GAP)
        paths = [path for label, path in listing.files if label == name]
        pen.text((GAP, top), f"{printable(name)}  ({len(paths)} images)", fill="black", font=font)
        picked = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(per_class, len(paths))).astype(int))]
        for column, path in enumerate(picked):
            mask = Path(folder) / "masks" / Path(path).with_suffix(".png") if outline else None
            sheet.paste(_tile(listing.root / path, mask), (GAP + column * (TILE + GAP), top + TITLE))
    if not target.absolute().parent.is_dir():
        raise InputError(f"{target}: there is no folder {target.parent}; make it first")
    with named(target):
        sheet.save(target, format="PNG")
    return target


def _tile(path: Path, mask_path: Path | None) -> Image.Image:
    picture = read_image(path).resize((TILE, TILE), Image.Resampling.LANCZOS)
    if mask_path is None or not mask_path.is_file():
        return picture
    with Image.open(mask_path) as stored:
        mask = np.asarray(stored.convert("1").resize((TILE, TILE), Image.Resampling.NEAREST))
    pixels = np.array(picture)
    pixels[mask & ~binary_erosion(mask)] = OUTLINE
    return Image.fromarray(pixels)
