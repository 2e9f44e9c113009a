"""What is asked before anything is explained: which methods can, is the answer a number, is there a place for it."""

from pathlib import Path

import numpy as np

from .. import nn
from ..errors import InputError
from ..saliency import catalogue


def usable_methods(method: str, *models: nn.Sequential) -> dict[str, catalogue.Entry]:
    """The method called `method`; of "all", those that can explain every model. InputError if a single one cannot."""
    entries = {}
    for name, entry in catalogue.chosen(method).items():
        try:
            for model in models:
                entry.make(model)
        except InputError:
            if method != "all":
                raise
            continue
        entries[name] = entry
    return entries


def check_finite(values: np.ndarray, file: Path | str) -> None:
    """InputError if the network in `file` predicts a value that is no number."""
    if not np.isfinite(values).all():
        raise InputError(f"{file}: predicts NaN or infinity, which nothing can explain; train the network again")


def make_folder(out: Path) -> None:
    """The folder, if it is not there yet; InputError if a file is in its place."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; nothing was touched. Choose a folder")
    out.mkdir(parents=True, exist_ok=True)
