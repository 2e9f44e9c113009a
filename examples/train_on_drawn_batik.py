"""Train the paper's network on drawn batik with plain `nn` calls: no pipeline, everything visible.

    python examples/train_on_drawn_batik.py [--size 64] [--per-class 120] [--epochs 20]

Prints an epoch a line and writes learning_curves.png.
"""

import argparse
from pathlib import Path

import numpy as np

from batik_scratch import figures, motifs, nn
from batik_scratch.figures import style


def draw_images(per_class: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """per_class images of each class: float32 (N, size, size, 3) in [0, 1], and labels (N,)."""
    labels = np.repeat(np.arange(len(motifs.MOTIFS)), per_class)  # (N,)
    streams = np.random.SeedSequence(seed).spawn(len(labels))
    drawn = [
        motifs.draw(motifs.MOTIFS[label], np.random.default_rng(stream), size=size)[0]
        for label, stream in zip(labels, streams, strict=True)
    ]
    return np.stack(drawn).astype(np.float32) / 255, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--per-class", type=int, default=120)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", default="learning_curves.png")
    options = parser.parse_args()

    x, y = draw_images(options.per_class, options.size, seed=0)
    x_validation, y_validation = draw_images(options.per_class // 3, options.size, seed=1)

    model = nn.paper_cnn(input_shape=x.shape[1:], classes=len(motifs.MOTIFS), random_state=0)
    model.summary()
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    history = model.fit(
        x,
        y,
        batch_size=16,
        epochs=options.epochs,
        validation_data=(x_validation, y_validation),
        callbacks=[nn.ReduceLROnPlateau("val_loss", factor=1 / 3, patience=10)],
    )

    print("validation:", model.evaluate(x_validation, y_validation))
    h = history.history
    epochs = range(1, len(h["loss"]) + 1)
    panel = figures.Curve("the paper's network", epochs, h["accuracy"], h["val_accuracy"], h["learning_rate"])
    Path(options.out).write_bytes(style.to_png(figures.curves([panel], "accuracy", top=1.0)))
    print("written:", options.out)


if __name__ == "__main__":
    main()
