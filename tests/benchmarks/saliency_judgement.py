"""Which saliency methods find the motif, and which notice that the network is another one?

    python tests/benchmarks/saliency_judgement.py [--epochs 30] [--images 150] [--size 150] [--out saliency_judgement]

Three networks of one architecture:

    trained.npz     the study's network on the embedded drawn data, as `batik-scratch train` makes it
    permuted.npz    the same training images with labels permuted among them: whatever it uses, it is not the motif.
                    Without augmentation, dropout and a falling learning rate, so that it learns its labels by heart, as
                    Adebayo et al. (2018, arXiv:1810.03292) have it: a network that learned nothing would be no control
    random.npz      fresh weights: the control that `batik-scratch saliency --evaluate` always brings along

Then that evaluation of the first one, with the other two as controls. The images judged are drawn
for it from a seed of their own: none was trained on, and none was used to stop training. Writes table.txt, values.npz,
randomisation.png and networks.png into --out. Model files that are there already are used again.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from batik_scratch.explain import evaluate_saliency
from batik_scratch.nn import History, Sequential
from batik_scratch.saliency.catalogue import PASSES
from batik_scratch.saliency.evaluation import randomised_layers
from batik_scratch.study.config import TwoStageConfig, make_config
from batik_scratch.study.data import StudyData, load_study_data
from batik_scratch.study.training import train_network

PERMUTATION_SEED = 7


def by_heart(config: TwoStageConfig) -> TwoStageConfig:
    """What lets a network learn labels that follow no rule."""
    return dataclasses.replace(
        config,
        rotation_range=0.0,
        shift_range=0.0,
        zoom_range=0.0,
        horizontal_flip=False,
        dropout=0.0,
        stop_at_accuracy=0.0,
        reduce_lr_patience=config.epochs,
    )


def with_permuted_labels(data: StudyData) -> StudyData:
    """The labels of the training images, in another order; those of the validation images stay."""
    labels = data.labels.copy()  # (N,)
    labels[data.train] = np.random.default_rng(PERMUTATION_SEED).permutation(labels[data.train])
    return dataclasses.replace(data, labels=labels)


def train(config: TwoStageConfig, data: StudyData, path: Path) -> None:
    """Train one network, unless its file is there."""
    if path.exists():
        print(f"{path}: is there, used again", flush=True)
        return
    began = time.perf_counter()
    model, history = train_network(config, data, data.images, verbose=0)
    model.save(path)
    print(f"{path}: {told(history)}; {time.perf_counter() - began:.0f} s", flush=True)


def told(history: History) -> str:
    """How training ended."""
    last = {name: values[-1] for name, values in history.history.items()}
    return (
        f"{len(history.epoch)} epochs, accuracy {last['accuracy']:.3f} on its own training labels, "
        f"{last['val_accuracy']:.3f} on the validation images"
    )


def settings() -> str:
    """What was chosen for the methods that repeat themselves."""
    return (
        f"smoothgrad and its kin {PASSES} samples, integrated gradients {PASSES} steps, occlusion windows "
        "of a sixth of the image, half overlapping"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--epochs", type=int, default=30, help="at most; the trained one stops at 90%% validation accuracy"
    )
    parser.add_argument("--images", type=int, default=150, help="drawn cloths to judge on")
    parser.add_argument("--size", type=int, default=150, help="pixels")
    parser.add_argument("--out", type=Path, default=Path("saliency_judgement"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    config = make_config({"epochs": args.epochs, "image_size": args.size})
    data = load_study_data(config)
    trained, permuted, random = (args.out / f"{name}.npz" for name in ("trained", "permuted", "random"))
    train(config, data, trained)
    train(by_heart(config), with_permuted_labels(data), permuted)
    *_, (_, fresh) = randomised_layers(Sequential.load(trained))
    fresh.save(random)
    began = time.perf_counter()

    def say(text: str) -> None:
        print(f"  {time.perf_counter() - began:5.0f} s  {text}", flush=True)

    print(settings())
    print(evaluate_saliency(trained, args.out, "all", args.images, [permuted], say))
    say("done")


if __name__ == "__main__":
    main()
