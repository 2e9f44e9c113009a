"""Train the lab's network again: `python -m batik_scratch.lab.training FOLDER`. About a minute on two cores.

It is of the paper's shape and small: 64 pixels, 8, 12 and 16 filters, 16 dense units. The weights of some epochs are
kept in float16, for looking at; those of the last one are the model file's, in float32.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from .. import nn
from ..files import write_npz
from ..motifs import MOTIFS, cached_dataset
from .recorded import CURVES, EPOCHS, model_file

SIZE, PER_CLASS, VALIDATION_PER_CLASS = 64, 300, 60
KEPT = (0, 1, 2, 3, 5, 8, 12, 18, 26, 40)  # epochs: most changes early
TRAINING_SEED, VALIDATION_SEED = 1, 2


def network() -> nn.Sequential:
    """The untrained network, 12,127 parameters."""
    layers: list[nn.Layer] = []
    for filters, bias in ((8, "centred"), (12, "zeros"), (16, "zeros")):
        layers += [nn.Conv2D(filters, 3, bias_initializer=bias), nn.ReLU(), nn.MaxPooling2D(2)]
    layers += [nn.Flatten(), nn.Dropout(0.2), nn.Dense(16), nn.ReLU(), nn.Dense(len(MOTIFS)), nn.Softmax()]
    return nn.Sequential(layers, input_shape=(SIZE, SIZE, 3), random_state=0)


class Recorder(nn.Callback):
    """Keeps weights and confusion matrices of the epochs in KEPT, and every epoch's curves."""

    def __init__(self, x: np.ndarray, y: np.ndarray, x_val: np.ndarray, y_val: np.ndarray) -> None:
        self.training, self.validation = (x, y), (x_val, y_val)
        self.weights: list[np.ndarray] = []
        self.confusion: list[np.ndarray] = []
        self.curves: dict[str, list[float]] = {name: [] for name in CURVES}

    def record(self, model: nn.Sequential, epoch: int) -> None:
        """What the network is after `epoch` epochs; the training images are judged without dropout."""
        for prefix, data in (("", self.training), ("val_", self.validation)):
            for name, value in model.evaluate(*data).items():
                self.curves[prefix + name].append(value)
        if epoch in KEPT:
            x, y = self.validation
            confusion = np.zeros((len(MOTIFS), len(MOTIFS)), np.int64)  # (U, U)
            np.add.at(confusion, (y, model.predict(x).argmax(axis=1)), 1)
            self.weights.append(np.concatenate([w.ravel() for w in model.get_weights()]))  # (P,)
            self.confusion.append(confusion)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.record(self.model, epoch + 1)  # type: ignore[arg-type]


def cloths(seed: int, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Drawn cloths x (N, SIZE, SIZE, 3) in [0, 1] and their classes y (N,)."""
    folder = cached_dataset(seed, [per_class] * len(MOTIFS), SIZE)
    files = [
        (path, label) for label, name in enumerate(MOTIFS) for path in sorted((folder / "images" / name).iterdir())
    ]
    pixels = np.stack([np.asarray(Image.open(path)) for path, _ in files])  # (N, SIZE, SIZE, 3)
    return pixels.astype(np.float32) / 255, np.array([label for _, label in files])


def main(folder: Path) -> None:
    """Train, and write both files."""
    x, y = cloths(TRAINING_SEED, PER_CLASS)
    x_val, y_val = cloths(VALIDATION_SEED, VALIDATION_PER_CLASS)
    model = network()
    model.metadata = {"class_names": list(MOTIFS), "image_size": SIZE}
    model.compile(optimizer=nn.Adam(1e-3), loss=nn.SparseCategoricalCrossentropy())
    recorder = Recorder(x, y, x_val, y_val)
    recorder.record(model, 0)
    model.fit(x, y, batch_size=16, epochs=KEPT[-1], callbacks=[recorder])
    folder.mkdir(parents=True, exist_ok=True)
    model.save(model_file(folder))
    told = {
        "epoch": np.array(KEPT),
        "weights": np.stack(recorder.weights[:-1]).astype(np.float16),  # the last ones are the model's
        "confusion": np.stack(recorder.confusion),
        **{name: np.array(values) for name, values in recorder.curves.items()},
    }
    write_npz(folder / EPOCHS, told)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
