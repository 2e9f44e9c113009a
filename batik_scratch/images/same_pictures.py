"""Groups of copies, sorted by what is wrong with them: nothing, two labels, or both sides of a split."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .reading import printable

SHOWN = 3


@dataclass(frozen=True)
class SamePictures:
    """Groups of paths that show one picture, each in one of the lists.

    within            of one class, on one side
    across_classes    under two labels
    across_parts      of one class, on both sides of a split that was made already
    """

    within: list[list[str]]
    across_classes: list[list[str]]
    across_parts: list[list[str]]


def same_pictures(
    groups: np.ndarray, labels: Sequence[object], paths: Sequence[str], held_out: Collection[str] | None = None
) -> SamePictures:
    """Sort the groups (N,) of images with these labels and paths; `held_out` are the paths that validate."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    found = SamePictures([], [], [])
    for rows in members.values():
        if len(rows) < 2:
            continue
        if len({labels[row] for row in rows}) > 1:
            kind = found.across_classes
        elif len({paths[row] in (held_out or ()) for row in rows}) > 1:
            kind = found.across_parts
        else:
            kind = found.within
        kind.append([paths[row] for row in rows])
    return found


def copy_warnings(found: SamePictures) -> list[str]:
    """One sentence for each kind of copies that makes a result doubtful, with a few of their names."""
    kinds = (
        (found.across_classes, "under two labels, of which one is wrong: take the copies with the wrong one away"),
        (found.across_parts, "trained on and validated with, so that the accuracy flatters the network"),
    )
    warnings = []
    for groups, what in kinds:
        if groups:
            shown = "; ".join(" = ".join(printable(path) for path in group[:SHOWN]) for group in groups[:SHOWN])
            more = f"; and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
            number = f"{len(groups)} picture{'s' if len(groups) > 1 else ''} (copies or near-copies)"
            warnings.append(f"{number} {what}. {shown}{more}. data scan lists all")
    return warnings
