"""A run folder whose every number is known, as the study writes one, but by other code.

No two numbers are equal, so that nothing can be swapped unseen.
"""

import csv
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("keratonan", "mega_mendung", "singa_barong")
STAGES = ("stage1", "stage2")
HISTORY = ("epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate")
CONFIG = """preset = "default"
image_size = 150
seed = 5
learning_rate = 0.001
augment = true
saliency_percentile = 97.5
"""
_memory = io.BytesIO()
Image.new("RGB", (9, 7)).save(_memory, "PNG")
BLANK = _memory.getvalue()  # 9 pixels wide, 7 high
# examples: label, predicted, split; of each class the one that the report shows first is not the first here
EXAMPLES = (
    (2, 0, "validation"), (0, 0, "train"), (1, 1, "validation"), (0, 2, "validation"), (2, 2, "train"),
    (0, 0, "validation"), (1, 1, "validation"), (2, 1, "validation"), (1, 0, "validation"),
)  # fmt: skip


def usual_answers(classes):
    """(label, first answer, second answer) of 5 images of the first class, 7 of the second ... in no order.

    Of three classes the stages read 13 and 16 of 21 rightly: [[3, 2, 0], [0, 4, 3], [3, 0, 6]] and
    [[4, 0, 1], [2, 5, 0], [0, 2, 7]].
    """
    found = []
    for c in range(classes):
        for i in range(5 + 2 * c):
            found.append((c, c if i % 3 else (c + 1) % classes, (c + 2) % classes if i % 4 == 1 else c))
    return [found[i] for i in np.random.default_rng(3).permutation(len(found))]


def wilson(hits, total, z=1.959963984540054):
    middle, wide = (hits + z * z / 2) / (total + z * z), (hits * (total - hits) / total + z * z / 4) ** 0.5
    return [middle - z * wide / (total + z * z), middle + z * wide / (total + z * z)]


def recorded_metrics(labels, predicted, names):
    """What the study records of a stage, from two lists of class numbers."""
    matrix = np.zeros((len(names), len(names)), int)
    np.add.at(matrix, (labels, predicted), 1)
    hits, support, answered = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall = hits / np.maximum(answered, 1), hits / np.maximum(support, 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    each = zip(names, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), strict=True)
    return {
        "accuracy": float(hits.sum() / support.sum()),
        "accuracy_interval": wilson(int(hits.sum()), int(support.sum())),
        "precision": float((precision * support).sum() / support.sum()),
        "recall": float((recall * support).sum() / support.sum()),
        "f1": float((f1 * support).sum() / support.sum()),
        "confusion": matrix.tolist(),
        "class_names": list(names),
        "per_class": {n: dict(precision=p, recall=r, f1=f, support=s) for n, p, r, f, s in each},
    }


def shares_for(rng, predicted, classes):
    """Probabilities (N, U), no two alike, the largest at the predicted class."""
    shares = rng.dirichlet(np.full(classes, 0.7), len(predicted))
    rows = np.arange(len(predicted))
    best = shares.argmax(axis=1)
    shares[rows, best], shares[rows, predicted] = shares[rows, predicted], shares[rows, best]
    return shares


def write_csv(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_history(path, rng, epochs, reduced):
    """Every value drawn from a range of its own; the learning rate falls at the epochs named."""
    ranges = ((0.7, 0.99), (0.1, 1.5), (0.4, 0.69), (1.6, 2.9))
    values = [rng.uniform(low, high, epochs) for low, high in ranges]
    rates = [1e-3 / 4 ** sum(epoch >= at for at in reduced) for epoch in range(1, epochs + 1)]
    write_csv(path, HISTORY, zip(range(1, epochs + 1), *(v.tolist() for v in values), rates, strict=True))


def build_run(
    folder: Path,
    names=NAMES,
    answers=None,
    epochs=(14, 12),
    size=(6, 8),
    source="drawn",
    stranger=None,
    examples=None,
    metrics=({}, {}),
    described=None,
    **record,
):
    """Write a run folder.

    answers     (label, first answer, second answer) of each validation image
    epochs      of each stage; size: height and width of the example pictures
    stranger    names the first validation image and the first example
    examples    (label, predicted, split) of each picture kept for the report
    metrics     changes to what metrics.json of each stage says; described: to data.json; record: to run.json
    """
    rng = np.random.default_rng(7)
    folder.mkdir()
    answers = answers or usual_answers(len(names))
    labels, *predicted = (list(column) for column in zip(*answers, strict=True))
    paths = [f"{names[label]}/image_{i:03d}.jpg" for i, label in enumerate(labels)]
    paths[0] = stranger or paths[0]
    (folder / "config.toml").write_text(CONFIG)
    (folder / "network.txt").write_text("\nlayer    shape         parameters\nconv2d   148x148x32           896\n\n")
    rows = [(path, names[label], label, "validation") for path, label in zip(paths, labels, strict=True)]
    write_csv(folder / "split.csv", ("path", "class", "label", "split"), [("other.jpg", names[1], 1, "train"), *rows])
    counts = {name: labels.count(c) for c, name in enumerate(names)}
    description = {
        "source": source,
        "class_names": list(names),
        "counts": {"train": {n: 3 * count + i for i, (n, count) in enumerate(counts.items())}, "validation": counts},
        "skipped": [],
        "near_duplicate_groups": 0,
    }
    (folder / "data.json").write_text(json.dumps(description | (described or {})))
    seconds = {"data": 3.2, "stage1": 91.0}
    run = {"started": "2025-01-02T03:04:05+00:00", "seconds": seconds, "command": "batik-scratch run"}
    (folder / "run.json").write_text(json.dumps(run | record))
    for stage, count, reduced, given, changes in zip(STAGES, epochs, ((5, 9), (7,)), predicted, metrics, strict=True):
        (folder / stage).mkdir()
        write_history(folder / stage / "history.csv", rng, count, reduced)
        shares = shares_for(rng, given, len(names))
        rows = zip(paths, labels, given, *shares.T.tolist(), strict=True)
        write_csv(folder / stage / "predictions.csv", ("path", "label", "predicted", *(f"p_{n}" for n in names)), rows)
        outcome = {"loss": 0.5, "epochs_run": count, "stopped": "epochs"}
        made = recorded_metrics(labels, given, names) | outcome | changes
        (folder / stage / "metrics.json").write_text(json.dumps(made))
    given = examples or (EXAMPLES if len(names) == 3 else [(c, c, "validation") for c in range(len(names))])
    write_examples(folder / "examples.npz", rng, given, len(names), size, stranger)
    return folder


def write_examples(path, rng, given, classes, size, stranger=None):
    """Pictures and maps of noise, each unlike every other."""
    count = len(given)
    labels, predicted, split = (np.array(column) for column in zip(*given, strict=True))
    paths = [f"kept/picture_{i}.jpg" for i in range(count)]
    paths[0] = stranger or paths[0]
    np.savez(
        path,
        images=rng.integers(0, 256, (count, *size, 3), dtype=np.uint8),
        maps=rng.gamma(0.6, 0.02, (count, *size)).astype(np.float32),
        overlays=rng.integers(0, 256, (count, *size, 3), dtype=np.uint8),
        maps_stage2=rng.gamma(0.9, 3.0, (count, *size)).astype(np.float32),
        labels=labels,
        predicted=predicted,
        probabilities=shares_for(rng, predicted, classes).astype(np.float32),
        paths=np.array(paths),
        split=split,
    )
