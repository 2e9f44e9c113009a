"""A run folder made of numbers that mean nothing, exactly as the study writes one."""

import csv
import json
from pathlib import Path

import numpy as np

NAMES = ("keratonan", "mega_mendung", "singa_barong")


def _write_csv(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _metrics(labels, predicted, names):
    matrix = np.zeros((len(names), len(names)), int)
    np.add.at(matrix, (labels, predicted), 1)
    per_class = {}
    for c, name in enumerate(names):
        precision = matrix[c, c] / max(matrix[:, c].sum(), 1)
        recall = matrix[c, c] / max(matrix[c].sum(), 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        support = int(matrix[c].sum())
        per_class[name] = {"precision": precision, "recall": recall, "f1": f1, "support": support}
    accuracy = float((labels == predicted).mean())
    return {
        "accuracy": accuracy,
        "accuracy_interval": [max(0.0, accuracy - 0.0612), min(1.0, accuracy + 0.0487)],
        "precision": 0.7654321,
        "recall": accuracy,
        "f1": 0.7123456,
        "confusion": matrix.tolist(),
        "class_names": list(names),
        "per_class": per_class,
    }


def _stage(folder, rng, names, labels, paths, epochs, size):
    folder.mkdir()
    t = np.arange(1, epochs + 1)
    noise = rng.normal(0, 0.02, (4, epochs))
    rates = np.full(epochs, 1e-3)
    rates[2 * epochs // 3 :] /= 3 if epochs > 2 else 1
    accuracy = np.clip(1 - 0.65 * np.exp(-t / 6) + noise[0], 0, 1)
    val_accuracy = np.clip(0.86 - 0.5 * np.exp(-t / 5) + noise[1], 0, 1)
    loss, val_loss = 1.2 * np.exp(-t / 7) + 0.1 + abs(noise[2]), 1.0 * np.exp(-t / 6) + 0.4 + abs(noise[3])
    header = ("epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate")
    columns = (t.tolist(), *(x.tolist() for x in (accuracy, loss, val_accuracy, val_loss, rates)))
    _write_csv(folder / "history.csv", header, zip(*columns, strict=True))
    shares = rng.dirichlet(np.full(len(names), 0.4), len(labels))
    good = rng.random(len(labels)) < 0.7
    shares[np.arange(len(labels)), labels] += good * 2
    shares /= shares.sum(axis=1, keepdims=True)
    predicted = shares.argmax(axis=1)
    rows = zip(paths, labels.tolist(), predicted.tolist(), *shares.T.tolist(), strict=True)
    _write_csv(folder / "predictions.csv", ("path", "label", "predicted", *(f"p_{n}" for n in names)), rows)
    outcome = {"loss": float(val_loss[-1]), "epochs_run": epochs, "stopped": "epochs"}
    (folder / "metrics.json").write_text(json.dumps(_metrics(labels, predicted, names) | outcome))
    return predicted, shares


def _examples(path, rng, labels, predicted, shares, paths, size):
    rows = np.concatenate([np.flatnonzero(labels == c)[:3] for c in np.unique(labels)])
    y, x = np.mgrid[:size, :size] / size
    images, maps = [], []
    for _ in rows:
        a, b, phase = rng.uniform(2, 9, 3)
        wave = np.sin(a * 6 * x + phase + 2 * np.sin(b * y))
        colour = rng.uniform(40, 220, (2, 3))
        images.append(np.where(wave[..., None] > 0, colour[0], colour[1]))
        maps.append(np.exp(-(wave**2) * 6) * rng.random((size, size)))
    images, maps = np.array(images).astype(np.uint8), np.array(maps, np.float32)
    weight = 0.8 * np.clip(maps / np.percentile(maps, 99), 0, 1)[..., None]
    np.savez(
        path,
        images=images,
        maps=maps,
        overlays=(images * (1 - weight) + np.array([30, 110, 255]) * weight).astype(np.uint8),
        maps_stage2=maps[:, ::-1],
        labels=labels[rows],
        predicted=predicted[rows],
        probabilities=shares[rows].astype(np.float32),
        paths=np.array([paths[i] for i in rows]),
        split=np.array(["validation"] * len(rows)),
    )


def build_run(folder: Path, names=NAMES, epochs=30, per_class=20, size=32, source="drawn", stranger=None, **record):
    """Write a run folder; `stranger` names the first validation image."""
    rng = np.random.default_rng(7)
    folder.mkdir()
    labels = np.repeat(np.arange(len(names)), per_class)
    paths = [f"{names[c]}/image_{i:03d}.jpg" for i, c in enumerate(labels)]
    if stranger:
        paths[0] = stranger
    (folder / "config.toml").write_text('preset = "default"\nimage_size = 150\nseed = 0\nlearning_rate = 0.001\n')
    (folder / "network.txt").write_text("layer    shape         parameters\nconv2d   148x148x32           896\n")
    _write_csv(
        folder / "split.csv",
        ("path", "class", "label", "split"),
        [(p, names[c], c, "validation") for p, c in zip(paths, labels.tolist(), strict=True)],
    )
    counts = dict.fromkeys(names, per_class)
    description = {
        "source": source,
        "class_names": list(names),
        "counts": {"train": {name: 3 * n for name, n in counts.items()}, "validation": counts},
        "skipped": [],
        "near_duplicate_groups": 2,
    }
    (folder / "data.json").write_text(json.dumps(description))
    seconds = {"data": 3.2, "stage1": 91.0}
    run = {"started": "2025-01-02T03:04:05+00:00", "seconds": seconds, "command": "batik-scratch run"}
    (folder / "run.json").write_text(json.dumps(run | record))
    predicted, shares = _stage(folder / "stage1", rng, names, labels, paths, epochs, size)
    _stage(folder / "stage2", rng, names, labels, paths, epochs, size)
    _examples(folder / "examples.npz", rng, labels, predicted, shares, paths, size)
    return folder
