"""The floors of the house: which folder may lean on which."""

from collections.abc import Mapping
from pathlib import Path

from house.arrows import arrows_of

Floors = Mapping[str, set[str]]


def upward(package: Path, floors: Floors, doors: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    """`module > module` of every arrow that leads to a floor which the table does not name for the first one's.

    `doors` are single modules that may lean on one more floor: {(module, floor): why}.
    """
    found = []
    for name, targets in arrows_of(package).items():
        floor = name.split(".")[0]
        for target in targets:
            below = target.split(".")[0]
            if below != floor and below not in floors.get(floor, set()) and (name, below) not in (doors or {}):
                found.append(f"{name} > {target}")
    return sorted(found)


def missing(package: Path, floors: Floors) -> set[str]:
    """Floors that are there and not in the table."""
    return {name.split(".")[0] for name in arrows_of(package)} - set(floors)
