"""The answer in plain words, for somebody who has not read the paper."""

from collections.abc import Mapping
from typing import Any

from .found import Found

SURE = 0.95


def points(value: float, signed: bool = True) -> str:
    """A share as points (hundredths)."""
    text = f"{100 * value:+.1f}" if signed else f"{100 * abs(value):.1f}"
    return text.replace("-", "−")


def interval(one: Mapping[str, Any]) -> str:
    """The 95% interval of a difference, in points."""
    return f"95% interval {points(one['low'])} to {points(one['high'])}"


def answer(found: Found) -> str:
    """The one sentence: does it help, by how much, how surely?"""
    one = found.difference("saliency") or found.difference("in_fold")
    if one is None:
        return "There is no answer yet: too few cells of the arms “images again” and “saliency” are done."
    beliefs, mean = one["belief"], one["mean"]
    size = f"{points(mean, signed=False)} points"
    maps, beside = "with saliency maps laid over them", "than after training as long on the plain images"
    if one["low"] > 0:
        return f"Yes, on these images: {maps}, accuracy is {size} higher {beside} ({interval(one)})."
    if one["high"] < 0:
        return f"No, on these images it hurts: {maps}, accuracy is {size} lower {beside} ({interval(one)})."
    if beliefs["equal"] > SURE:
        return (
            f"No, on these images it makes no difference that matters: {maps}, accuracy is {size} {_way(mean)} "
            f"{beside} ({interval(one)}), and it is within a point of it with more than 95% probability."
        )
    return (
        f"Not shown: {maps.replace('them', 'these images')}, accuracy came out {size} {_way(mean)} {beside}, and that "
        f"can be chance ({interval(one)}, which holds 0)."
    )


def _way(mean: float) -> str:
    return "higher" if mean >= 0 else "lower"


def reading(found: Found) -> list[str]:
    """A few sentences on the other arms, the weightiest first."""
    said = [*_power(found), *_published(found), *_stage_one(found), *_controls(found), *_leaks(found), *_alone(found)]
    return [*said, *_permuted(found), *_follows(found), *_noise(found), *_missing(found)]


def _power(found: Found) -> list[str]:
    one = found.difference("saliency")
    if one is None:
        return []
    belief = one["belief"]
    return [
        f"What {one['folds']} folds can show: a true difference of {points(one['detectable'], signed=False)} points "
        "would have been found four times out of five. Read as probabilities: worse by more than a point "
        f"{belief['worse']:.0%}, within a point {belief['equal']:.0%}, better by more than a point "
        f"{belief['better']:.0%}."
    ]


def _published(found: Found) -> list[str]:
    one = found.difference("in_fold")
    if one is None:
        return []
    return [
        "As the paper did it, the one network explaining its own training images too: "
        f"{points(one['mean'])} points ({interval(one)})."
    ]


def _stage_one(found: Found) -> list[str]:
    one = found.difference("saliency", "stage_one")
    if one is None:
        return []
    return [
        f"Beside stage one, as the paper compares: {points(one['mean'])} points ({interval(one)}). Stage one is the "
        "network that made the maps, trained once on the plain images. Whoever has that network has spent half of the "
        "epochs; the arm “images again” spends as many as both stages together."
    ]


def _controls(found: Found) -> list[str]:
    said = []
    controls = [one for one in found.differences("saliency") if found.kind(one["arm"]) == "control"]
    better = [one for one in controls if one["high"] < 0]
    if controls:
        names = ", ".join(found.title(one["arm"]) for one in better)
        best = max(controls, key=lambda one: one["mean"])
        said.append(
            f"Saliency maps are surely better than {len(better)} of {len(controls)} controls"
            + (f" ({names})" if better else "")
            + f"; the best control, {found.title(best['arm'])}, is at {points(best['mean'])} points beside them "
            f"({interval(best)}). Whatever a control does as well owes nothing to what the network looks at."
        )
    return said


def _leaks(found: Found) -> list[str]:
    said = []
    for one in found.differences("saliency"):
        if found.kind(one["arm"]) != "leak":
            continue
        if one["low"] > 0:
            what = "rises, as a leak must"
        elif one["high"] < 0:
            what = "does worse than saliency: what it gives away is not learnt from the picture"
        else:
            what = "does not surely rise"
        if one["arm"] == "true_class" and one["low"] <= 0:
            what += ". Its maps come from several networks, and each writes the label in a hand of its own"
            what += "; see “true class, in fold”" * ("true_in_fold" in found.arms)
            what += _faint(found)
        said.append(
            f"Leak, {found.title(one['arm'])}: {points(one['mean'])} points to saliency ({interval(one)}). It {what}."
        )
    return said


def _faint(found: Found) -> str:
    """Why a label in the picture need not help: from the maps alone it is read worse than from the images."""
    alone, images = found.accuracy("true_maps_alone"), found.accuracy("images")
    if alone is None or images is None or images["low"] is None or (alone["high"] or 1) >= images["low"]:
        return ""
    return (
        f". And the label is faint: alone these maps give {alone['mean']:.3f} right, the images {images['mean']:.3f}, "
        "so reading them is the harder lesson, while what they cover is lost to both"
    )


def _alone(found: Found) -> list[str]:
    said, chance = [], found.data["chance"]
    for arm in ("maps_alone", "true_maps_alone"):
        reached = found.accuracy(arm)
        if reached is None:
            continue
        legible = reached["low"] is not None and reached["low"] > chance
        said.append(
            f"{found.title(arm).capitalize()}, without any image: {reached['mean']:.3f} right, where always answering "
            f"the largest class gives {chance:.3f}. "
            + ("The class can be read from them." if legible else "The class is not legible in them.")
        )
    return said


def _permuted(found: Found) -> list[str]:
    permuted = {arm: one for arm, one in found.results["permuted"].items() if one.get("mean") is not None}
    if not permuted:
        return []
    chance = found.data["chance"]
    honest = {arm: one for arm, one in permuted.items() if found.kind(arm) != "leak" and arm != "true_maps_alone"}
    above = [arm for arm, one in honest.items() if one["low"] is not None and one["low"] > chance]
    top = max(honest, key=lambda arm: honest[arm]["mean"])
    text = (
        f"With permuted labels, which nobody can learn, the highest of {len(honest)} honest arms is {found.title(top)} "
        f"with {honest[top]['mean']:.3f} (chance {chance:.3f}): "
    )
    if above:
        names = ", ".join(found.title(arm) for arm in above)
        return [text + f"{names} must not be above chance and is; something leaks there."]
    leaking = [arm for arm, one in permuted.items() if found.kind(arm) == "leak" and (one["low"] or 0) > chance]
    return [
        text
        + "none is surely above it, as it should be."
        + (f" Above it are {', '.join(map(found.title, leaking))}: that is the leak, laid bare." if leaking else "")
    ]


def _follows(found: Found) -> list[str]:
    said = []
    for arm, reached in found.arms.items():
        if arm not in ("saliency", "true_class"):
            continue
        if follows := reached.get("follows"):
            said.append(
                f"Under a map made for another class, stage two ({found.title(arm)}) answers that class for "
                f"{follows['with_other']:.0%} of the images; under their own maps for {follows['with_own']:.0%}."
            )
    return said


def _noise(found: Found) -> list[str]:
    deviation = found.arms["images"].get("deviation", {})
    if deviation.get("split") is None:
        return []
    return [
        "Where the noise comes from: one accuracy of the images alone varies by "
        f"{points(deviation['split'], signed=False)} points from split to split and by "
        f"{points(deviation['weights'], signed=False)} points from one set of initial weights to another (standard "
        "deviations). A single run cannot tell these from an effect."
    ]


def _missing(found: Found) -> list[str]:
    cells, said = found.results["cells"], []
    if cells["done"] < cells["planned"]:
        said.append(
            f"{cells['planned'] - cells['done']} of {cells['planned']} cells are missing; --resume runs them. Folds "
            "that are not complete are left out."
        )
    if cells["failed"]:
        name, error = next(iter(cells["failed"].items()))
        said.append(f"{len(cells['failed'])} cells failed, such as {name}: {error}.")
    return said
