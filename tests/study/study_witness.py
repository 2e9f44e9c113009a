"""A second account of a study: the same from public pieces, written plainly, to hold the run folder against."""

import csv
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from sklearn.metrics import log_loss

from batik_scratch import images, motifs, nn
from batik_scratch.study import TwoStageConfig

STAGES = ("stage1", "stage2")
# every key that can matter differs from its default. In the drawn study stage one stops at the accuracy, and stage two
# does not. In the photographed one nothing stops, the learning rate would fall if the patience were 1, and more than 32
# images validate, which is more than one batch
DRAWN = TwoStageConfig(
    seed=2**32 + 56,
    image_size=32,
    epochs=5,
    batch_size=4,
    learning_rate=0.0011,
    stop_at_accuracy=0.625,
    reduce_lr_factor=0.37,
    reduce_lr_patience=1,
    warmup_epochs=2,
    validation_fraction=0.3,
    dropout=0.12,
    rotation_range=13.0,
    shift_range=0.07,
    zoom_range=0.21,
    horizontal_flip=True,
    saliency_percentile=93.0,
    overlay_strength=0.3,
    draw_counts=(17, 23, 12),
    difficulty=0.02,
)
PHOTOGRAPHED = TwoStageConfig(
    seed=11,
    image_size=26,
    epochs=6,
    batch_size=6,
    learning_rate=0.002,
    stop_at_accuracy=0.0,
    reduce_lr_factor=0.7,
    reduce_lr_patience=2,
    warmup_epochs=0,
    validation_fraction=0.66,
    dropout=0.1,
    rotation_range=70.0,
    shift_range=0.04,
    zoom_range=0.4,
    horizontal_flip=False,
    saliency_percentile=98.0,
    overlay_strength=0.45,
    skip_bad=True,
)


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


class Witness:
    """What the run should have seen: images, names, labels, split; and a training loop written out."""

    def __init__(self, config: TwoStageConfig, folder: Path, copies: list[set[str]]) -> None:
        """`folder` holds CLASS/... ; `copies` are sets of paths that show one picture."""
        self.config = config
        self.class_names = sorted(name for name in os.listdir(folder) if (folder / name).is_dir())
        found = {name: sorted(_image_files(folder, name)) for name in self.class_names}
        self.paths = [path for paths in found.values() for path in paths]
        self.labels = np.repeat(np.arange(len(found)), [len(paths) for paths in found.values()])  # (N,)
        self.pixels = np.stack([_squeezed(folder / path, config.image_size) for path in self.paths])  # (N, H, W, 3)
        picture = {path: min(group) for group in copies for path in group}
        first: dict[str, int] = {}
        groups = [first.setdefault(picture.get(path, path), len(first)) for path in self.paths]
        split = images.stratified_split(self.labels, config.validation_fraction, config.seed, np.array(groups))
        self.train, self.validation = split.train, split.validation
        self._trained: dict[str, Trained] = {}

    def network(self) -> nn.Sequential:
        """The paper's, as it is before training."""
        size, dropout = self.config.image_size, self.config.dropout
        model = nn.paper_cnn(
            (size, size, 3), len(self.class_names), self.config.seed, algorithm="auto", dropout=dropout
        )
        model.compile(nn.Adam(self.config.learning_rate))
        return model

    def batches(self, pixels: np.ndarray) -> images.AugmentedBatches:
        c = self.config
        augmenter = images.ImageAugmenter(
            rotation_range=c.rotation_range,
            width_shift_range=c.shift_range,
            height_shift_range=c.shift_range,
            zoom_range=c.zoom_range,
            horizontal_flip=c.horizontal_flip,
        )
        return images.AugmentedBatches(pixels, self.labels, c.batch_size, augmenter, c.seed, rows=self.train)

    def stage(self, name: str, pixels: np.ndarray) -> "Trained":
        """What training on `pixels` comes to; done once for each name."""
        if name not in self._trained:
            self._trained[name] = self.trained(pixels)
        return self._trained[name]

    def trained(self, pixels: np.ndarray) -> "Trained":
        """The loop: steps over the augmented training images, then a look at the validation images."""
        model, batches, done = self.network(), self.batches(pixels), Trained()
        x, y = pixels[self.validation].astype(np.float32) / 255, self.labels[self.validation]
        best, waited, steps = np.inf, 0, 0
        climb = self.config.warmup_epochs * len(batches)
        for epoch in range(self.config.epochs):
            losses, hits = 0.0, 0
            for seen, labels in batches:
                steps += 1
                if steps <= climb:
                    model.optimizer.learning_rate = self.config.learning_rate * steps / climb
                loss, logits = model.train_step(seen, labels)
                losses += loss * len(labels)
                hits += (logits.argmax(axis=1) == labels).sum()
            p = model.predict(x).astype(np.float64)  # (V, U)
            val_loss = log_loss(y, p / p.sum(axis=1, keepdims=True), labels=np.arange(len(self.class_names)))
            val_accuracy = (p.argmax(axis=1) == y).mean()
            rate, n = model.optimizer.learning_rate, len(self.train)
            done.rows.append([epoch + 1, hits / n, losses / n, val_accuracy, val_loss, rate])
            done.weights.append(model.get_weights())
            waited = 0 if val_loss < best - 1e-4 else waited + 1
            best = min(best, val_loss) if waited == 0 else best
            if waited >= self.config.reduce_lr_patience > 0:
                model.optimizer.learning_rate, waited = rate * self.config.reduce_lr_factor, 0
            if 0 < self.config.stop_at_accuracy <= val_accuracy:
                done.stopped = "accuracy"
                break
        return done


class Trained:
    """Rows of history.csv, weights after each epoch, and why it ended."""

    def __init__(self) -> None:
        self.rows: list[list[float]] = []
        self.weights: list[list[np.ndarray]] = []
        self.stopped = "epochs"


def _image_files(folder: Path, name: str) -> list[str]:
    """Readable pictures below folder/name that are neither hidden nor links, as paths below `folder`."""
    found = []
    for place, _, files in os.walk(folder / name):
        for file in files:
            path = Path(place, file)
            picture = path.suffix.lower() in (".png", ".jpg", ".bmp") and not path.is_symlink() and file[0] != "."
            if picture and "broken" not in file:
                found.append(path.relative_to(folder).as_posix())
    return found


def _squeezed(path: Path, size: int) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))  # (size, size, 3)


def drawn_images(folder: Path, config: TwoStageConfig) -> Path:
    """The drawn set of the config, drawn anew by its own tool."""
    counts = dict(zip(("keratonan", "mega_mendung", "singa_barong"), config.draw_counts, strict=True))
    where = motifs.write_dataset(folder, counts, config.seed, config.image_size, config.difficulty, progress=False)
    return where / "images"


COPIES = [{"kawung/IMG 3.JPG", "kawung/from a friend/the same.png"}, {"Ébène/05.png", "Ébène/05 turned.png"}]
LEFT_OUT = ["kawung/broken.jpg", os.fsdecode(b"\xc3\x89b\xc3\xa8ne/broken \xff.png")]


def odd_photos(folder: Path) -> Path:
    """Photos as people keep them: odd names and sizes, copies, links, notes, and two files that are damaged."""
    rng = np.random.default_rng(4)

    def photo(path: str, tint: tuple[int, int, int]) -> Image.Image:
        patches = rng.integers(0, 200, (7, 5, 3)) + np.array(tint)  # (7, 5, 3)
        image = Image.fromarray(patches.astype(np.uint8))
        image = image.resize((35 + int(rng.integers(9)), 50 + int(rng.integers(9))), Image.Resampling.BICUBIC)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        image.save(folder / path)
        return image

    for i in range(12):
        photo(f"Ébène/{i:02d}.png", (0, 0, 50))
    for i in range(20):
        photo(f"kawung/IMG {i}.JPG", (50, 0, 0))
    for i in range(14):
        photo(f"Parang rusak/{'x' * (i + 1)}.bmp", (0, 50, 0))
    photo("Parang rusak/xx.png", (0, 50, 0))  # a second xx
    photo("Parang rusak/.thumbnail.png", (0, 0, 0))
    photo(f"kawung/{'long ' * 45}.png", (50, 0, 0))
    photo(os.fsdecode(b"kawung/Z\xff no text.png"), (50, 0, 0))
    with Image.open(folder / "kawung/IMG 3.JPG") as image:
        (folder / "kawung/from a friend").mkdir()
        ImageOps.mirror(image).resize((90, 41)).save(folder / "kawung/from a friend/the same.png")
    with Image.open(folder / "Ébène/05.png") as image:
        image.rotate(90, expand=True).save(folder / "Ébène/05 turned.png")
    whole = (folder / "kawung/IMG 1.JPG").read_bytes()
    (folder / LEFT_OUT[0]).write_bytes(whole[: len(whole) // 2])
    (folder / LEFT_OUT[1]).write_text("no picture")
    (folder / "kawung/notes.txt").write_text("from grandmother")
    (folder / "kawung/link.png").symlink_to(folder / "Ébène/01.png")
    (folder / "readme.txt").write_text("my photos")
    return folder
