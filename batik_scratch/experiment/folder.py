"""An experiment's folder at work: how it appears, and the lock that keeps a second process out."""

from pathlib import Path

from ..errors import InputError
from ..record.experiment import ExperimentFiles
from ..study.locked_folder import LockedFolder
from .config import ExperimentConfig


class ExperimentFolder(LockedFolder, ExperimentFiles):
    """The files of an experiment, and the lock that keeps a second process out."""

    @classmethod
    def create(cls, path: Path, config: ExperimentConfig) -> "ExperimentFolder":
        """Make the folder appear, by one rename, with its configuration already in it and locked."""

        def fill(folder: Path) -> Path:
            files = ExperimentFiles(folder)
            files.config.write(config.to_toml())
            for inside in (files.cells, files.failed, files.maps):
                inside.mkdir()
            return files.config.path

        return cls.appear(path, fill)

    @classmethod
    def open(cls, path: Path) -> "ExperimentFolder":
        """An existing folder, locked, without what a killed process left half-written."""
        config = ExperimentFiles(path).config
        if not config.exists():
            raise InputError(
                f"--resume {path}: is no experiment's folder (no {config.name} there); start one with experiment --out"
            )
        folder = cls.take(path, config.path)
        for inside in (folder.cells, folder.failed, folder.maps):
            inside.mkdir(exist_ok=True)
        return folder
