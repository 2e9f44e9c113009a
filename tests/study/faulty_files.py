"""A disk that fails once: the n-th file operation below a folder raises what a kernel would, all others are real.

Counted are opening, reading, writing, cutting, flushing and syncing files, renaming, removing, asking for and making
files and folders, and reserving room. A short write stores half of its bytes before the disk is full; a short read
brings half of what was asked for, and then the disk is broken.
"""

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WAYS = {"full": errno.ENOSPC, "broken": errno.EIO, "forbidden": errno.EACCES, "vanished": errno.ENOENT}
SHORT = "short"
BY_PATH = ("replace", "rename", "unlink", "mkdir", "rmdir", "chmod", "scandir", "stat", "listdir")
BY_HANDLE = ("fsync", "posix_fallocate")


class FaultyDisk:
    """Counts the operations below `root`; the one with number `fails_at` fails in its `way`, if it can."""

    def __init__(self, root: Path, fails_at: int = 0, way: str = "broken") -> None:
        self.root, self.fails_at, self.way = str(root), fails_at, way
        self.operations: list[str] = []
        self.failed = False
        self.paths: dict[int, str] = {}  # of open handles

    def meet(self, name: str, path: Any, half: Callable[[], object] | None = None, nameless: bool = False) -> None:
        """One more operation; OSError if it is the one that fails."""
        text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else self.paths.get(path, "")
        if not os.path.abspath(text).startswith(self.root) or not text:
            return
        self.operations.append(f"{name} {os.path.relpath(text, self.root)}")
        if not self.fails_now() or (self.way == SHORT and half is None):
            return
        self.failed = True
        if self.way == SHORT and half is not None:
            half()
        number = WAYS.get(self.way, errno.EIO if name == "read" else errno.ENOSPC)
        # a failed write or sync knows no name, as a real one
        raise OSError(number, os.strerror(number), *([] if half or nameless else [text]))

    def fails_now(self) -> bool:
        """Whether the operation that was counted last is the one that fails."""
        return len(self.operations) == self.fails_at

    @contextmanager
    def at_work(self) -> Iterator["FaultyDisk"]:
        """While the block runs, every operation passes here."""
        with pytest.MonkeyPatch.context() as patch:
            for name in BY_PATH:
                patch.setattr(os, name, self._by_path(name, getattr(os, name)))
            for name in BY_HANDLE:
                patch.setattr(os, name, self._by_path(name, getattr(os, name), nameless=True))
            real_open, real_fdopen, real_files = os.open, os.fdopen, builtins.open

            def open_handle(path: Any, *rest: Any, **options: Any) -> int:
                self.meet("open", path)
                handle = real_open(path, *rest, **options)
                self.paths[handle] = os.fsdecode(path) if not isinstance(path, int) else ""
                return handle

            def open_file(path: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
                if isinstance(path, int):
                    return real_files(path, mode, *rest, **options)
                self.meet("open", path)
                return self._watched(real_files(path, mode, *rest, **options), os.fsdecode(path), mode)

            def open_by_handle(handle: int, mode: str = "r", *rest: Any, **options: Any) -> Any:
                return self._watched(real_fdopen(handle, mode, *rest, **options), self.paths.get(handle, ""), mode)

            patch.setattr(os, "open", open_handle)
            patch.setattr(os, "fdopen", open_by_handle)
            patch.setattr(builtins, "open", open_file)
            patch.setattr(io, "open", open_file)
            yield self

    def _by_path(self, name: str, real: Callable[..., Any], nameless: bool = False) -> Callable[..., Any]:
        def operation(path: Any = ".", *rest: Any, **options: Any) -> Any:
            self.meet(name, path, nameless=nameless)
            return real(path, *rest, **options)

        return operation

    def _watched(self, file: Any, path: str, mode: str) -> Any:
        if not path or not os.path.abspath(path).startswith(self.root):
            return file
        self.paths[file.fileno()] = path
        return Watched(self, file, path)


class Watched:
    """A file whose reading, writing, cutting and flushing pass by the disk."""

    def __init__(self, disk: FaultyDisk, file: Any, path: str) -> None:
        self._disk, self._file, self._path = disk, file, path

    def write(self, content: Any) -> Any:
        self._disk.meet("write", self._path, lambda: self._file.write(content[: len(content) // 2]))
        return self._file.write(content)

    def flush(self) -> None:
        self._disk.meet("flush", self._path, lambda: None)
        self._file.flush()

    def truncate(self, *size: int) -> int:
        self._disk.meet("truncate", self._path, nameless=True)
        return self._file.truncate(*size)

    def read(self, *size: int) -> Any:
        self._disk.meet("read", self._path, lambda: self._file.read(max(size[0], 0) // 2 if size and size[0] else 1))
        return self._file.read(*size)

    def readinto(self, memory: Any) -> int:
        self._disk.meet("read", self._path, lambda: self._file.read(len(memory) // 2))
        return self._file.readinto(memory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)
