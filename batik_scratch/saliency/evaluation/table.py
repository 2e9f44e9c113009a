"""The table: every method and control against every measure, with intervals, and what beats what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...nn import Sequential
from ..catalogue import METHODS, Entry
from .bootstrap import Interval, mean_interval
from .controls import centre_prior, sobel
from .faithfulness import deletion, insertion
from .localisation import METRICS, chance
from .randomisation import similarity

CONTROLS = ("chance", "centre prior", "Sobel")
LOWER_IS_BETTER = ("deletion",)
COMPARED = 60  # images whose maps are compared with another network's
BESIDE = "ROC-AUC"  # the measure by which the maps of two networks are set side by side


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate_methods` found.

    values        {row: {measure: (N,) per image}}, rows are methods and controls
    likeness      {other network: {method: {"spearman", "spearman, absolute", "SSIM": (K,)}}}, of the first K images
    theirs        {other network: {method: (K,)}}: BESIDE of the other network's maps
    """

    values: dict[str, dict[str, np.ndarray]]
    likeness: dict[str, dict[str, dict[str, np.ndarray]]]
    theirs: dict[str, dict[str, np.ndarray]]

    def interval(self, row: str, measure: str) -> Interval:
        """Mean and 95% interval of one cell."""
        return mean_interval(self.values[row][measure])

    def beats(self, row: str, control: str, measure: str) -> bool:
        """True if the whole 95% interval of the paired difference to the control is on the better side."""
        difference = self.values[row][measure] - self.values[control][measure]  # (N,)
        low, high = mean_interval(difference)[1:3]
        return high < 0 if measure in LOWER_IS_BETTER else low > 0

    def text(self) -> str:
        """The tables for a terminal."""
        measures = list(dict.fromkeys(name for row in self.values.values() for name in row))  # in order, each once
        width = max(map(len, self.values)) + 2
        lines = ["mean over images [95% interval]; * beats centre prior and Sobel, paired, at 95%", ""]
        for group in (measures[:3], measures[3:5], measures[5:]):
            if group:
                lines.append(" " * width + "".join(f"{name:>26s}" for name in group))
                lines += [
                    f"{row:{width}s}" + "".join(f"{self._cell(row, name):>26s}" for name in group)
                    for row in self.values
                ]
                lines.append("")
        for other in self.likeness:
            lines += [*self._beside(other, width), ""]
        return "\n".join(lines).rstrip()

    def arrays(self) -> dict[str, np.ndarray]:
        """Every number by name, for an .npz: "ROW/MEASURE" (N,), and "OTHER NETWORK: METHOD/KIND" (K,)."""
        found = {f"{row}/{name}": v for row, measures in self.values.items() for name, v in measures.items()}
        for other, methods in self.likeness.items():
            for method, kinds in methods.items():
                both = kinds | {BESIDE: self.theirs[other][method]}
                found |= {f"{other.replace('/', ' ')}: {method}/{kind}": v for kind, v in both.items()}
        return found

    def _beside(self, other: str, width: int) -> list[str]:
        """The maps of another network beside the trained one's."""
        lines = [
            f"{other}, beside the trained network: likeness of their maps "
            "(1 = the same map: the method does not notice);",
            f"{BESIDE} of both, * the trained network's finds the motif better, paired, at 95%",
            " " * width
            + f"{'spearman':>10s}{'spearman, absolute':>24s}{'SSIM':>8s}{'trained':>25s}{'the other':>24s}   notices",
        ]
        for method, found in self.likeness[other].items():
            theirs = self.theirs[other][method]  # (K,)
            ours = self.values[method][BESIDE][: len(theirs)]  # (K,)
            star = "*" if mean_interval(ours - theirs).low > 0 else " "
            lines.append(
                f"{method:{width}s}{mean_interval(found['spearman']).mean:10.3f}"
                f"{mean_interval(found['spearman, absolute'])!s:>24s}{mean_interval(found['SSIM']).mean:8.3f}"
                f"{f'{mean_interval(ours)}{star}':>25s}{mean_interval(theirs)!s:>24s}"
                f"   {notices(found)}"
            )
        return lines

    def _cell(self, row: str, measure: str) -> str:
        if measure not in self.values[row]:
            return ""
        better = row not in CONTROLS and all(self.beats(row, control, measure) for control in CONTROLS[1:])
        return f"{self.interval(row, measure)}{'*' if better else ' '}"


def notices(found: Mapping[str, np.ndarray]) -> str:
    """Does a method notice that it explains another network? "yes", "NO" or "unclear", by two rank correlations.

    They compare the two networks' maps, signed and absolute. "yes" if both lie below one half with their whole 95%
    intervals, "NO" if one of them lies above it as a whole, "unclear" in between. The signed one is needed because
    guided backpropagation keeps the signs of the image's edges while their strengths change.
    """
    both = [mean_interval(found[kind]) for kind in ("spearman", "spearman, absolute")]
    if any(interval.low > 0.5 for interval in both):
        return "NO"
    return "unclear" if any(interval.high >= 0.5 for interval in both) else "yes"


def evaluate_methods(
    model: Sequential,
    images: np.ndarray,
    masks: np.ndarray,
    methods: Mapping[str, Entry] = METHODS,
    others: Mapping[str, Sequential] | None = None,
    faithful: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Judge `methods` on images (N, H, W, C) in [0, 1] with motif masks (N, H, W), for each image's predicted class.

    others: {name: network}; a method whose maps of them are like those of the model does not notice the difference.
    say: told the name of each method before it begins.
    """
    classes = model.logits(images).argmax(axis=1)  # (N,)
    values: dict[str, dict[str, np.ndarray]] = {"chance": {name: chance(name, masks) for name in METRICS}}
    likeness: dict[str, dict[str, dict[str, np.ndarray]]] = {name: {} for name in others or {}}
    beside: dict[str, dict[str, np.ndarray]] = {name: {} for name in others or {}}

    def judged(maps: np.ndarray) -> dict[str, np.ndarray]:
        row = {name: metric(maps, masks) for name, metric in METRICS.items()}
        if faithful:
            row["deletion"] = deletion(model, images, maps, classes)
            row["insertion"] = insertion(model, images, maps, classes)
        return row

    values["centre prior"], values["Sobel"] = judged(centre_prior(images)), judged(sobel(images))
    for name, entry in methods.items():
        say(name)
        raw = entry.make(model).attribute(images, target=classes)  # (N, H, W, C)
        values[name] = judged(entry.reduce(raw))
        for other, network in (others or {}).items():
            some = slice(COMPARED)
            theirs = entry.make(network).attribute(images[some], target=classes[some])  # (K, H, W, C)
            likeness[other][name] = similarity(raw[some].sum(axis=-1), theirs.sum(axis=-1))
            beside[other][name] = METRICS[BESIDE](entry.reduce(theirs), masks[some])  # (K,)
    return Evaluation(values, likeness, beside)
