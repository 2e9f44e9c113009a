"""The network that comes with the lab, and the epochs of its training.

Made again, into a folder, by `python -m batik_scratch.lab.training FOLDER`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import nn

HERE = Path(__file__).parent
MODEL, EPOCHS = "model.npz", "epochs.npz"
CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Epochs:
    """What was kept of a training.

    epoch        (E,) how many epochs of training were over; 0 is the network as it was drawn
    weights      float32 (E, P), every parameter in the model's order, one after the other
    confusion    (E, U, U) of images that it never trained on: rows are true classes
    curves       {"loss", "accuracy", "val_loss", "val_accuracy"}: one number after every epoch, 0 included
    """

    epoch: np.ndarray
    weights: np.ndarray
    confusion: np.ndarray
    curves: dict[str, np.ndarray]


def model_file(folder: Path = HERE) -> Path:
    """Where the network is."""
    return folder / MODEL


def read_epochs(folder: Path = HERE) -> Epochs:
    """What `training` wrote, and the network itself as the last epoch."""
    with np.load(folder / EPOCHS, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    model = nn.Sequential.load(model_file(folder))
    last = np.concatenate([w.ravel() for w in model.get_weights()])  # (P,)
    return Epochs(
        arrays["epoch"],
        np.concatenate([arrays["weights"].astype(np.float32), last[None]]),  # (E, P)
        arrays["confusion"],
        {name: arrays[name] for name in CURVES},
    )
