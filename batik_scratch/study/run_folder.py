"""A run folder at work: how it appears, and how two runs are kept apart. What is in it: see `record`."""

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from .. import nn
from ..errors import InputError
from ..files import TEMPORARY, default_mode, sync_folder
from ..record import Begun, RunFiles, StageFiles
from .config import TwoStageConfig

try:
    import fcntl
except ImportError:  # Windows has no flock: two runs in one folder are then the user's to avoid
    fcntl = None  # type: ignore[assignment]


class RunFolder(RunFiles):
    """The files of a run folder, and the lock that keeps a second run out of it.

    The lock is the kernel's, on the file of the configuration: it ends with its process, however that ends. Leaving the
    `with` block releases it.
    """

    def __init__(self, path: Path, lock: int) -> None:
        super().__init__(path)
        self._lock = lock

    def __enter__(self) -> "RunFolder":
        return self

    def drop_scratch(self) -> None:
        """Take away what only a run at work needs."""
        self.overlaid_pixels.remove()
        self.maps_in_work.remove()
        for stage in self.stages.values():
            drop_checkpoint(stage)

    def __exit__(self, *error: object) -> None:
        os.close(self._lock)

    @classmethod
    def create(cls, path: Path, config: TwoStageConfig) -> "RunFolder":
        """Make the folder appear, by one rename, with its configuration already in it and locked."""
        check_free(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-run-"))
        try:
            temporary.chmod(default_mode(folder=True))
            files = RunFiles(temporary)
            files.config.write(config.to_toml())
            files.begun.write(Begun(settings=recorded_settings(config), changes=[]))
            for stage in files.stages.values():
                stage.folder.mkdir()
            lock = lock_folder(files.config.path, path)
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
    def open(cls, path: Path) -> "RunFolder":
        """An existing run folder, locked, without what a killed process left half-written."""
        config = RunFiles(path).config
        if not config.exists():
            raise InputError(f"--resume {path}: is no run folder (no {config.name} there); start one with run --out")
        folder = cls(path, lock_folder(config.path, path))
        for leftover in path.rglob(f"{TEMPORARY}*"):
            leftover.unlink(missing_ok=True)
        return folder


def drop_checkpoint(stage: StageFiles) -> None:
    """Take away the checkpoint of a trained stage, which does not go on; the best weights stay."""
    nn.Checkpoint(stage.checkpoint).latest.unlink(missing_ok=True)


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


def recorded_settings(config: TwoStageConfig) -> dict[str, Any]:
    """The settings of a run that must not change while it is interrupted: all but the place of the photos."""
    return {key: value for key, value in config.settings().items() if key != "data"}


def absolute(data: str) -> str:
    """The folder of photos, so named that it is found from anywhere; "" stays: batik is drawn."""
    return str(Path(data).expanduser().absolute()) if data else ""


def check_outside(path: Path, data: str) -> None:
    """InputError if an output folder would stand inside the folder of photos `data`, and become a class there."""
    if data and path.resolve().is_relative_to(Path(data).resolve()):
        raise InputError(
            f"--out {path}: is inside the photos' folder {data}, where the next run would take it for photos; "
            "choose a folder outside"
        )


def check_photos(path: Path, data: str) -> None:
    """InputError if the photos of a run that goes on are no longer where it found them."""
    if data and not Path(data).expanduser().is_dir():
        raise InputError(
            f"--resume {path}: the photos were in {data}, and there is no such folder; put them back, or write where "
            'they are now into config.toml (data = "...")'
        )
