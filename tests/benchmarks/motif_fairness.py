"""Is the drawn data set a fair test? Its classes should differ in shape, and in nothing simpler.

    python tests/benchmarks/motif_fairness.py [--seeds 5] [--first 0] [--size 150] [--difficulty D] [--no-network]

Per seed it draws 568 cloths, splits them 75:25 as a run does, and prints what each of these reaches on the validation
part: logistic regression on colour histograms and on 32x32 pixels (both should stay near the majority's share, 38%), a
support vector machine on the global energies of 40 Gabor filters, which sees texture and no shape, the paper's network
after 30 epochs without early stopping, and how much of that network's gradient energy lies on the motif, and within 4
pixels of it, beside the shares of the picture that these are. Then, over all seeds: motif share per class, and for file
size, brightness, contrast and edge density the area under the ROC curve, the worst of "one class against the rest".
About 4 minutes a seed on two cores; with --no-network, which leaves out the rows about the network, one minute.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import fft
from scipy.ndimage import distance_transform_edt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from batik_scratch import motifs, saliency
from batik_scratch.study.config import make_config
from batik_scratch.study.data import StudyData, load_study_data
from batik_scratch.study.training import predict_rows, train_network

NEAR = 4  # pixels: what the first two blocks of the network see around a place


def colour_histograms(pixels: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 -> (N, 512): shares of 8 x 8 x 8 colour boxes."""
    boxes = (pixels // 32).astype(np.int64) @ np.array([64, 8, 1])  # (N, H, W)
    return np.stack([np.bincount(box.ravel(), minlength=512) / box.size for box in boxes])  # (N, 512)


def small_pixels(pixels: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 -> (N, 3072): the picture at 32 x 32."""
    return np.stack([np.asarray(Image.fromarray(p).resize((32, 32)), float).ravel() / 255 for p in pixels])


def linear_accuracy(features: np.ndarray, data: StudyData) -> float:
    """Validation accuracy of the best of four logistic regressions: the reader may suspect no weak opponent."""
    scores = []
    for c in (1e-4, 1e-3, 1e-2, 1e-1):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000))
        model.fit(features[data.train], data.labels[data.train])
        scores.append(model.score(features[data.validation], data.labels[data.validation]))
    return max(scores)


def gabor_energies(pixels: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 -> (N, 40): log of the mean |response| to log-Gabor filters, 5 scales x 8 directions.

    The grey picture is standardised first. Scales run from 0.03 to 0.27 cycles a pixel.
    """
    size = pixels.shape[1]
    fy, fx = np.meshgrid(*2 * [fft.fftfreq(size, 1 / size)], indexing="ij")  # (H, W)
    radius, angle = np.maximum(np.hypot(fy, fx), 1e-6), np.arctan2(fy, fx)
    filters = []
    for cycles in np.geomspace(size * 0.03, size * 0.27, 5):
        for k in range(8):
            away = (angle - np.pi * k / 8 + np.pi) % (2 * np.pi) - np.pi
            filters.append(np.exp(-((np.log(radius / cycles) / 0.57) ** 2) - (away / 0.42) ** 2))
    bank = np.array(filters, np.float32)  # (40, H, W)
    rows = []
    for picture in pixels:
        grey = picture.mean(axis=-1, dtype=np.float32)
        spectrum = fft.fft2((grey - grey.mean()) / (grey.std() + 1e-3))  # (H, W)
        rows.append(np.log(np.abs(fft.ifft2(spectrum * bank)).mean(axis=(1, 2)) + 1e-9))
    return np.array(rows)


def texture_accuracy(features: np.ndarray, data: StudyData) -> float:
    """Validation accuracy of a support vector machine; C is chosen by cross-validation inside the training part."""
    choices = {"svc__C": [0.3, 1, 3, 10, 30, 100]}
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), choices, cv=5)
    search.fit(features[data.train], data.labels[data.train])
    return search.score(features[data.validation], data.labels[data.validation])


def simple_measures(folder: Path, data: StudyData) -> dict[str, np.ndarray]:
    """One number per image, of each kind that needs no shape."""
    grey = data.images.mean(axis=-1)  # (N, H, W)
    steps = np.abs(np.diff(grey, axis=1))[:, :, :-1] + np.abs(np.diff(grey, axis=2))[:, :-1]  # (N, H-1, W-1)
    return {
        "file size": np.array([(folder / path).stat().st_size for path in data.paths], float),
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2)),
        "edge density": (steps > 40).mean(axis=(1, 2)),
    }


def worst_auc(values: np.ndarray, labels: np.ndarray) -> float:
    """The largest area under the ROC curve of one class against the rest, whichever way round."""
    areas = [roc_auc_score(labels == k, values) for k in np.unique(labels)]
    return max(max(a, 1 - a) for a in areas)


def energy_on_motif(model, data: StudyData, masks: np.ndarray) -> list[float]:
    """Validation accuracy; then, on what was classified rightly, shares of gradient energy and of the area, in turn:
    inside the mask, and within NEAR pixels of it."""
    right = predict_rows(model, data.images, data.validation).argmax(axis=1) == data.labels[data.validation]
    rows = data.validation[right]
    maps = saliency.Gradient(model).attribute(data.images[rows].astype(np.float32) / 255)  # (K, H, W, 3)
    energy = (maps.astype(np.float64) ** 2).sum(axis=-1)  # (K, H, W)
    energy /= energy.sum(axis=(1, 2), keepdims=True)
    near = np.stack([distance_transform_edt(~mask) <= NEAR for mask in masks[rows]])  # (K, H, W)
    regions = (masks[rows], near)
    return [right.mean(), *(v for r in regions for v in ((energy * r).sum(axis=(1, 2)).mean(), r.mean()))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="first seed (default: 0)")
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--difficulty", type=float, default=motifs.DEFAULT_DIFFICULTY)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--no-network", action="store_true", help="all but the network: quick")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    print(f"difficulty {args.difficulty:g}, {args.size} pixels, majority share 38%")
    rows, shares, pooled, labels = [], [], [], []
    for seed in range(args.first, args.first + args.seeds):
        config = make_config(
            {
                "seed": seed,
                "difficulty": args.difficulty,
                "image_size": args.size,
                "epochs": args.epochs,
                "stop_at_accuracy": 0.0,
            }
        )
        data = load_study_data(config)
        counts = dict(zip(motifs.MOTIFS, config.draw_counts, strict=True))
        folder = motifs.cached_dataset(seed, counts, args.size, args.difficulty)
        masks = np.stack([np.asarray(Image.open(folder / "masks" / Path(p).with_suffix(".png"))) for p in data.paths])
        row = [
            linear_accuracy(colour_histograms(data.images), data),
            linear_accuracy(small_pixels(data.images), data),
            texture_accuracy(gabor_energies(data.images), data),
        ]
        if not args.no_network:
            model, _ = train_network(config, data, data.images, verbose=0)
            row += energy_on_motif(model, data, masks)
        rows.append(row)
        shares.append([masks[data.labels == k].mean() for k in range(len(data.class_names))])
        pooled.append(simple_measures(folder / "images", data))
        labels.append(data.labels)
        names = (
            "colour histogram",
            "32x32 pixels",
            "global Gabor energies + SVM",
            "network",
            "energy on motif",
            "its area",
            "energy near motif",
            "its area",
        )
        print(f"seed {seed}: " + ", ".join(f"{n} {v:.3f}" for n, v in zip(names, row, strict=False)), flush=True)
    print("mean:   " + ", ".join(f"{n} {v:.3f}" for n, v in zip(names, np.mean(rows, axis=0), strict=False)))
    mean_shares = np.mean(shares, axis=0)
    print(
        "motif's share of the area: "
        + ", ".join(f"{n} {s:.3f}" for n, s in zip(motifs.MOTIFS, mean_shares, strict=True))
    )
    for name in pooled[0]:
        area = worst_auc(np.concatenate([p[name] for p in pooled]), np.concatenate(labels))
        print(f"worst AUC by {name} alone: {area:.3f}")


if __name__ == "__main__":
    main()
