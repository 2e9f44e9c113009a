"""Whole drawn data sets: images, masks and a manifest with every drawn parameter."""

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed
from PIL import Image
from tqdm import tqdm

from ..errors import InputError
from ..files import default_mode, named
from ..images.places import own_name, user_cache, writable_cache
from .drawing import DEFAULT_DIFFICULTY, MOTIFS, VERSION, check, draw_described

Row = dict[str, Any]
FIRST_COLUMNS = ("path", "mask", "class", "index", "seed", "size", "difficulty", "mask_share")


def write_dataset(
    folder: str | os.PathLike,
    counts: Mapping[str, int] | Sequence[int],
    seed: int,
    size: int = 150,
    difficulty: float = DEFAULT_DIFFICULTY,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Draw `folder`/images/CLASS/*.png, `folder`/masks/CLASS/*.png and `folder`/manifest.csv.

    counts: {class: images}, or numbers in the order of MOTIFS. Image i of a class depends on (seed, class, i) alone.
    The folder must not exist yet, or be empty; it appears when all of it is drawn. Raises InputError before anything is
    drawn.
    """
    target = Path(folder)
    wanted = _checked_counts(counts)
    for motif in wanted:
        check(motif, size, difficulty)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed needs a whole number >= 0, got {seed!r}")
    _check_free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-batik-"))
    except OSError as error:
        raise InputError(f"{target}: cannot be made ({error.strerror}); choose a writable place") from None
    try:
        temporary.chmod(default_mode(folder=True))
        for motif in wanted:
            (temporary / "images" / motif).mkdir(parents=True)
            (temporary / "masks" / motif).mkdir(parents=True)
        tasks = [(motif, i) for motif, n in wanted.items() for i in range(n)]
        jobs = (delayed(_draw_one)(temporary, motif, i, seed, size, difficulty) for motif, i in tasks)
        # processes, not threads: NumPy on small arrays holds the interpreter's lock; a few images do not pay for them
        n_jobs = 1 if len(tasks) < 64 else workers or cpu_count()
        results = Parallel(n_jobs, return_as="generator", batch_size="auto")(jobs)
        rows = list(
            tqdm(
                results, total=len(tasks), desc="drawing", unit="image", leave=False, disable=None if progress else True
            )
        )
        _write_manifest(temporary / "manifest.csv", rows)
        os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return target


def cached_dataset(
    seed: int,
    counts: Mapping[str, int] | Sequence[int],
    size: int = 150,
    difficulty: float = DEFAULT_DIFFICULTY,
    progress: bool = True,
    version: int = VERSION,
) -> Path:
    """The folder of such a data set in the user's cache, drawn now if it is not there yet.

    version: of the drawing. A set of another version than VERSION is found if it was drawn before; if it is gone, this
    release cannot draw it: InputError.
    """
    wanted = _checked_counts(counts)
    text = f"{version} {seed} {size} {difficulty!r} {sorted(wanted.items())}"
    name = f"drawn-{hashlib.blake2b(text.encode(), digest_size=10).hexdigest()}"
    names = (name, f"{name}-{own_name()}")  # in a shared cache another user's may be closed to us
    if found := _drawn_before(user_cache(), names):
        return found
    if version != VERSION:
        raise InputError(
            f"version: this release draws cloths of version {VERSION}, got {version}, whose set is no longer in "
            f"{user_cache()}; finish that run with the release that began it, or start a new run"
        )
    store = writable_cache()
    target = next(store / name for name in names if name == names[-1] or not os.path.lexists(store / name))
    try:
        write_dataset(target, wanted, seed, size, difficulty, progress=progress)
    except (InputError, OSError):
        if found := _drawn_before(store, names):  # another process was first, with the same bits
            return found
        raise
    return target


def _drawn_before(store: Path, names: Sequence[str]) -> Path | None:
    """The first of these sets that is there and may be read."""
    return next((store / name for name in names if os.access(store / name / "manifest.csv", os.R_OK)), None)


def _draw_one(folder: Path, motif: str, index: int, seed: int, size: int, difficulty: float) -> Row:
    key = int.from_bytes(hashlib.blake2b(motif.encode(), digest_size=8).digest(), "big")
    rng = np.random.default_rng(np.random.SeedSequence([seed, key, index]))
    image, mask, drawn = draw_described(motif, rng, size, difficulty)
    name = f"{motif}/{motif}_{index:05d}.png"
    picture, truth = f"images/{name}", f"masks/{name}"
    for file, pixels in ((picture, image), (truth, mask)):
        with named(folder / file):
            Image.fromarray(pixels).save(folder / file)
    fixed = (picture, truth, motif, index, seed, size, difficulty, round(float(mask.mean()), 4))
    return dict(zip(FIRST_COLUMNS, fixed, strict=True)) | drawn


def _write_manifest(path: Path, rows: Sequence[Row]) -> None:
    columns = list(FIRST_COLUMNS) + sorted({key for row in rows for key in row} - set(FIRST_COLUMNS))
    with named(path), path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _checked_counts(counts: Mapping[str, int] | Sequence[int]) -> dict[str, int]:
    if not isinstance(counts, Mapping):
        if len(counts) != len(MOTIFS):
            raise InputError(f"counts: needs {len(MOTIFS)} numbers ({', '.join(MOTIFS)}), got {list(counts)}")
        counts = dict(zip(MOTIFS, counts, strict=True))
    if (
        not counts
        or any(not isinstance(n, int | np.integer) or n < 0 for n in counts.values())
        or not sum(counts.values())
    ):
        raise InputError(f"counts: needs whole numbers >= 0, at least one above; got {dict(counts)}")
    return {motif: int(n) for motif, n in counts.items()}


def _check_free(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise InputError(f"{target}: exists and is not empty; nothing was touched. Choose another folder, or remove it")
    parent = next(p for p in target.absolute().parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"{target}: cannot be made, {parent} is not a writable folder; choose another place")
