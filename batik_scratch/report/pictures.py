"""Which figures the report holds, drawn from a run, each with its title, its caption and a description in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from .. import figures
from ..figures import style
from . import paper
from .recorded import STAGES, Recorded, Stage, StageName

STAGE_TITLES = {stage: f"{stage.words}: {stage.sees}" for stage in STAGES}
_HEADLINE_CLASSES = 6
_THREE_BESIDE, _TWO_BESIDE = 6, 8  # classes up to which so many matrices can be read side by side
_ACROSS = 8  # pictures of Fig. 11 side by side
_MATRIX_SHOWN = 24  # classes of a matrix that can be read at all


@dataclass(frozen=True)
class Picture:
    """A figure of the report; `narrow` is the same arranged for a phone, if that differs; photographic: of photos."""

    name: str
    figure: Figure
    title: str
    caption: str
    alt: str
    narrow: Figure | None = None
    photographic: bool = False


def all_pictures(run: Recorded) -> dict[str, Picture]:
    """Every figure of the report by its name."""
    pictures = [headline(run), intervals(run), samples(run), *curve_pictures(run)]
    pictures += [prediction(run), saliency(run), confusion(run)]
    return {picture.name: picture for picture in pictures}


def headline(run: Recorded) -> Picture:
    """A strip: one picture of each class beside its overlay."""
    rows = _pick(run)[:_HEADLINE_CLASSES]
    pairs = [np.stack([run.examples["images"][i], run.examples["overlays"][i]]) for i in rows]  # each (2, H, W, 3)
    right = [bool(run.examples["labels"][i] == run.examples["predicted"][i]) for i in rows]
    names = [
        run.class_names[int(run.examples["labels"][i])]
        + ("" if hit else f"\nread as {run.class_names[int(run.examples['predicted'][i])]}")
        for i, hit in zip(rows, right, strict=True)
    ]
    return Picture(
        "headline",
        figures.sample_grid(pairs, names, per_class=2, columns=min(len(rows), 3), right=right),
        "What the network looks at",
        "A validation image of each class, and beside it the same image with blue laid where the prediction depends on "
        "the pixels most; brighter blue, more influence."
        + (
            ""
            if all(right)
            else " A name in vermillion marks an image that the network misread, and so explains wrongly."
        )
        + (f" Fig. 11 shows all {len(run.class_names)} classes." if len(run.class_names) > len(rows) else ""),
        f"Images of {_listed(run, rows)}, each beside a copy on which the influential pixels are blue.",
        figures.sample_grid(
            pairs, names, per_class=2, columns=1 if len(rows) <= 3 else 2, width=style.NARROW, right=right
        ),
        photographic=True,
    )


def intervals(run: Recorded) -> Picture:
    """Accuracies with their intervals, beside the published ones and the largest class."""
    metrics = [run.stages[stage].metrics["accuracy"] for stage in STAGES]
    counts = list(run.data["counts"]["validation"].values())
    chance = max(counts) / max(sum(counts), 1)
    drawn = (
        (*(stage.words for stage in STAGES), "paper, Table II", "paper, abstract"),
        (*metrics, paper.TABLE_2["accuracy"], paper.ABSTRACT["accuracy"]),
        (*(run.stages[stage].interval for stage in STAGES), None, None),
        chance,
    )
    return Picture(
        "accuracy",
        figures.accuracy_intervals(*drawn),
        "Accuracy, with the doubt that belongs to it",
        "Dots are accuracies, bars their 95% intervals (Wilson). Where two bars overlap widely, these images cannot "
        "tell the stages apart. Diamonds are the paper's figures, published without intervals and measured on other "
        "images.",
        f"Stage one {metrics[0]:.3f}, stage two {metrics[1]:.3f}, the paper 0.87 in Table II and 0.82 in its abstract; "
        f"always answering the largest class gives {chance:.3f}.",
        figures.accuracy_intervals(*drawn, width=style.NARROW),
    )


def samples(run: Recorded) -> Picture:
    """A few images of each class."""
    labels = run.examples["labels"]
    present = [c for c in range(len(run.class_names)) if (labels == c).any()]
    groups = [run.examples["images"][labels == c] for c in present]
    names = [run.class_names[c] for c in present]
    per_class = min(4, max(map(len, groups)))
    return Picture(
        "samples",
        figures.sample_grid(groups, names, per_class),
        "Images of each class",
        "As the network gets them: squeezed to a square of "
        f"{run.examples['images'].shape[2]}x{run.examples['images'].shape[1]} pixels.",
        f"Up to {per_class} images of each of: {', '.join(names)}.",
        photographic=True,
    )


def curve_pictures(run: Recorded) -> list[Picture]:
    """Fig. 8, the loss, and Fig. 9, the accuracy, over the epochs of both stages."""
    losses = _curves(run, "loss", "val_loss")
    accuracies = _curves(run, "accuracy", "val_accuracy")
    return [
        Picture(
            "fig08_loss",
            figures.curves(losses, "cross-entropy loss"),
            "Fig. 8: loss",
            "Falling together, the curves show learning; a validation curve that turns up while training falls on "
            "shows overfitting. Training values are means over an epoch with dropout and augmentation on, and so may "
            "lie above validation. In the paper training loss falls from 7 to about 0.02, validation loss from about "
            "1 to 0.68.",
            _ends(run, "loss", "val_loss"),
            figures.curves(losses, "cross-entropy loss", columns=1),
        ),
        Picture(
            "fig09_accuracy",
            figures.curves(accuracies, "accuracy", top=1.02),
            "Fig. 9: accuracy",
            "A gap that opens between the curves is overfitting: what was learned by heart does not carry over. In the "
            "paper training accuracy rises from 0.2 to about 0.98, validation accuracy from about 0.4 to about 0.8.",
            _ends(run, "accuracy", "val_accuracy"),
            figures.curves(accuracies, "accuracy", columns=1, top=1.02),
        ),
    ]


def prediction(run: Recorded) -> Picture:
    """Fig. 10: one image and its percentages."""
    row = _pick(run)[0]
    truth, shares = int(run.examples["labels"][row]), run.examples["probabilities"][row]
    percents = figures.percentages(shares)
    return Picture(
        "fig10_prediction",
        figures.prediction(run.examples["images"][row], run.class_names, shares, truth),
        "Fig. 10: a prediction and its percentages",
        f"{_origin(run, row)} The percentages are the softmax outputs of the stage-one network and add up to 100. "
        "The paper's example gives 85.87, 3.81 and 0.32 percent, which add up to 90.00.",
        f"An image of {run.class_names[truth]}; "
        + ", ".join(f"{run.class_names[i]} {percents[i]:.2f} %" for i in np.argsort(-percents, kind="stable")[:5]),
        figures.prediction(run.examples["images"][row], run.class_names, shares, truth, columns=1),
    )


def saliency(run: Recorded) -> Picture:
    """Fig. 11: original, raw map, overlay and the second network's map, for every class; of a slide's shape."""
    rows = _pick(run, per_class={1: 4, 2: 3, 3: 2, 4: 2}.get(len(run.class_names), 1))
    ex = run.examples
    right = [bool(ex["labels"][i] == ex["predicted"][i]) for i in rows]
    titles = []
    for i, hit in zip(rows, right, strict=True):
        share = 100 * ex["probabilities"][i][int(ex["predicted"][i])]
        guess = "right" if hit else f"read as\n{style.label(run.class_names[int(ex['predicted'][i])], 13)}"
        titles.append(f"{style.label(run.class_names[int(ex['labels'][i])], 13)}\n{guess}\n{share:.1f} %")
    percentile = float(run.config.get("saliency_percentile", 99.0))
    drawn = (ex["images"][rows], ex["maps"][rows], ex["overlays"][rows], titles, ex["maps_stage2"][rows], percentile)
    return Picture(
        "fig11_saliency",
        figures.saliency_panel(*drawn, min(len(rows), _ACROSS), right),
        "Fig. 11: original, saliency map, overlay",
        "The raw map is the size of the gradient of the predicted class's logit at each pixel (the largest of the "
        "three colour channels); white is most. The overlay is what stage two trains and validates on, and the last "
        "row is what the second network, given the overlay, looks at in turn. Titles in vermillion mark wrong "
        "predictions. Where a class has one, the first picture is one that was read correctly.",
        f"Columns for {_listed(run, rows)}; rows are the original, the raw map, the blue overlay, the stage-two map.",
        figures.saliency_panel(*drawn, 3, right, style.NARROW),
        photographic=True,
    )


def confusion(run: Recorded) -> Picture:
    """Fig. 12: both stages' confusion matrices, and the paper's."""
    names = run.class_names
    whole = {stage: np.asarray(run.stages[stage].metrics["confusion"]) for stage in STAGES}  # (U, U) each
    shown = _most_mistaken(whole[StageName.FIRST])  # (V,)
    panels = [
        figures.Matrix(stage.words, whole[stage][np.ix_(shown, shown)].tolist(), [names[c] for c in shown])
        for stage in STAGES
    ]
    right = [f"{stage.words}: {np.trace(counts)} of {counts.sum()} right" for stage, counts in whole.items()]
    beside = len(names) <= _THREE_BESIDE
    if beside:
        panels.append(figures.Matrix("the paper's Fig. 12", paper.FIGURE_12, paper.CLASS_NAMES))
        counts = np.asarray(paper.FIGURE_12)
        right.append(f"the paper's Fig. 12: {np.trace(counts)} of {counts.sum()} right")
    return Picture(
        "fig12_confusion",
        figures.confusion(panels, columns=None if len(names) <= _TWO_BESIDE else 1),
        "Fig. 12: confusion matrices",
        "Right answers stand on the diagonal; a row shows where the images of one true class went. "
        + (
            "The paper's matrix counts 128 of its own images."
            if beside
            else "The paper's has three classes: 49, 0, 0; 3, 42, 0; 7, 6, 21 (keratonan, mega mendung, singa barong)."
        )
        + (
            f" Shown are the {len(shown)} of {len(names)} classes that stage one mistook most often; all of them are "
            "in tables/confusion_stage1.csv and tables/confusion_stage2.csv."
            if len(shown) < len(names)
            else ""
        ),
        "; ".join(right),
        figures.confusion(panels, columns=1) if len(names) <= _TWO_BESIDE else None,
    )


def _most_mistaken(counts: np.ndarray) -> np.ndarray:
    """The classes (V,) of (U, U) that a matrix shows: all, or those with the most mistakes, in their own order."""
    if len(counts) <= _MATRIX_SHOWN:
        return np.arange(len(counts))
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)  # (U,)
    return np.sort(np.argsort(-mistakes, kind="stable")[:_MATRIX_SHOWN])


def _curves(run: Recorded, training: str, validation: str) -> list[figures.Curve]:
    return [
        figures.Curve(
            STAGE_TITLES[name],
            [e.epoch for e in stage.epochs],
            [getattr(e, training) for e in stage.epochs],
            [getattr(e, validation) for e in stage.epochs],
            stage.learning_rates,
        )
        for name, stage in run.stages.items()
    ]


def _ends(run: Recorded, training: str, validation: str) -> str:
    def ends(stage: Stage) -> str:
        first, last = stage.epochs[0], stage.epochs[-1]
        return (
            f"training from {getattr(first, training):.3f} to {getattr(last, training):.3f}, "
            f"validation from {getattr(first, validation):.3f} to {getattr(last, validation):.3f} "
            f"in {len(stage.epochs)} epoch{'s' * (len(stage.epochs) > 1)}"
        )

    return "; ".join(f"{STAGE_TITLES[name]}, {ends(stage)}" for name, stage in run.stages.items())


def _pick(run: Recorded, per_class: int = 1) -> list[int]:
    """Rows of the examples, one of each class, then the next of each: validation first, rightly predicted first."""
    labels, predicted, split = (run.examples[name] for name in ("labels", "predicted", "split"))
    order = sorted(range(len(labels)), key=lambda i: (split[i] != "validation", predicted[i] != labels[i], i))
    of_class = [[i for i in order if labels[i] == c] for c in range(len(run.class_names))]
    return [rows[place] for place in range(per_class) for rows in of_class if place < len(rows)]


def _origin(run: Recorded, row: int) -> str:
    part = "A validation image" if run.examples["split"][row] == "validation" else "A training image"
    hit = run.examples["labels"][row] == run.examples["predicted"][row]
    return f"{part} that the network {'reads correctly' if hit else 'misreads'} ({run.examples['paths'][row]})."


def _listed(run: Recorded, rows: Sequence[int]) -> str:
    names = [run.class_names[int(run.examples["labels"][i])] for i in rows]
    return ", ".join(dict.fromkeys(names))
