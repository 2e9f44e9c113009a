"""The tables of an experiment: for the page, for scripts (CSV) and for a paper (LaTeX)."""

from collections.abc import Mapping
from typing import Any

from ..tables import Table
from .answer import points
from .found import Found

NO_VALUE = "–"


def whole(found: Found) -> Table:
    """Everything, an arm a row, numbers as they are: table.csv."""
    header = (
        *("arm", "title", "kind", "folds", "cells"),
        *("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss", "ece"),
        *("difference", "difference_low", "difference_high", "p", "p_holm"),
        *("worse", "equal", "better", "detectable", "mended", "broken", "mcnemar_p"),
    )
    rows = []
    for arm, reached in found.arms.items():
        one: Mapping[str, Any] = found.difference(arm) or {}
        belief, pairs = one.get("belief", {}), one.get("mcnemar", {})
        accuracy = reached.get("accuracy", {})
        rows.append(
            (
                *(arm, reached["title"], reached["kind"], reached["folds"], reached["cells"]),
                *(_blank(accuracy.get(key)) for key in ("mean", "low", "high")),
                *(_blank(reached.get(key, {}).get("mean")) for key in ("macro_f1", "log_loss", "ece")),
                *(_blank(one.get(key)) for key in ("mean", "low", "high", "p", "p_holm")),
                *(_blank(belief.get(key)) for key in ("worse", "equal", "better")),
                _blank(one.get("detectable")),
                *(_blank(pairs.get(key)) for key in ("mended", "broken", "p")),
            )
        )
    return Table("table", header, rows)


def accuracies(found: Found) -> Table:
    """How good each arm is."""
    header = ("Stage two sees", "Accuracy", "95% interval", "Macro F1", "Log-loss", "ECE", "Folds")
    rows = []
    for reached in found.arms.values():
        if "accuracy" not in reached:
            continue
        accuracy = reached["accuracy"]
        values = (reached[key]["mean"] for key in ("macro_f1", "log_loss", "ece"))
        rows.append((reached["title"], accuracy["mean"], _range(accuracy), *values, reached["folds"]))
    return Table("accuracies", header, rows)


def differences(found: Found, against: str = "images") -> Table:
    """The differences in points, with p and beliefs."""
    header = ("Arm", "Points", "95% interval", "p", "p, Holm", "Worse", "Same", "Better", "McNemar")
    rows = []
    for one in found.differences(against):
        belief, pairs = one["belief"], one.get("mcnemar")
        shown = f"{pairs['mended']}:{pairs['broken']}, p {probability(pairs['p'])}" if pairs else NO_VALUE
        rows.append(
            (
                found.title(one["arm"]),
                points(one["mean"]),
                f"{points(one['low'])} to {points(one['high'])}",
                *(probability(one[key]) for key in ("p", "p_holm")),
                *(f"{belief[key]:.0%}" for key in ("worse", "equal", "better")),
                shown,
            )
        )
    return Table("differences", header, rows)


def permuted(found: Found) -> Table:
    """Accuracies with permuted labels."""
    rows = [
        (found.title(arm), one["mean"], _range(one), one["folds"])
        for arm, one in found.results["permuted"].items()
        if one.get("mean") is not None
    ]
    return Table("permuted", ("Stage two sees", "Accuracy", "95% interval", "Folds"), rows)


def per_class(found: Found) -> Table:
    """Of each class, the share that was read correctly; of the arms that are compared, the difference in points."""
    names = found.data["class_names"]
    rows = []
    reference = found.arms["images"].get("recall")
    if reference:
        rows.append(("images again: read correctly", *(f"{share:.3f}" for share in reference)))
    rows += [(found.title(one["arm"]), *(points(gain) for gain in one["recall"])) for one in found.differences()]
    return Table("per_class", ("Arm", *names), rows)


def latex(found: Found) -> str:
    """A tabular for a paper: accuracies with intervals, differences with adjusted p. It needs no package."""
    lines = [
        "% accuracy in per cent, differences in points, with 95% intervals of the corrected resampled t-test",
        "% (Nadeau & Bengio, 2003); p adjusted by Holm over the arms",
        r"\begin{tabular}{lrrrrr}",
        r"\hline",
        r"Stage two sees & Accuracy & 95\% interval & Difference & 95\% interval & $p$ (Holm) \\",
        r"\hline",
    ]
    for arm, reached in found.arms.items():
        if "accuracy" not in reached:
            continue
        accuracy, one = reached["accuracy"], found.difference(arm)
        cells = [_tex(reached["title"]), _percent(accuracy["mean"]), _span(accuracy, False)]
        if one:
            cells += [_signed(one["mean"]), _span(one, True), probability(one["p_holm"]).replace("<", "$<$")]
        else:
            cells += ["--", "--", "--"]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def probability(p: float | None) -> str:
    """A p as papers print it."""
    if p is None:
        return NO_VALUE
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _blank(value: Any) -> Any:
    return "" if value is None else value


def _range(one: Mapping[str, Any]) -> str:
    """The interval of an accuracy, which the t distribution may carry beyond what there is."""
    return NO_VALUE if one["low"] is None else f"{max(0.0, one['low']):.3f} to {min(1.0, one['high']):.3f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _signed(share: float) -> str:
    return f"${100 * share:+.1f}$"


def _span(one: Mapping[str, Any], signed: bool) -> str:
    if one["low"] is None:
        return "--"
    if signed:
        return f"[{_signed(one['low'])}, {_signed(one['high'])}]"
    return f"[{_percent(one['low'])}, {_percent(one['high'])}]"


def _tex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in text)
