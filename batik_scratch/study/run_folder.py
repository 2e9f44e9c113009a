"""The run folder: every file of it has one writer and one name, here.

config.toml split.csv data.json network.txt run.json    run.json alone holds times, dates, paths, versions
stage1/ stage2/   history.csv metrics.json predictions.csv model.npz saliency.npz checkpoint/
overlaid/CLASS/*.png  examples.npz  figures/ tables/ report.html
"""

import csv
import errno
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import TEMPORARY, sync_folder, write_text
from .config import TwoStageConfig

try:
    import fcntl
except ImportError:  # Windows has no flock: two runs in one folder are then the user's to avoid
    fcntl = None  # type: ignore[assignment]

STAGES = ("stage1", "stage2")


class RunFolder:
    """Paths inside a run folder, how its tables are written, and the lock that keeps two runs apart.

    The lock is the kernel's, on config.toml: it ends with its process, however that ends. `with` releases it.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path, self._lock = path, lock

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._lock)

    @classmethod
    def create(cls, path: Path, config: TwoStageConfig) -> "RunFolder":
        """Make the folder appear, by one rename, with config.toml already in it and locked."""
        check_free(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-run-"))
        try:
            temporary.chmod(0o755)
            write_text(temporary / "config.toml", config.to_toml())
            for stage in STAGES:
                (temporary / stage).mkdir()
            lock = _lock(temporary / "config.toml", path)
            os.rename(temporary, path)
        except BaseException as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                check_free(path)  # another run was first
            raise
        sync_folder(path.absolute().parent)
        return cls(path, lock)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run folder, locked, without what a killed process left half-written."""
        if not (path / "config.toml").is_file():
            raise InputError(f"--resume {path}: is no run folder (no config.toml there); start one with run --out")
        folder = cls(path, _lock(path / "config.toml", path))
        for leftover in path.rglob(f"{TEMPORARY}*"):
            leftover.unlink(missing_ok=True)
        return folder

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write `name` as readable JSON."""
        write_text(self.path / name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write `name` as CSV; floats in full, so that they read back to the same bits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        write_text(self.path / name, text.getvalue())


def _lock(file: Path, folder: Path) -> int:
    """Take the lock of a run folder; InputError where another process has it. Returns the open file's number."""
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
    """InputError unless `path` can become a run folder: it must not exist, or be an empty folder."""
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise InputError(
            f"--out {path}: exists and is not empty; nothing was touched. Choose another folder, or remove it"
        )
    parent = next(p for p in path.absolute().parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"--out {path}: cannot be made, {parent} is not a writable folder; choose another place")
