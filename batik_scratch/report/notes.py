"""What a reader must know before believing a number of the report, in plain words, from what was recorded."""

import numpy as np

from ..statistics import Pairs, pairs_of
from .recorded import Recorded, Stage, StageName

SIGNIFICANT = 0.05

DRAWN = (
    "The images were drawn by code, not photographed. These numbers show that the program works and how the method "
    "behaves; they say nothing about real cloth."
)


def verdict(run: Recorded) -> str:
    """Two sentences on the accuracies: how they differ, and whether luck with these images explains it.

    Both stages judge the same images, so the exact test of McNemar on the pairs answers that, and not whether the two
    intervals overlap: those would be right for two sets of images.
    """
    first, second = run.stages[StageName.FIRST], run.stages[StageName.SECOND]
    gain = 100 * (second.metrics["accuracy"] - first.metrics["accuracy"])
    change = "the same as" if gain == 0 else f"{abs(gain):.1f} points {'higher' if gain > 0 else 'lower'} than"
    pairs = _pairs(run)
    images = "image" if pairs.mended == 1 else "images"
    counted = f"it got {pairs.mended} {images} right that stage one had wrong, and {pairs.broken} the other way round"
    if pairs.p < SIGNIFICANT:
        closing = (
            f"luck with these {len(first.predictions)} images hardly explains that ({_p(pairs.p)}, McNemar's exact "
            "test), but luck with this split or with the initial weights still may: `experiment` can tell"
        )
    else:
        closing = (
            f"with {len(first.predictions)} images that is no more than luck may bring ({_p(pairs.p)}, McNemar's exact "
            "test): this one split shows no difference between the stages"
        )
    return f"With saliency overlaid, the accuracy is {change} without it: {counted}. {_first_up(closing)}."


def notes(run: Recorded) -> list[str]:
    """All that is to be known beside `in_short` and `data_warnings`, the weightiest first."""
    found = [_interval(run), _paired(run), *_unused_classes(run), *_selection(run)]
    found += [
        "Every map explains the class that the network predicted, not the true one. The true class would write the "
        "label into the picture, also into the pictures that validate stage two.",
        "Both stages use the same split by identity: an image that trained the first network never validates the "
        "second.",
        "The maps of training and validation images alike come from the stage-one network. It has seen the training "
        "images and not the validation images, so the two kinds of maps may differ, and stage two trains on one kind "
        "only.",
        "A map shows which pixels the prediction depends on most when they change a little. It does not show that the "
        "network has understood the motif.",
    ]
    if skipped := run.data.get("skipped"):
        found.append(f"Files that could not be read and were left out: {len(skipped)}. They are listed under Images.")
    if groups := run.data.get("near_duplicate_groups"):
        found.append(
            f"Groups of images that are nearly the same picture: {groups}. Each was kept on one side of the split."
        )
    found.append(
        "The paper does not say how its two stages were split, how many images it had (its figures fit 142 validation "
        "images in Table I and 128 in Fig. 12), or which stage its Table II describes. Its abstract and its Table II "
        "give different numbers; both are quoted."
    )
    return found


def in_short(run: Recorded) -> list[str]:
    """Three sentences: how exact the accuracy is, what the difference of the stages is worth, and what a map shows."""
    first = run.stages[StageName.FIRST]
    low, high = first.interval
    pairs = _pairs(run)
    luck = "hardly explained by" if pairs.p < SIGNIFICANT else "no more than"
    labels = [prediction.label for prediction in first.predictions]
    largest = max(set(labels), key=lambda label: (labels.count(label), -label))
    always = labels.count(largest) / len(labels)
    nothing = (
        f" Whoever always says {run.class_names[largest]} is right in {always:.3f}: that the network has learned "
        "anything is not shown."
        if low <= always
        else ""
    )
    return [
        f"Stage one's accuracy of {first.metrics['accuracy']:.3f} was measured on {len(first.predictions)} images, and "
        f"with others like them it might as well have been anything from {low:.3f} to {high:.3f}.{nothing}",
        f"The difference between the stages is {luck} luck with these images ({_p(pairs.p)}), and one split cannot "
        "say what another split or other initial weights would bring.",
        "A map shows which pixels the network's answer depends on, right or wrong; it does not show that the motif was "
        "understood.",
    ]


def data_warnings(run: Recorded) -> list[str]:
    """What says that the images, or the settings, are perhaps not what one thinks."""
    found = []
    if run.changes:
        told = "; ".join(str(change) for change in run.changes)
        found.append(f"Settings were changed while this run was interrupted, and its parts differ in them: {told}.")
    warnings = run.warnings
    if not warnings:
        return found
    return [
        *found,
        "The images are perhaps not what you think: "
        + "; ".join(f"{line.rstrip('.')}" for line in warnings[:3])
        + "."
        + (f" {len(warnings) - 3} more warnings are listed under Images." if len(warnings) > 3 else ""),
    ]


def _interval(run: Recorded) -> str:
    stage = run.stages[StageName.FIRST]
    low, high = stage.interval
    return (
        f"There are {len(stage.predictions)} validation images. The 95% interval (Wilson) of stage one's accuracy runs "
        f"from {low:.3f} to {high:.3f}, about ±{_margin(stage):.1f} points. One split cannot show a small gain between "
        "the stages: another split and other initial weights move both. `batik-scratch experiment` repeats them."
    )


def _margin(stage: Stage) -> float:
    """Half the recorded interval of the accuracy, in points (hundredths)."""
    return 50 * (stage.interval[1] - stage.interval[0])


def _paired(run: Recorded) -> str:
    mended, broken, p = _pairs(run)
    return (
        f"Image by image: stage two got {mended} right that stage one had wrong, and {broken} wrong that stage one had "
        f"right. If neither stage were better, such a lopsided count or a more lopsided one would come in {p:.1%} of "
        "all cases (McNemar's exact test). It knows nothing of other splits and other initial weights."
    )


def _pairs(run: Recorded) -> Pairs:
    first, second = (_hits(run.stages[stage]) for stage in StageName)
    return pairs_of(first, second)


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _first_up(text: str) -> str:
    return text[0].upper() + text[1:]


def _unused_classes(run: Recorded) -> list[str]:
    found = []
    for key, stage in run.stages.items():
        never = np.flatnonzero(np.sum(stage.metrics["confusion"], axis=0) == 0)  # columns are predictions
        if len(never):
            found.append(f"{key.words.capitalize()} never answered {', '.join(run.class_names[c] for c in never)}.")
    if not found:
        return []
    advice = "Such a class counts with precision 0. A network that leaves a class out may need more epochs."
    return [" ".join([*found, advice])]


def _hits(stage: Stage) -> dict[str, bool]:
    return {p.path: p.label == p.predicted for p in stage.predictions}


def _selection(run: Recorded) -> list[str]:
    steered = run.config.get("schedule", "plateau") == "plateau"
    found = [
        "There is no test set, as in the paper: the validation images also steered the learning rate, and they are the "
        "ones reported. Their accuracy flatters the network a little."
        if steered
        else "There is no test set, as in the paper: the images watched during training are the ones reported."
    ]
    stopped = [
        name.words.capitalize() for name, stage in run.stages.items() if stage.metrics.get("stopped") == "accuracy"
    ]
    if stopped:
        found.append(
            f"{' and '.join(stopped)} ended at the first epoch whose validation accuracy reached the threshold; "
            "an accuracy caught at its first high moment is an optimistic one."
        )
    return found
