"""The figures of an experiment."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from ...figures import bands, forest, style
from ..pictures import Picture
from .answer import points
from .found import KINDS, Found

SHOWN_CURVES = ("images", "saliency", "true_class", "shuffled", "maps_alone")


def all_pictures(found: Found) -> dict[str, Picture]:
    """Those that there is something to show for, by name."""
    pictures = [_forest(found, "images"), _forest(found, "saliency"), _curves(found)]
    return {picture.name: picture for picture in pictures if picture is not None}


def _forest(found: Found, against: str) -> Picture | None:
    shown = found.differences(against)
    if not shown:
        return None
    order = {kind: place for place, (kind, _) in enumerate(KINDS)}
    shown.sort(key=lambda one: order.get(found.kind(one["arm"]), len(order)))
    rows = [
        forest.Row(found.title(one["arm"]), found.kind(one["arm"]), one["mean"], one["low"], one["high"])
        for one in shown
    ]
    reference = found.title(against)
    words = (
        "Accuracy with each overlay, minus accuracy with the images alone trained as long"
        if against == "images"
        else "Accuracy of each other arm, minus accuracy with saliency maps"
    )

    def drawn(width: float) -> Figure:
        label = f"points of accuracy, against {reference}"
        return forest.forest(rows, label, found.results["region"], KINDS, width)

    return Picture(
        f"forest_{against}",
        drawn(style.WIDE),
        words,
        "Dots are mean differences over the folds, bars their 95% intervals (corrected for folds that share images); a "
        "bar that crosses the line shows no difference. The grey strip is a point either way. Vermillion diamonds are "
        "leaks on purpose: arms that are told the answer in some way, and should rise if that can be learnt.",
        "; ".join(f"{row.name} {points(row.mean)} ({points(row.low)} to {points(row.high)})" for row in rows),
        drawn(style.NARROW),
    )


def _curves(found: Found) -> Picture | None:
    arms = [arm for arm in SHOWN_CURVES if "curves" in found.arms.get(arm, {})]
    if not arms:
        return None
    curves = [_band(found.title(arm), found.arms[arm]["curves"]["val_accuracy"]) for arm in arms]
    chance = found.data["chance"]
    return Picture(
        "curves",
        bands.bands(curves, "accuracy, images held out", chance),
        "Learning curves",
        "Lines are means over all trainings of an arm, bands what the middle 80 of 100 lie between. The images held "
        "out are only watched: they stop nothing, and steer nothing.",
        "; ".join(f"{band.name} ends at {band.mean[-1]:.3f}" for band in curves),
        bands.bands(curves, "accuracy, images held out", chance, style.NARROW),
    )


def _band(name: str, curve: dict[str, Sequence[Any]]) -> bands.Band:
    return bands.Band(name, curve["mean"], curve["low"], curve["high"])
