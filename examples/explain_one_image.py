"""Explain one image: which pixels did the network look at? A figure of the image, the raw map and the overlay.

    python examples/explain_one_image.py [--model RUN/stage1/model.npz --image photo.jpg] [--out explanation.png]

Without a model it trains one on drawn batik first, which takes half a minute.
"""

import argparse
from pathlib import Path

import numpy as np
from train_on_drawn_batik import draw_images

from batik_scratch import figures, images, motifs, nn, saliency
from batik_scratch.figures import style


def trained_on_drawn_batik(size: int) -> nn.Sequential:
    """The paper's network after a few epochs on drawn batik."""
    x, y = draw_images(120, size, seed=0)
    model = nn.paper_cnn(input_shape=x.shape[1:], classes=len(motifs.MOTIFS), random_state=0)
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    model.fit(x, y, epochs=20)
    model.metadata = {"class_names": list(motifs.MOTIFS)}
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="model file; without it one is trained on drawn batik")
    parser.add_argument("--image", type=Path, help="photo; without it a cloth is drawn")
    parser.add_argument("--out", default="explanation.png")
    options = parser.parse_args()

    model = nn.Sequential.load(options.model) if options.model else trained_on_drawn_batik(size=64)
    size = model.input_shape[0]
    if options.image:
        pixels = images.read_pixels(options.image, size)  # (H, W, 3)
    else:
        pixels, _ = motifs.draw("mega_mendung", np.random.default_rng(7), size=size)

    x = pixels[None].astype(np.float32) / 255  # (1, H, W, 3)
    probabilities = model.predict(x)[0]  # (U,)
    gradient = saliency.Gradient(model).attribute(x)  # (1, H, W, 3), of the predicted class's logit
    maps = saliency.normalise(saliency.reduce_channels(gradient))  # (1, H, W) in [0, 1]
    overlay = saliency.overlay(pixels, maps[0])  # (H, W, 3)

    name = model.metadata["class_names"][int(probabilities.argmax())]
    title = f"{name}, {probabilities.max():.1%}"
    print("predicted:", title)
    figure = figures.saliency_panel(pixels[None], maps, overlay[None], [title])
    Path(options.out).write_bytes(style.to_png(figure))
    print("written:", options.out)


if __name__ == "__main__":
    main()
