"""What an experiment is asked to do: a study's settings, and how often, how split, and with which arms."""

import dataclasses
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..study import TwoStageConfig
from ..study.config import from_table
from ..toml import flat_toml
from .cells import REFERENCE


@dataclass(frozen=True)
class ExperimentConfig:
    """Every choice of an experiment.

    study        of each training; `validation_fraction` and `stop_at_accuracy` play no part: folds validate, and no
                 training ends early, since an accuracy that was caught at its best moment flatters
    arms         their names, see `arms`; "images", with which the others are compared, is among them
    repeats      how often the images are split anew into folds
    folds        parts of a split; each of them validates once what the others trained
    inits        initialisations from which every cell is trained
    inner_folds  parts of the training images, so that each one's map comes from a network that it did not train
    permuted     so many of the repeats are run once more with permuted labels, which nobody can learn
    """

    study: TwoStageConfig
    arms: tuple[str, ...]
    repeats: int = 5
    folds: int = 4
    inits: int = 2
    inner_folds: int = 3
    permuted: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("repeats", 1, 1000),
            ("folds", 2, 100),
            ("inits", 1, 1000),
            ("inner_folds", 2, 100),
            ("permuted", 0, self.repeats),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                option = f"--{name.replace('_', '-')}"
                raise InputError(f"{option}: needs a whole number from {low} to {high}, got {value!r}")
        if self.study.split_folders:
            raise InputError(
                "--split-folders: an experiment splits the images itself, again and again; give --data a folder with "
                "one subfolder per class"
            )
        if REFERENCE not in self.arms:
            raise InputError(
                f"--arms: needs {REFERENCE!r}, with which the others are compared; got {', '.join(self.arms) or 'none'}"
            )
        if len(set(self.arms)) != len(self.arms):
            raise InputError(f"--arms: needs each arm once, got {', '.join(self.arms)}")

    def to_toml(self) -> str:
        """The config as TOML; `load_experiment_config` reads it back to an equal one."""
        return flat_toml(self.own(), "experiment") + "\n[study]\n" + self.study.to_toml()

    def own(self) -> dict[str, Any]:
        """The settings beside those of the study."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "study"}

    def settings(self) -> dict[str, Any]:
        """All settings as JSON takes them; of the photos' folder only its name, since another machine has another."""
        study = dataclasses.asdict(self.study) | {"data": Path(self.study.data).name}
        return json.loads(json.dumps({"experiment": self.own(), "study": study}))


def load_experiment_config(path: Path) -> ExperimentConfig:
    """The config that an experiment's folder recorded; InputError if it is not as `experiment` writes it."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        own: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in tables["experiment"].items()}
        return ExperimentConfig(from_table(tables["study"], path), **own)
    except (OSError, KeyError, TypeError, AttributeError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path}: is not as `experiment` writes it ({error!r:.200}); this folder is damaged, start a new experiment"
        ) from None
