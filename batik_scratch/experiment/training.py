"""One cell: train its network, ask it about the images that it never saw; of a stage-one network, make the maps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score

from .. import images as image_tools
from .. import nn
from ..statistics import expected_calibration_error, log_loss
from ..study.training import build_model, learning_rate_rule, predict_rows, training_batches
from .arms import ARMS, Kind, Seen, View
from .cells import WHOLE, Cell, stream
from .config import ExperimentConfig
from .maps import lay_over, network_maps
from .material import Fold, Material, inner_parts, split

CURVES = ("accuracy", "loss", "val_accuracy", "val_loss")
DIGITS = 6  # of a recorded probability


@dataclass(frozen=True)
class Outcome:
    """What a cell leaves: its record, as JSON takes it, and the maps of a stage-one network, uint8 (N or fewer, S, S).

    maps, of "stage_one"    in_fold, true_in_fold (N, S, S); other (V, S, S) and other_class (V,), of the validation
                            images: a class that is not predicted, and the maps of it
    maps, of "inner_k"      predicted, true (M, S, S), of the part that it did not train on
    """

    record: dict[str, Any]
    maps: dict[str, np.ndarray]


def run_cell(config: ExperimentConfig, material: Material, cell: Cell, maps: Mapping[str, np.ndarray]) -> Outcome:
    """Train one network; a function of its arguments alone, whatever ran before and wherever it runs.

    maps: what the stage-one networks of its fold left, as `assembled` returns them; none for those themselves.
    """
    fold = split(config, material, cell.group)
    if cell.is_stage_one:
        return _stage_one(config, material, cell, fold)
    arm = ARMS[cell.arm]
    seen = arm.sees(View(config, material, cell.group, fold, maps))
    model, history = train(config, material, cell, seen, arm.stages)
    probabilities = predict_rows(model, seen.pixels, seen.fold.validation)  # (V, U)
    record = record_of(cell, history, seen.fold, probabilities)
    if "other" in maps and arm.kind in (Kind.CLAIM, Kind.LEAK) and seen.fold is fold and seen.pixels.shape[3] == 3:
        record["follows"] = _follows(config, model, material, fold, maps, probabilities)
    return Outcome(record, {})


def train(
    config: ExperimentConfig, material: Material, cell: Cell, seen: Seen, stages: int = 1
) -> tuple[nn.Sequential, nn.History]:
    """The network of a cell, trained on what it sees, for the epochs of so many stages; and its curves.

    The validation images are watched, and steer nothing: a plateau is looked for in the training loss, and training
    never ends early. Weights and dropout are the cell's own; order and augmentation those of all arms of its fold and
    initialisation.
    """
    seed = config.study.seed
    study = replace(config.study, epochs=stages * config.study.epochs)
    weights = replace(study, seed=stream(seed, "weights", *cell))
    order = replace(study, seed=stream(seed, "order", *cell.group, cell.init))
    model = build_model(weights, material.class_names, seen.pixels.shape[3])
    batches = training_batches(order, seen.pixels, seen.fold.labels, seen.fold.train)
    history = model.fit(
        batches,
        epochs=study.epochs,
        validation_data=image_tools.AugmentedBatches(
            seen.pixels, seen.fold.labels, study.batch_size, shuffle=False, rows=seen.fold.validation
        ),
        callbacks=learning_rate_rule(study, len(batches), "loss"),
        verbose=0,
    )
    return model, history


def record_of(cell: Cell, history: nn.History, fold: Fold, probabilities: np.ndarray) -> dict[str, Any]:
    """What is kept of a cell: its name, how good it is on fold.validation, its curves, and every answer (V, U)."""
    labels, predicted = fold.labels[fold.validation], probabilities.argmax(axis=1)  # (V,) both
    classes = list(range(probabilities.shape[1]))
    return {
        "cell": cell._asdict(),
        "accuracy": float((predicted == labels).mean()),
        "macro_f1": float(f1_score(labels, predicted, labels=classes, average="macro", zero_division=0)),
        "log_loss": log_loss(labels, probabilities),
        "ece": expected_calibration_error(labels, probabilities),
        "confusion": confusion_matrix(labels, predicted, labels=classes).tolist(),
        "curves": {name: [round(float(value), DIGITS) for value in history.history[name]] for name in CURVES},
        "rows": fold.validation.tolist(),
        "labels": labels.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": [[round(p, DIGITS) for p in row] for row in probabilities.astype(np.float64).tolist()],
    }


def _stage_one(config: ExperimentConfig, material: Material, cell: Cell, fold: Fold) -> Outcome:
    study, pixels = config.study, material.images
    whole = cell.arm == WHOLE
    if not whole:
        part = inner_parts(config, material, cell.group)  # (N,)
        number = int(cell.arm.removeprefix("inner_"))
        fold = Fold(np.flatnonzero((part >= 0) & (part != number)), np.flatnonzero(part == number), fold.labels)
    model, history = train(config, material, cell, Seen(pixels, fold))
    probabilities = predict_rows(model, pixels, fold.validation)  # (V, U)
    held_out = np.asarray(pixels[fold.validation])  # (V, S, S, 3)
    if whole:
        other = other_classes(config, cell, probabilities)  # (V,)
        maps = {
            "in_fold": network_maps(study, model, pixels),
            "true_in_fold": network_maps(study, model, pixels, fold.labels),
            "other": network_maps(study, model, held_out, other),
            "other_class": other,
        }
    else:
        maps = {
            "predicted": network_maps(study, model, held_out),
            "true": network_maps(study, model, held_out, fold.labels[fold.validation]),
        }
    return Outcome(record_of(cell, history, fold, probabilities), maps)


def other_classes(config: ExperimentConfig, cell: Cell, probabilities: np.ndarray) -> np.ndarray:
    """For each image (V,) a class that stage one does not predict, drawn among the others."""
    n, classes = probabilities.shape
    rng = np.random.default_rng(stream(config.study.seed, "other", *cell.group))
    return (probabilities.argmax(axis=1) + rng.integers(1, classes, n)) % classes


def assembled(
    config: ExperimentConfig,
    material: Material,
    cell: Cell,
    left: Mapping[str, Mapping[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """The maps that a stage-two cell needs, from what the stage-one cells of its fold left, by their arms.

    Cross-fitted maps: those of a training image come from the inner network that did not train on it, those of a
    validation image from the whole one, which did not either.
    """
    whole, wanted = left.get(WHOLE, {}), ARMS[cell.arm].maps
    found = {name: whole[name] for name in ("other", "other_class", *wanted) if name in whole}
    if "predicted" in wanted or "true" in wanted:
        validation = split(config, material, cell.group).validation
        part = inner_parts(config, material, cell.group)  # (N,)
        for name in wanted:
            maps = np.empty(material.images.shape[:3], np.uint8)
            maps[validation] = whole["in_fold" if name == "predicted" else "true_in_fold"][validation]
            for number in range(config.inner_folds):
                maps[part == number] = left[f"inner_{number}"][name]
            found[name] = maps
    return found


def _follows(
    config: ExperimentConfig,
    model: nn.Sequential,
    material: Material,
    fold: Fold,
    maps: Mapping[str, np.ndarray],
    own: np.ndarray,
) -> dict[str, float]:
    """How often stage two answers the class that a map was made for, though stage one predicted another.

    with_other   share of the validation images that are read as that class under its map
    with_own     ... as that same class under the map that they have
    """
    pixels = lay_over(config.study, np.asarray(material.images[fold.validation]), maps["other"])  # (V, S, S, 3)
    answers = predict_rows(model, pixels, np.arange(len(pixels))).argmax(axis=1)  # (V,)
    return {
        "with_other": float((answers == maps["other_class"]).mean()),
        "with_own": float((own.argmax(axis=1) == maps["other_class"]).mean()),
    }
