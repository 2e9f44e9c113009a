"""What was found in a folder of photos and is not trained on: counted by kind, class and extension, and said."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypedDict

from .kinds import ADVICE, BESIDE, HIDDEN, MEANT, OWN, counted
from .reading import printable

_ENDINGS_SHOWN = 4


class Entry(TypedDict):
    """So many files of one kind, class and extension; the class is "" beside the class folders."""

    kind: str
    class_name: str
    extension: str
    count: int


class Place(NamedTuple):
    """What is counted together."""

    kind: str
    class_name: str
    extension: str


class PassedOver:
    """The counts; nothing is left out of them."""

    def __init__(self) -> None:
        self.counts: Counter[Place] = Counter()

    def add(self, kind: str, class_name: str = "", extension: str = "", count: int = 1) -> None:
        """Count one more file (or `count`) that is passed over."""
        self.counts[Place(kind, class_name, extension)] += count

    def update(self, other: "PassedOver") -> None:
        """Count what `other` counted as well."""
        self.counts.update(other.counts)

    def by_kind(self, class_name: str | None = None) -> Counter[str]:
        """How many of each kind, in all or in one class."""
        found: Counter[str] = Counter()
        for place, count in self.counts.items():
            if class_name in (None, place.class_name):
                found[place.kind] += count
        return found

    def entries(self) -> list[Entry]:
        """All counts, sorted."""
        return [
            Entry(kind=place.kind, class_name=place.class_name, extension=place.extension, count=count)
            for place, count in sorted(self.counts.items())
        ]

    def words(self, class_name: str) -> str:
        """What a class lost, in one phrase; "" for nothing."""
        kinds = self.by_kind(class_name)
        entries = self.entries()
        return "; ".join(
            f"{counted(count, kind)}{_endings(entries, kind, class_name)}" for kind, count in sorted(kinds.items())
        )


def summary(entries: Iterable[Entry]) -> list[str]:
    """One line for each kind: how many, which extensions, in which classes; and what to do if they were meant."""
    entries = list(entries)
    kinds = sorted({entry["kind"] for entry in entries})
    lines = []
    for kind in kinds:
        of_kind = [entry for entry in entries if entry["kind"] == kind]
        total = sum(entry["count"] for entry in of_kind)
        names = sorted({printable(entry["class_name"]) for entry in of_kind} - {""})
        where = "" if kind in (HIDDEN, BESIDE) or not names else f" in {shortened(names)}"
        advice = f"; {ADVICE[kind]}" if kind in ADVICE else ""
        lines.append(f"{counted(total, kind)}{_endings(of_kind, kind)}{where}{advice}")
    return lines


def losses(passed_over: PassedOver, counts: Mapping[str, int]) -> list[str]:
    """A warning for each class that most of its photos are lost to: counts {class: images that are read}."""
    found = []
    for name, kept in counts.items():
        lost = {kind: n for kind, n in passed_over.by_kind(name).items() if kind in MEANT}
        total = sum(lost.values())
        if total > kept:
            what = passed_over.words(name)
            advice = "; ".join(ADVICE[kind] for kind in sorted(lost))
            found.append(f'class "{printable(name)}" keeps {kept} of its {kept + total} photos: {what}. {advice}')
    return found


def shortened(names: Sequence[str], most: int = 12, between: str = ", ") -> str:
    """Names in a row, at most so many of them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def _endings(entries: Iterable[Entry], kind: str, class_name: str | None = None) -> str:
    counts: Counter[str] = Counter()
    for entry in entries:
        if entry["kind"] == kind and class_name in (None, entry["class_name"]):
            counts[printable(entry["extension"])[:12] or "no extension"] += entry["count"]
    if kind == OWN or set(counts) <= {"no extension"}:
        return ""
    shown = [f"{ending} {count}" for ending, count in counts.most_common(_ENDINGS_SHOWN)]
    more = ", ..." if len(counts) > _ENDINGS_SHOWN else ""
    return f" ({', '.join(shown)}{more})"
