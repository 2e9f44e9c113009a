"""Which copies of a picture are found, what is grouped by mistake, and how long 5,000 pictures take.

    python tests/benchmarks/duplicates.py [--seed 1] [--difficulty D] [--size 150] [--each 50] [--many 5000]

Pictures are one seed's 568 drawn cloths, the photos in BATIK_PHOTOS if that is set (those whose name's hash is odd: the
others were looked at when the thresholds were chosen, as was seed 0), and 60 fine repeats: pieces of these pictures,
tiled 8 to 20 times a side, in uneven light. Copies are made of them, so many of each kind; all pictures and all copies
are then grouped together. A pair is found if the copy is in its picture's group. A false group is one with two pictures
that are no copies of one another: among pictures and copies, and among the cloths and all photos alone.

The second part of the table are changes that no threshold was chosen by. The last part is the time for so many
pictures (pieces of a quarter of the drawn cloths' area), beside the seconds of processor time that it took.
"""

import argparse
import hashlib
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from batik_scratch import motifs
from batik_scratch.images.duplicates import grey_thumbnail, near_duplicate_groups

Change = Callable[[Image.Image, np.random.Generator], Image.Image]
TURN = Image.Transpose
MIRRORS = (TURN.FLIP_LEFT_RIGHT, TURN.FLIP_TOP_BOTTOM)
TURNS = (TURN.ROTATE_90, TURN.ROTATE_180, TURN.ROTATE_270, TURN.TRANSPOSE, TURN.TRANSVERSE)


def encoded(image: Image.Image, quality: int) -> Image.Image:
    """As a JPEG file gives it back."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def reencode(image, rng):
    return encoded(image, int(rng.integers(50, 91)))


def resize(image, rng):
    factor = rng.uniform(0.4, 1.6)
    return encoded(image.resize([round(factor * side) for side in image.size]), 85)


def crop(image, rng, share=0.03):
    """Each side loses that share, or each a share up to it and one of them all of it."""
    cut = rng.uniform(0, share, 4) if rng.random() < 0.5 else np.full(4, share)
    cut[rng.integers(4)] = share
    (w, h), (left, top, right, bottom) = image.size, cut
    return encoded(image.crop((round(left * w), round(top * h), round(w - right * w), round(h - bottom * h))), 85)


def write_on(image, rng, words="SAMPLE BATIK", times=1):
    """Black or white words, half transparent, somewhere across the picture."""
    w, h = image.size
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen, opacity, grey = ImageDraw.Draw(layer), int(rng.integers(90, 190)), int(rng.choice([0, 255]))
    for _ in range(times):
        font = ImageFont.load_default(size=h * rng.uniform(0.1, 0.2))
        room = max(0, w - pen.textbbox((0, 0), words, font=font)[2])
        pen.text((rng.uniform(-0.1 * w, room), rng.uniform(0.05, 0.8) * h), words, (*[grey] * 3, opacity), font=font)
    return encoded(Image.alpha_composite(image.convert("RGBA"), layer), 85)


def stamp(image, rng):
    """A disc of 5 to 16% of the area with a word on it, half transparent or more."""
    w, h = image.size
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen, s = ImageDraw.Draw(layer), rng.uniform(0.25, 0.45)
    x, y = rng.uniform(0, 1 - s, 2)
    colour = (*rng.integers(0, 256, 3).tolist(), int(rng.integers(110, 220)))
    pen.ellipse((x * w, y * h, (x + s) * w, (y + s) * h), colour)
    font = ImageFont.load_default(size=s * h / 4)
    pen.text(((x + 0.2 * s) * w, (y + 0.35 * s) * h), "BATIK", (255, 255, 255, 220), font=font)
    return encoded(Image.alpha_composite(image.convert("RGBA"), layer), 85)


def mirror(image, rng):
    return encoded(image.transpose(MIRRORS[rng.integers(2)]), 85)


def turn(image, rng):
    return encoded(image.transpose(TURNS[rng.integers(5)]), 85)


def gamma(image, rng):
    exponent = rng.choice([0.6, 0.7, 1.4, 1.7])
    return image.point(lambda value: round(255 * (value / 255) ** exponent))


def frame(image, rng):
    """A border of 5% of a side, white, black or of any colour."""
    border = round(0.05 * image.size[0])
    colour = ((255,) * 3, (0,) * 3, tuple(rng.integers(0, 256, 3).tolist()))[rng.integers(3)]
    framed = Image.new("RGB", [side + 2 * border for side in image.size], colour)
    framed.paste(image, (border, border))
    return encoded(framed, 85)


def relight(image, rng):
    return ImageEnhance.Brightness(ImageEnhance.Contrast(image).enhance(rng.uniform(0.6, 1.5))).enhance(
        rng.uniform(0.7, 1.3)
    )


KNOWN: dict[str, Change] = {
    "re-encoded": reencode,
    "resized": resize,
    "cropped by 3%": crop,
    "text over it": write_on,
    "logo over it": stamp,
    "mirrored": mirror,
}
NEW: dict[str, Change] = {
    "turned": turn,
    "gamma": gamma,
    "JPEG quality 30": lambda image, rng: encoded(image, 30),
    "border of 5%": frame,
    "grey": lambda image, rng: image.convert("L").convert("RGB"),
    "other light": relight,
    "blurred": lambda image, rng: image.filter(ImageFilter.GaussianBlur(1.2)),
    "cropped by 5%": lambda image, rng: crop(image, rng, 0.05),
    "12 texts over it": lambda image, rng: write_on(image, rng, "batik", 12),
    "cropped, text, turned": lambda image, rng: turn(write_on(crop(image, rng), rng), rng),
}


def fine_repeat(image: Image.Image, rng: np.random.Generator, side: int = 256) -> Image.Image:
    """A piece of the picture, 8 to 20 times a side, with noise and in uneven light."""
    times, s = int(rng.integers(8, 21)), rng.uniform(0.15, 0.4)
    n, (w, h) = 2 * -(-side // times), image.size
    x, y = rng.uniform(0, 1 - s, 2)
    tile = image.crop((int(x * w), int(y * h), int((x + s) * w), int((y + s) * h))).resize((n, n))
    tiled = np.tile(np.asarray(tile, float), (times, times, 1))
    slope = np.linspace(-1, 1, len(tiled))
    light = 1 + rng.uniform(-0.15, 0.15) * slope[:, None] + rng.uniform(-0.15, 0.15) * slope
    tiled = np.clip(tiled * light[..., None] + rng.normal(0, 3, tiled.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(tiled).resize((side, side), Image.Resampling.BILINEAR)


def thumbnail(image: Image.Image, size: int) -> np.ndarray:
    """As `load_folder` makes it from a file."""
    return grey_thumbnail(np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)))


def photos(odd_only: bool) -> list[Image.Image]:
    """Those in BATIK_PHOTOS, or none."""
    folder = os.environ.get("BATIK_PHOTOS")
    paths = sorted(Path(folder).rglob("*.jpg")) if folder else []
    odd = [path for path in paths if hashlib.blake2b(path.name.encode()).digest()[0] % 2]
    return [Image.open(path).convert("RGB") for path in (odd if odd_only else paths)]


def groups_of_several(groups: np.ndarray, owner: np.ndarray) -> int:
    """How many groups hold copies of two pictures or more."""
    return sum(len(set(owner[groups == g])) > 1 for g in np.flatnonzero(np.bincount(groups) > 1))


def count_pairs(pictures: list[Image.Image], seed: int, each: int, size: int) -> None:
    """The table of kinds."""
    rng = np.random.default_rng([seed, 15])
    fine = [fine_repeat(pictures[rng.integers(len(pictures))], rng) for _ in range(60)]
    every = [*pictures, *fine]
    seen, owner, kinds = [thumbnail(image, size) for image in every], list(range(len(every))), [""] * len(every)

    def add(kind: str, change: Change, row: int) -> None:
        seen.append(thumbnail(change(every[row], rng), size))
        owner.append(row)
        kinds.append(kind)

    for kind, change in (KNOWN | NEW).items():
        for row in rng.choice(len(pictures), each, replace=False).tolist():
            add(kind, change, row)
    for number, row in enumerate(rng.choice(60, min(each, 60), replace=False).tolist()):
        add("fine repeats", list(KNOWN.values())[number % len(KNOWN)], len(pictures) + row)
    groups, owners, names = near_duplicate_groups(np.stack(seen)), np.array(owner), np.array(kinds)
    found = groups == groups[owners]
    for title, part in (("known kinds", [*KNOWN, "fine repeats"]), ("new kinds", list(NEW))):
        for kind in part:
            print(f"{kind:24s}{found[names == kind].sum():5d} of {np.sum(names == kind)}")
        rows = np.isin(names, part)
        print(f"{title:24s}{found[rows].sum():5d} of {rows.sum()}   {found[rows].mean():.1%}")
    print(f"groups with two pictures that are no copies: {groups_of_several(groups, owners)}")
    print(f"   fine repeats aside: {groups_of_several(groups[owners < len(pictures)], owners[owners < len(pictures)])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--difficulty", type=float, default=motifs.DEFAULT_DIFFICULTY)
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--each", type=int, default=50, help="copies of each kind; 0 leaves that table out")
    parser.add_argument("--many", type=int, default=5000, help="pictures to be timed; 0 leaves that out")
    args = parser.parse_args()
    folder = motifs.cached_dataset(args.seed, motifs.PAPER_COUNTS, args.size, args.difficulty)
    cloths = [Image.open(path).convert("RGB") for path in sorted((folder / "images").rglob("*.png"))]
    print(f"seed {args.seed}, difficulty {args.difficulty:g}, {args.size} pixels, {len(photos(False))} photos")
    if args.each:
        count_pairs([*cloths, *photos(odd_only=True)], args.seed, args.each, args.size)
    alone = np.stack([thumbnail(image, args.size) for image in [*cloths, *photos(odd_only=False)]])
    print(f"false groups among {len(alone)} cloths and photos: {len(alone) - len(set(near_duplicate_groups(alone)))}")
    if args.many:
        rng, half = np.random.default_rng(args.seed), args.size // 2
        corners = rng.integers(0, args.size - half + 1, (args.many, 2)).tolist()
        pieces = [cloths[i % len(cloths)].crop((x, y, x + half, y + half)) for i, (x, y) in enumerate(corners)]
        many = np.stack([thumbnail(piece, args.size) for piece in pieces])
        began, worked = time.perf_counter(), time.process_time()
        near_duplicate_groups(many)
        seconds, work = time.perf_counter() - began, time.process_time() - worked
        print(f"{args.many} pictures: {seconds:.1f} s, {work:.1f} s of processor time")


if __name__ == "__main__":
    main()
