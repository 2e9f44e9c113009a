"""Decode a folder once, before the first epoch: a uint8 file that later runs map into memory.

A cache file's name is a digest of everything that it depends on: every photo's bytes, name and class, the size, and the
decoder's version. So a changed, added or renamed photo makes a new file, and an outdated one is never read. Beside it
stands what was found in the pictures, with the rule that grouped them. What another rule grouped is decoded again, and
keeps its name, since a run folder knows its photos by that digest.

A cache may be shared. A file of another user that cannot be replaced is left alone, and a private one is used.
"""

import hashlib
import json
import logging
import os
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed

from ..bars import tqdm
from ..errors import InputError
from ..files import DAMAGE, default_mode, mapped, named, new_array, write_text
from . import kinds
from .duplicates import RULE, grey_thumbnail, near_duplicate_groups
from .places import own_name, user_cache, writable_cache
from .reading import DECODER_VERSION, READING, UnreadableImage, printable, read_with_notes, squeezed


@dataclass(frozen=True)
class Decoded:
    """What was found in the files of a folder, and where their pixels are.

    images    uint8 (N, size, size, 3) of the readable files, read-only, mapped from the cache file
    bad       {path: reason} of the others
    groups    (N,): equal numbers are copies or near-duplicates of one picture
    notes     {note: files}: see `notes`
    key       a digest of every file's content, name and class, and of the size
    """

    images: np.ndarray
    bad: dict[str, str]
    groups: np.ndarray
    notes: dict[str, int]
    key: str


def decoded(
    root: Path,
    files: Sequence[tuple[str, str]],
    size: int,
    cache_dir: str | os.PathLike | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Decoded:
    """The files (class, path below `root`) at one size: in parallel from their bytes, or from the cache.

    Without `cache_dir`, the cache is the user's: see `places.user_cache`.
    """
    paths = [root / relative for _, relative in files]
    digests = _in_parallel(_digest, paths, "hashing", workers, progress)
    key = _key(files, digests, size)
    found = Path(cache_dir) if cache_dir is not None else user_cache()
    names = (f"decoded-{key}", f"decoded-{key}-{own_name()}")  # the second where the first is another user's
    facts, pixels_file = _found(found, names, size)
    if facts is None:
        store = writable_cache(cache_dir)
        for name in names:
            pixels_file = store / f"{name}.npy"
            try:
                facts = _decode(paths, files, digests, size, pixels_file, workers, progress)
                write_text(store / f"{name}.json", json.dumps(facts))
                break
            except PermissionError:  # another user's, and not ours to replace
                if name == names[-1]:
                    raise
    assert facts is not None
    return Decoded(
        mapped(pixels_file),
        dict(facts["bad"]),
        np.array(facts["groups"], np.int64),
        facts["notes"],
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
    notes: Counter[str] = Counter()
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
                pixels[len(kept)], noted = result
                notes.update(noted)
                thumbnails.append(grey_thumbnail(result[0]))
                kept.append(digest)
        pixels.flush()
        del pixels
        with named(target):
            _shorten(Path(temporary), len(kept), size)
        os.chmod(temporary, default_mode())  # mkstemp makes it private
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    groups = near_duplicate_groups(np.stack(thumbnails), kept) if kept else np.zeros(0, np.int64)
    return {
        "bad": bad,
        "groups": groups.tolist(),
        "rule": RULE,
        "reading": _reading(),
        "notes": dict(sorted(notes.items())),
    }


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


def _try_read(path: Path, size: int) -> tuple[np.ndarray, tuple[str, ...]] | str:
    try:
        image, notes = read_with_notes(path)
        return squeezed(image, size), notes
    except UnreadableImage as error:
        if error.passing:  # not to be remembered of the file
            raise
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


def _found(store: Path, names: Sequence[str], size: int) -> tuple[dict[str, Any] | None, Path]:
    """The facts of the first of these that is whole, None if none is; and where its pixels are."""
    for name in names:
        pixels_file = store / f"{name}.npy"
        if (facts := _read_facts(store / f"{name}.json", pixels_file, size)) is not None:
            break
    return facts, pixels_file


def _read_facts(facts_file: Path, pixels_file: Path, size: int) -> dict[str, Any] | None:
    """What the cache says of a decoded folder; None if that is missing, incomplete, damaged or of another rule."""
    try:
        facts = json.loads(facts_file.read_text(encoding="utf-8", errors="surrogateescape"))
        pixels = mapped(pixels_file)
        whole = pixels.shape == (len(facts["groups"]), size, size, 3) and pixels.dtype == np.uint8
        whole = whole and facts["rule"] == RULE and facts["reading"] == _reading() and _well_formed(facts)
        return facts if whole else None
    except (OSError, KeyError, AttributeError, *DAMAGE):
        return None


def _well_formed(facts: Mapping[str, Any]) -> bool:
    """Whether the bad files, the groups and the notes are such, and not what a damaged file holds."""
    numbers = (*facts["groups"], *facts["notes"].values())
    pairs = all(isinstance(entry, list) and [type(part) for part in entry] == [str, str] for entry in facts["bad"])
    return pairs and all(type(number) is int and 0 <= number < 2**62 for number in numbers)


def _reading() -> list[Any]:
    """What decides how a file is read, besides the file: our rule, and whether HEIC is."""
    return [READING, kinds.heic_is_read()]
