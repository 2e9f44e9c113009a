"""Does fast arithmetic learn as well? Validation accuracy of "im2col", the textbook's way, beside "auto", the study's.

    python tests/benchmarks/same_accuracy.py [--seeds 3] [--first 0] [--epochs 30]

Each seed draws the embedded data set and trains the study's network on it twice, with the study's own settings but for
the early stop, which is off. Both ways start from the same weights and see the same images in the same order, so that
they differ in rounding alone, which grows as training goes on. The accuracies of one epoch jump about; beside the last
epoch's, the best and the mean of the last five are printed. Differences are auto minus im2col in points, each seed
paired with itself; the standard error is that of the mean of these pairs. Half an hour on two cores.
"""

import argparse

import numpy as np

from batik_scratch import images, nn
from batik_scratch.study import make_config
from batik_scratch.study.config import TwoStageConfig
from batik_scratch.study.data import StudyData, load_study_data
from batik_scratch.study.training import training_batches

ALGORITHMS = ("im2col", "auto")
MEASURES = ("last", "best", "last five")


def accuracies(config: TwoStageConfig, data: StudyData, algorithm: str) -> list[float]:
    """Validation accuracy after each epoch; settings and callbacks are those of study.training."""
    side = config.image_size
    model = nn.paper_cnn(
        (side, side, 3), len(data.class_names), config.seed, algorithm=algorithm, dropout=config.dropout
    )
    model.compile(nn.Adam(config.learning_rate), nn.SparseCategoricalCrossentropy())
    held_out = images.AugmentedBatches(data.images, data.labels, config.batch_size, shuffle=False, rows=data.validation)
    history = model.fit(
        training_batches(config, data.images, data.labels, data.train),
        epochs=config.epochs,
        validation_data=held_out,
        callbacks=[nn.ReduceLROnPlateau("val_loss", config.reduce_lr_factor, config.reduce_lr_patience)],
        verbose=0,
    )
    return history.history["val_accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="first seed (default: 0)")
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    points = {algorithm: [] for algorithm in ALGORITHMS}  # of each seed: one number per measure
    for seed in range(args.first, args.first + args.seeds):
        config = make_config({"seed": seed, "epochs": args.epochs, "stop_at_accuracy": 0.0})
        data = load_study_data(config)
        for algorithm in ALGORITHMS:
            curve = 100 * np.array(accuracies(config, data, algorithm))  # (epochs,)
            points[algorithm].append((curve[-1], curve.max(), curve[-5:].mean()))
            shown = ", ".join(
                f"{name} {value:.1f}%" for name, value in zip(MEASURES, points[algorithm][-1], strict=True)
            )
            print(f"seed {seed}, {algorithm:6s}  {shown}  (of {len(data.validation)} images)", flush=True)
    plain, fast = (np.array(points[algorithm]) for algorithm in ALGORITHMS)  # (seeds, measures) both
    print(f"{args.seeds} seeds, {args.epochs} epochs")
    print(f"{'validation accuracy':22s}{'im2col':>9s}{'auto':>9s}{'difference':>13s}{'standard error':>17s}")
    for name, a, b in zip(MEASURES, plain.T, fast.T, strict=True):
        error = (b - a).std(ddof=1) / np.sqrt(len(a)) if len(a) > 1 else np.nan
        print(f"{name:22s}{a.mean():>8.1f}%{b.mean():>8.1f}%{(b - a).mean():>+13.1f}{error:>17.1f}")


if __name__ == "__main__":
    main()
