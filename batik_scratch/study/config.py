"""What a two-stage study is asked to do: one dataclass, a TOML file, presets, and checks before any work."""

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from ..errors import InputError
from ..motifs import DEFAULT_DIFFICULTY, PAPER_COUNTS, VERSION
from ..nn.initializers import BIASES


@dataclass(frozen=True)
class TwoStageConfig:
    """Every choice of a run: the paper's where it makes one, else chosen by measurement (README, "What is taken from
    the paper").

    network                "paper" (nn.paper_cnn) or "cloth" (nn.cloth_cnn), which has defaults of its own: NETWORKS
    data                   folder of photos, one subfolder per class; "" draws batik by code
    seed                   of everything random: split, weights, order, augmentation, dropout
    image_size             pixels; every picture is squeezed to image_size x image_size
    epochs, batch_size     per stage
    learning_rate          Adam's, at the start
    stop_at_accuracy       stop a stage when val_accuracy reaches it; 0 = never
    schedule               "plateau": the rate falls when nothing improves; "cosine": by plan (LearningRateSchedule)
    reduce_lr_factor       plateau: what the learning rate is multiplied by
    reduce_lr_patience     plateau: after so many epochs without a better val_loss
    warmup_epochs          how many epochs lead up to the full rate: by batch (plateau), or by epoch (cosine)
    first_bias             where the first convolution's biases begin: "centred" or "zeros" (nn.paper_cnn)
    validation_fraction    share of each class that is never trained on
    rotation_range         augmentation of training images: degrees, either way
    shift_range            ... fraction of the size, either way
    zoom_range             ... z draws factors from 1 - z to 1 + z
    horizontal_flip, vertical_flip    ... whether half of them are mirrored, and half turned upside down
    quarter_turns          ... whether they are turned by 0, 90, 180 or 270 degrees
    crop_area              ... random windows show at least this share of the picture; 1 = all of it
    views                  an answer is the mean over so many ways to lay the picture: 1, or all 8
    saliency_percentile    map values above this percentile count as full
    overlay_strength       weight of the blue where a map is full, in [0, 1]
    draw_counts, difficulty    without `data`: drawn images per class, and how hard they are, in [0, 1]
    drawn_version          ... of the drawing; another than this release's only to go on with a run that began with it
    skip_bad               leave out files that cannot be read, instead of stopping
    split_folders          `data` is split already, into train/CLASS and val/CLASS: take that split
    follow_links           read what symbolic links in `data` lead to
    """

    preset: str = "default"
    network: str = "paper"
    data: str = ""
    seed: int = 0
    image_size: int = 150
    epochs: int = 30
    batch_size: int = 8
    learning_rate: float = 3e-4
    stop_at_accuracy: float = 0.9
    schedule: str = "plateau"
    reduce_lr_factor: float = 1 / 3
    reduce_lr_patience: int = 10
    warmup_epochs: int = 1
    first_bias: str = "centred"
    validation_fraction: float = 0.25
    dropout: float = 0.2
    rotation_range: float = 20.0
    shift_range: float = 0.1
    zoom_range: float = 0.15
    horizontal_flip: bool = True
    vertical_flip: bool = False
    quarter_turns: bool = False
    crop_area: float = 1.0
    views: int = 1
    saliency_percentile: float = 99.0
    overlay_strength: float = 0.8
    draw_counts: tuple[int, ...] = tuple(PAPER_COUNTS.values())
    difficulty: float = DEFAULT_DIFFICULTY
    drawn_version: int = VERSION
    skip_bad: bool = False
    split_folders: bool = False
    follow_links: bool = False

    def __post_init__(self) -> None:
        if self.data and not self.data.strip():
            raise InputError(f"data: needs the name of a folder, got {self.data!r}; leave it out to draw batik")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise InputError(f"{_option(name)}: needs a value from {low:g} to {high:g}, got {value!r}")
        for name in _CHOICES:
            _check_choice(name, getattr(self, name))
        if len(self.draw_counts) != len(PAPER_COUNTS) or min(self.draw_counts) < 4:
            names, got = ", ".join(PAPER_COUNTS), list(self.draw_counts)
            raise InputError(f"draw_counts: needs a count of at least 4 for each of {names}; got {got}")

    def to_toml(self) -> str:
        """The config as TOML; `load_config` reads it back to an equal one."""
        return tomli_w.dumps(self.settings())

    def settings(self) -> dict[str, Any]:
        """Every key with its value, as TOML and JSON take them."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}


_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "image_size": (22, 1024),  # below 22 the network's third pooling has no 2x2 window left: see nn.paper_cnn
    "epochs": (1, 100_000),
    "batch_size": (1, 65_536),
    "learning_rate": (1e-12, 10.0),
    "stop_at_accuracy": (0, 1),
    "reduce_lr_factor": (1e-6, 0.999),
    "reduce_lr_patience": (0, 100_000),
    "warmup_epochs": (0, 100_000),
    "validation_fraction": (0.01, 0.9),
    "dropout": (0, 0.99),
    "rotation_range": (0, 180),
    "shift_range": (0, 1),
    "zoom_range": (0, 0.99),
    "crop_area": (0.01, 1),
    "saliency_percentile": (50, 100),
    "overlay_strength": (0, 1),
    "difficulty": (0, 1),
    "drawn_version": (2, VERSION),
}
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "table1": {"epochs": 100, "stop_at_accuracy": 0.0},
}
# what each network is trained with unless something else is said, and what --quick changes of that
NETWORKS: dict[str, dict[str, Any]] = {
    "paper": {},
    "cloth": {
        "image_size": 64,
        "batch_size": 16,
        "epochs": 60,
        "learning_rate": 3e-3,
        "stop_at_accuracy": 0.0,
        "schedule": "cosine",
        "warmup_epochs": 2,
        "dropout": 0.3,
        "rotation_range": 0.0,
        "shift_range": 0.0,
        "zoom_range": 0.0,
        "vertical_flip": True,
        "quarter_turns": True,
        "crop_area": 0.4,
        "views": 8,
    },
}
QUICK: dict[str, dict[str, Any]] = {
    "paper": {"image_size": 48, "epochs": 20, "learning_rate": 7e-4, "difficulty": 0.0},
    "cloth": {"epochs": 15},
}
_CHOICES: dict[str, Collection[Any]] = {
    "preset": PRESETS,
    "network": NETWORKS,
    "first_bias": BIASES,
    "schedule": ("plateau", "cosine"),
    "views": (1, 8),
}
# what releases did that had no such key: a run that they recorded goes on, and is repeated, with these
_BEFORE: dict[str, Any] = {
    "network": "paper",
    "first_bias": "zeros",
    "schedule": "plateau",
    "warmup_epochs": 0,
    "vertical_flip": False,
    "quarter_turns": False,
    "crop_area": 1.0,
    "views": 1,
    "drawn_version": 2,
    "split_folders": False,
    "follow_links": False,
}


def make_config(
    flags: Mapping[str, Any] | None = None, file: Path | None = None, preset: str | None = None, quick: bool = False
) -> TwoStageConfig:
    """Defaults, the network's, then the preset, `quick`, the TOML file, the flags: later ones win."""
    said = (read_toml(file) if file else {}) | dict(flags or {}) | ({"preset": preset} if preset else {})
    network, name = said.get("network", "paper"), said.get("preset", "default")
    for key, value in (("network", network), ("preset", name)):
        _check_choice(key, value)
    return TwoStageConfig(**NETWORKS[network] | PRESETS[name] | (QUICK[network] if quick else {}) | said)


def load_config(path: Path) -> TwoStageConfig:
    """The config that a run folder recorded."""
    return TwoStageConfig(**read_toml(path))


def read_toml(path: Path) -> dict[str, Any]:
    """The keys of a TOML file, each known to TwoStageConfig and of its type; InputError names the key at fault.

    A run records every key that its release knows. So a file that has all keys but later ones was written by an earlier
    release, and the later ones get the values that stand for what that release did.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"--config {path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"--config {path}: cannot be read as TOML: {error}") from None
    return _checked(values, path)


def from_table(values: dict[str, Any], path: Path) -> TwoStageConfig:
    """The config of a table of a TOML file, which was read from `path`: as `load_config` reads a whole file."""
    return TwoStageConfig(**_checked(values, path))


def _checked(values: dict[str, Any], path: Path) -> dict[str, Any]:
    defaults = {field.name: field.default for field in dataclasses.fields(TwoStageConfig)}
    for key, value in values.items():
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults)
            hint = f"did you mean {near[0]!r}?" if near else f"keys are {', '.join(defaults)}"
            raise InputError(f"--config {path}: unknown key {key!r}; {hint}")
        values[key] = _typed(key, value, type(defaults[key]), path)
    recorded = values.keys() >= defaults.keys() - _BEFORE.keys()
    return (_BEFORE if recorded else {}) | values


def _check_choice(name: str, value: Any) -> None:
    if value not in _CHOICES[name]:
        raise InputError(f"{_option(name)}: is one of {', '.join(map(str, _CHOICES[name]))}; got {value!r}")


def _typed(key: str, value: Any, kind: type, path: Path) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if kind is tuple and isinstance(value, list) and all(type(entry) is int for entry in value):
        return tuple(value)
    if type(value) is not kind:
        raise InputError(f"--config {path}: {key} needs a {kind.__name__}, got {value!r}")
    return value


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}" if name in ("seed", "image_size", "epochs", "preset", "network") else name
