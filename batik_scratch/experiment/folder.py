"""An experiment's folder at work: how it appears, and the lock that keeps a second process out."""

import os
import shutil
import tempfile
from pathlib import Path

from ..errors import InputError
from ..files import TEMPORARY, sync_folder
from ..record.experiment import ExperimentFiles
from ..study.run_folder import check_free, lock_folder
from .config import ExperimentConfig


class ExperimentFolder(ExperimentFiles):
    """The files, and the lock, which leaving the `with` block releases."""

    def __init__(self, path: Path, lock: int) -> None:
        super().__init__(path)
        self._lock = lock

    def __enter__(self) -> "ExperimentFolder":
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._lock)

    @classmethod
    def create(cls, path: Path, config: ExperimentConfig) -> "ExperimentFolder":
        """Make the folder appear, by one rename, with its configuration already in it and locked."""
        check_free(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-run-"))
        try:
            temporary.chmod(0o755)
            files = ExperimentFiles(temporary)
            files.config.write(config.to_toml())
            for inside in (files.cells, files.failed, files.maps):
                inside.mkdir()
            lock = lock_folder(files.config.path, path)
            os.rename(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(path.absolute().parent)
        return cls(path, lock)

    @classmethod
    def open(cls, path: Path) -> "ExperimentFolder":
        """An existing folder, locked, without what a killed process left half-written."""
        config = ExperimentFiles(path).config
        if not config.exists():
            raise InputError(
                f"--resume {path}: is no experiment's folder (no {config.name} there); start one with experiment --out"
            )
        folder = cls(path, lock_folder(config.path, path))
        for inside in (folder.cells, folder.failed, folder.maps):
            inside.mkdir(exist_ok=True)
        for leftover in path.rglob(f"{TEMPORARY}*"):
            leftover.unlink(missing_ok=True)
        return folder
