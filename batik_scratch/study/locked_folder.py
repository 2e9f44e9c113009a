"""A folder at work: how it appears whole, and the lock by which two processes are kept apart."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Self

from ..errors import InputError
from ..files import TEMPORARY, default_mode, sync_folder

try:
    import fcntl
except ImportError:  # Windows has no flock: two runs in one folder are then the user's to avoid
    fcntl = None  # type: ignore[assignment]


class LockedFolder:
    """What RunFolder and ExperimentFolder share; their other parent says which files there are.

    The lock is the kernel's, on a file that the folder holds from its beginning: it ends with its process, however that
    ends. Leaving the `with` block releases it.
    """

    def __init__(self, path: Path, lock: int) -> None:
        super().__init__(path)  # type: ignore[call-arg]  # of the class of files, the other parent
        self._lock = lock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._lock)

    @classmethod
    def appear(cls, path: Path, fill: Callable[[Path], Path]) -> Self:
        """Make the folder appear, by one rename, with all that `fill` puts into it, and locked.

        fill    is given a folder that nobody else sees yet, and returns the file in it that will carry the lock
        """
        check_free(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-run-"))
        try:
            temporary.chmod(default_mode(folder=True))
            lock = lock_folder(fill(temporary), path)
            os.rename(temporary, path)
        except BaseException as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                check_free(path)  # another run was first
            raise
        folder = cls(path, lock)
        try:
            sync_folder(path.absolute().parent)
        except BaseException:
            folder.__exit__()  # else this process keeps itself out
            raise
        return folder

    @classmethod
    def take(cls, path: Path, file: Path) -> Self:
        """An existing folder, locked on that file of it, without what a killed process left half-written."""
        folder = cls(path, lock_folder(file, path))
        for leftover in path.rglob(f"{TEMPORARY}*"):
            leftover.unlink(missing_ok=True)
        return folder


def lock_folder(file: Path, folder: Path) -> int:
    """Take the lock of a folder, on a file that it holds from its beginning; returns the open file's number.

    InputError if another process has it.
    """
    handle = os.open(file, os.O_RDONLY)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise InputError(f"{folder}: another run is at work in this folder; wait for it, or choose another") from None
    except OSError:  # a file system without locks
        pass
    return handle


def check_free(path: Path) -> None:
    """InputError unless `path` can become such a folder: it must not exist, or be an empty folder."""
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise InputError(
            f"--out {path}: exists and is not empty; nothing was touched. Choose another folder, or remove it"
        )
    parent = next(p for p in path.absolute().parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"--out {path}: cannot be made, {parent} is not a writable folder; choose another place")
