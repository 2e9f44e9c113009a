"""A layer of your own: from the formula to a gradient that is known to be right, trained, saved and loaded.

    python examples/own_layer.py

The layer is a parametric ReLU. A ReLU makes negative values zero; this one keeps a share of them, and learns how large
a share, one number for each channel. Everything that a layer needs stands in the class `PReLU`; the rest of the file
uses it as if it had come with the package.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from batik_scratch import motifs, nn
from batik_scratch.errors import InputError
from batik_scratch.nn import gradcheck


class PReLU(nn.Layer):
    """Parametric rectified linear unit (He et al., 2015, arXiv:1502.01852).

    Forward   Y = X if X > 0, else a[c] X
    Backward  dX = dY if X > 0, else a[c] dY
              da[c] = sum over everything but the channel of  dY X [X <= 0]    each share collects what it multiplied

    Shapes    X, Y (N, ..., C), a (C,)
    Cost      one multiplication per value; caches X and its gate
    """

    def __init__(self, share: float = 0.25, name: str | None = None) -> None:
        super().__init__(name)
        self.share = share  # that every channel begins with

    def create_params(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"share": np.full(input_shape[-1], self.share)}  # (C,)

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        x = self._expect(x, self.input_shape, "forward")
        gate = x > 0  # (N, ..., C)
        self._keep((gate, x), training, keep)  # gradcheck looks for the gate here, and does not step across a kink
        return np.where(gate, x, self.params["share"] * x)  # (N, ..., C)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        gate, x = self._recall()
        dy = self._expect(dy, self.output_shape, "backward")
        if need_grads:
            all_but_channels = tuple(range(x.ndim - 1))
            self._set_grads(share=np.where(gate, 0, dy * x).sum(axis=all_but_channels))  # (C,)
        return np.where(gate, dy, self.params["share"] * dy) if need_dx else None  # (N, ..., C)

    def config(self) -> dict[str, Any]:
        return super().config() | {"share": self.share}  # what a model file writes down to build the layer again


def drawn(per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """per_class drawn cloths of each motif: float32 (N, 32, 32, 3) in [0, 1], and labels (N,)."""
    labels = np.repeat(np.arange(len(motifs.MOTIFS)), per_class)  # (N,)
    streams = [np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(len(labels))]
    pictures = [motifs.draw(motifs.MOTIFS[label], rng, size=32)[0] for label, rng in zip(labels, streams, strict=True)]
    return np.stack(pictures).astype(np.float32) / 255, labels


def small_network() -> nn.Sequential:
    """Two convolutions, each with a PReLU behind it."""
    layers: list[nn.Layer] = []
    for filters in (8, 16):
        layers += [nn.Conv2D(filters, 3), PReLU(), nn.MaxPooling2D(2)]
    layers += [nn.Flatten(), nn.Dense(len(motifs.MOTIFS)), nn.Softmax()]
    model = nn.Sequential(layers, input_shape=(32, 32, 3), random_state=0)
    model.compile(nn.Adam(2e-3), nn.SparseCategoricalCrossentropy())
    return model


def main() -> None:
    print("1. Is the gradient the derivative? Without this, nothing that follows means anything.")
    report = gradcheck.check_layer(PReLU(), (4, 5, 3))
    print(report)
    report.raise_if_wrong()

    print("\n2. Training: the layer's parameter is one of the model's, and the optimiser finds it by itself.")
    x, y = drawn(per_class=24, seed=0)
    model = small_network()
    before = model.evaluate(x, y)
    model.fit(x, y, batch_size=12, epochs=8, verbose=0)
    after = model.evaluate(x, y)
    for measure in ("loss", "accuracy"):
        print(f"{measure} {before[measure]:.3f} -> {after[measure]:.3f}")
    for layer in model.layers:
        if isinstance(layer, PReLU):
            print(f"{layer.name}: shares from {layer.share} to {np.round(layer.params['share'], 2)}")
    assert after["loss"] < before["loss"]

    print("\n3. Saved and loaded. A file holds no code, so whoever loads it brings the class along.")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "own_layer.npz"
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.save(file)  # every layer of a stranger's class is named
        print("saving warns:", str(said[0].message).removeprefix(f"{file}: "))
        try:
            nn.Sequential.load(file)
        except InputError as error:
            print("without it:", str(error).removeprefix(f"{file}: "))
        given = nn.Sequential.load(file, layers=[PReLU])
        nn.register(PReLU)  # as a decorator above the class, it says so once for all files
        found = nn.Sequential.load(file)
    assert np.array_equal(model.predict(x), given.predict(x)) and np.array_equal(model.predict(x), found.predict(x))
    print("with it, given or registered: the same predictions, bit for bit")


if __name__ == "__main__":
    main()
