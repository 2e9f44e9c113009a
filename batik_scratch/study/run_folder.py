"""A run folder at work: how it appears, and what must not change in it. What is in it: see `record`."""

from pathlib import Path
from typing import Any

from .. import nn
from ..errors import InputError
from ..record import Begun, RunFiles, StageFiles
from .config import TwoStageConfig
from .locked_folder import LockedFolder


class RunFolder(LockedFolder, RunFiles):
    """The files of a run folder, and the lock that keeps a second run out of it."""

    def drop_scratch(self) -> None:
        """Take away what only a run at work needs."""
        self.overlaid_pixels.remove()
        self.maps_in_work.remove()
        for stage in self.stages.values():
            drop_checkpoint(stage)

    @classmethod
    def create(cls, path: Path, config: TwoStageConfig) -> "RunFolder":
        """Make the folder appear, by one rename, with its configuration already in it and locked."""

        def fill(folder: Path) -> Path:
            files = RunFiles(folder)
            files.config.write(config.to_toml())
            files.begun.write(Begun(settings=recorded_settings(config), changes=[]))
            for stage in files.stages.values():
                stage.folder.mkdir()
            return files.config.path

        return cls.appear(path, fill)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run folder, locked, without what a killed process left half-written."""
        config = RunFiles(path).config
        if not config.exists():
            raise InputError(f"--resume {path}: is no run folder (no {config.name} there); start one with run --out")
        return cls.take(path, config.path)


def drop_checkpoint(stage: StageFiles) -> None:
    """Take away the checkpoint of a trained stage, which does not go on; the best weights stay."""
    nn.Checkpoint(stage.checkpoint).latest.unlink(missing_ok=True)


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


def check_photos(path: Path, data: str, file: str = "config.toml") -> None:
    """InputError if the photos of a run that goes on are no longer where `file`, in its folder, says."""
    if data and not Path(data).expanduser().is_dir():
        raise InputError(
            f"--resume {path}: the photos were in {data}, and there is no such folder; put them back, or write where "
            f'they are now into {file} (data = "...")'
        )
