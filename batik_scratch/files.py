"""Writing files so that a crash leaves the old one or the new one, never half of one."""

import errno
import os
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np

from .browser import in_browser

# what NumPy and zipfile are known to raise on a damaged .npy or .npz, besides OSError and KeyError
DAMAGE = (
    *(ValueError, TypeError, EOFError, SyntaxError, RuntimeError, OverflowError, MemoryError, NotImplementedError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
TEMPORARY = ".new-"  # begins the name of a file that is not finished
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of every member of an archive: equal arrays make equal files


@contextmanager
def named(path: str | os.PathLike) -> Iterator[None]:
    """An error of the system that names no file, as a failed write or sync does, gets the name of this one."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[IO[bytes]]:
    """A binary file that becomes `path` when the block ends well: temporary file beside it, fsync, rename, fsync."""
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=TEMPORARY, suffix=".tmp")
    try:
        with named(target), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, default_mode())  # mkstemp makes it private
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):  # the failure itself is what must be told
            Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Write bytes atomically."""
    with atomic(path) as file:
        file.write(content)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write UTF-8 text atomically; file names that are not UTF-8 keep their bytes (surrogateescape)."""
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an uncompressed `.npz`, atomically, without pickle; the same arrays give the same bytes."""
    with atomic(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


class UnmappedArray(np.ndarray):
    """An array that stands in memory, and in its file after `flush`: for browsers, which lose what a map is given."""

    path: str | os.PathLike

    def flush(self) -> None:
        """Write the file."""
        np.save(self.path, self.view(np.ndarray))


def new_array(path: str | os.PathLike, dtype: type, shape: tuple[int, ...]) -> np.memmap | UnmappedArray:
    """A new `.npy` file of zeros, mapped into memory; OSError now, not a crash later, where the disk has no room."""
    if in_browser():
        unmapped = np.zeros(shape, dtype).view(UnmappedArray)
        unmapped.path = path
        return unmapped
    with named(path):
        array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate") and array.nbytes:  # else a full disk kills the process at the first write
        try:
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # file systems that cannot reserve room
                raise OSError(error.errno, error.strerror, str(path)) from None
    return array


def mapped(path: str | os.PathLike) -> np.ndarray:
    """The array of an `.npy` file, mapped into memory to be read; DAMAGE if it is none."""
    with named(path):
        return np.load(path, mmap_mode=None if in_browser() else "r")


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut (where the system can)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            with named(folder):
                os.fsync(handle)
        finally:
            os.close(handle)


def default_mode(folder: bool = False) -> int:
    """The permissions of a new file (or folder), as the user's umask has them."""
    if in_browser():  # it says that the user forbids everything
        mask = 0o022
    else:
        mask = os.umask(0)
        os.umask(mask)
    return (0o777 if folder else 0o666) & ~mask
