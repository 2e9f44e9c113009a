"""Decode a folder once, before the first epoch: a uint8 file that later runs map into memory.

A cache file's name is a digest of everything that it depends on: every photo's bytes, name and class, the size, and the
decoder's version. So a changed, added or renamed photo makes a new file, and an outdated one is never read. Beside it
stands what was found in the pictures, with the rule that grouped them. What another rule grouped is decoded again, and
keeps its name, since a run folder knows its photos by that digest.
"""

import hashlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed
from tqdm import tqdm

from ..errors import InputError
from ..files import new_array, write_text
from .duplicates import RULE, grey_thumbnail, near_duplicate_groups
from .folders import check_counts, list_folder
from .places import user_cache
from .reading import DECODER_VERSION, UnreadableImage, printable, read_pixels


@dataclass(frozen=True)
class ImageSet:
    """Decoded images of a folder.

    images         uint8 (N, size, size, 3), read-only, mapped from the cache file
    labels         int64 (N,), the class's place in the sorted `class_names`
    paths          relative to the folder, "/" between; sorted by class, then path
    groups         int64 (N,): equal numbers are copies or near-duplicates of one picture
    skipped        (path, reason) of files left out by skip_bad
    key            a digest of every file's content, name and class, and of the size
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: list[str]
    paths: list[str]
    groups: np.ndarray
    skipped: list[tuple[str, str]]
    key: str


def load_folder(
    folder: str | os.PathLike,
    size: int,
    skip_bad: bool = False,
    cache_dir: str | os.PathLike | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> ImageSet:
    """Every image of `folder/CLASS/...` as uint8 (N, size, size, 3), decoded in parallel or found in the cache.

    Files that do not decode raise InputError naming them, or are left out with `skip_bad`. Without `cache_dir`, the
    cache is the user's: see `places.user_cache`.
    """
    listing = list_folder(folder)
    check_counts(listing, folder)
    paths = [listing.root / relative for _, relative in listing.files]
    digests = _in_parallel(_digest, paths, "hashing", workers, progress)
    key = _key(listing.files, digests, size)
    store = _cache_folder(cache_dir)
    pixels_file, facts_file = store / f"decoded-{key}.npy", store / f"decoded-{key}.json"
    facts = _read_facts(facts_file, pixels_file, size)
    if facts is None:
        facts = _decode(paths, listing.files, digests, size, pixels_file, workers, progress)
        write_text(facts_file, json.dumps(facts))
    bad = {relative: reason for relative, reason in facts["bad"]}
    if bad and not skip_bad:
        raise InputError(_unreadable_message(folder, list(bad.items())))
    listing.files = [(name, relative) for name, relative in listing.files if relative not in bad]
    check_counts(listing, folder)
    places = {name: label for label, name in enumerate(listing.class_names)}
    return ImageSet(
        np.load(pixels_file, mmap_mode="r"),
        np.array([places[name] for name, _ in listing.files], np.int64),
        listing.class_names,
        [relative for _, relative in listing.files],
        np.array(facts["groups"], np.int64),
        list(bad.items()),
        key,
    )


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence Pillow about odd metadata of strangers' files; what matters to us is an error, and still raised."""
    logger = logging.getLogger("PIL")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    finally:
        logger.setLevel(level)


def _decode(
    paths: Sequence[Path],
    files: Sequence[tuple[str, str]],
    digests: Sequence[bytes],
    size: int,
    target: Path,
    workers: int | None,
    progress: bool,
) -> dict[str, Any]:
    """Write the pixels of all readable files to `target`; returns the bad files with reasons, and the groups."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-", suffix=".npy")
    os.close(handle)
    bad: list[tuple[str, str]] = []
    thumbnails: list[np.ndarray] = []
    kept: list[bytes] = []  # digests of the readable files
    try:
        pixels = new_array(temporary, np.uint8, (len(paths), size, size, 3))
        jobs = (delayed(_try_read)(path, size) for path in paths)
        results = Parallel(workers or cpu_count(), prefer="threads", return_as="generator")(jobs)
        bar = tqdm(
            results, total=len(paths), desc="decoding", unit="image", leave=False, disable=None if progress else True
        )
        with quiet_pillow():
            for (_, relative), digest, result in zip(files, digests, bar, strict=True):
                if isinstance(result, str):
                    bad.append((relative, result))
                    continue
                pixels[len(kept)] = result
                thumbnails.append(grey_thumbnail(result))
                kept.append(digest)
        pixels.flush()
        del pixels
        _shorten(Path(temporary), len(kept), size)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    groups = near_duplicate_groups(np.stack(thumbnails), kept) if kept else np.zeros(0, np.int64)
    return {"bad": bad, "groups": groups.tolist(), "rule": RULE}


def _shorten(file: Path, count: int, size: int) -> None:
    """Give a .npy of uint8 (N, size, size, 3) a header for its first `count` images only."""
    with file.open("r+b") as stream:
        np.lib.format.read_magic(stream)
        shape, _, _ = np.lib.format.read_array_header_1_0(stream)
        start = stream.tell()
        if shape[0] == count:
            return
        stream.seek(0)
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
        )
        if stream.tell() != start:  # numpy pads headers with room to grow, so this does not happen
            raise RuntimeError("the header of a .npy file changed its length")
        stream.truncate(start + count * size * size * 3)


def _try_read(path: Path, size: int) -> np.ndarray | str:
    try:
        return read_pixels(path, size)
    except UnreadableImage as error:
        return error.reason


def _in_parallel(function: Any, items: Sequence[Any], title: str, workers: int | None, progress: bool) -> list[Any]:
    results = Parallel(workers or cpu_count(), prefer="threads", return_as="generator")(
        delayed(function)(i) for i in items
    )
    # only a very large folder takes longer than the delay: no bar for the others
    return list(
        tqdm(
            results, total=len(items), desc=title, unit="file", leave=False, delay=2, disable=None if progress else True
        )
    )


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()[:16]
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror}") from None


def _key(files: Sequence[tuple[str, str]], digests: Sequence[bytes], size: int) -> str:
    whole = hashlib.blake2b(f"{DECODER_VERSION} {size}".encode(), digest_size=16)
    for (_, relative), digest in zip(files, digests, strict=True):
        whole.update(os.fsencode(relative) + b"\0" + digest)
    return whole.hexdigest()


def _read_facts(facts_file: Path, pixels_file: Path, size: int) -> dict[str, Any] | None:
    """What the cache says of a decoded folder; None if that is missing, incomplete, damaged or of another rule."""
    try:
        facts = json.loads(facts_file.read_text(encoding="utf-8", errors="surrogateescape"))
        pixels = np.load(pixels_file, mmap_mode="r")
        whole = pixels.shape == (len(facts["groups"]), size, size, 3) and pixels.dtype == np.uint8
        return facts if whole and facts["rule"] == RULE else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _cache_folder(chosen: str | os.PathLike | None) -> Path:
    folder = Path(chosen) if chosen is not None else user_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        temporary = Path(tempfile.mkdtemp(prefix="batik_scratch-"))
        warnings.warn(
            f"the cache folder {folder} cannot be written ({error.strerror}); decoding into {temporary} for this run. "
            "Set BATIK_SCRATCH_CACHE to a writable folder.",
            RuntimeWarning,
            stacklevel=3,
        )
        return temporary


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
