"""How the programs compare as images and batches grow: one comparison for each batch and size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import InputError
from .comparison import CALLS, NONE, Comparison, threads_in_words
from .host import describe, told_in_words
from .networks import NETWORKS
from .programs import OURS, WORK

SIDES = (64, 150, 224, 300)  # pixels, of one image
BATCHES = (1, 8, 32, 128)  # images, of the size that the network is meant for


class Setting(NamedTuple):
    """Images in a batch, and their pixels to a side."""

    batch: int
    size: int

    def in_words(self) -> str:
        """ "8 images of 150 pixels"."""
        return f"{self.batch} image{'s' if self.batch > 1 else ''} of {self.size} pixels"


def usual_settings(network: str) -> list[Setting]:
    """One image of growing size, then growing batches of images of the network's own size."""
    grown = [Setting(1, side) for side in SIDES]
    return list(dict.fromkeys([*grown, *(Setting(batch, NETWORKS[network].size) for batch in BATCHES)]))


def read_settings(text: str) -> list[Setting]:
    """The settings in a text such as "1x64,8x150": images in a batch, then pixels; InputError if it is none."""
    try:
        pairs = [tuple(int(number) for number in part.split("x")) for part in text.split(",")]
        return list(dict.fromkeys(Setting(batch, size) for batch, size in pairs))
    except ValueError:
        raise InputError(
            f"--growth: needs pairs of images in a batch and pixels, got {text!r}; such as --growth 1x64,8x150"
        ) from None


@dataclass
class Growth:
    """The comparisons of one network, in the order in which they were measured."""

    comparisons: Sequence[Comparison]

    def series(self, threads: int, work: str, settings: Sequence[Setting]) -> dict[str, list[float | None]]:
        """Of each other program that gives our numbers, how many times as long as this package it takes, by setting."""
        found = {Setting(one.batch, one.size): one for one in self.comparisons}
        names = dict.fromkeys(name for one in self.comparisons for name in one.rivals(threads, work))
        return {
            name: [
                rivals[name] / found[setting].median(OURS, threads, work) if name in rivals else None
                for setting in settings
                for rivals in [found[setting].rivals(threads, work)]
            ]
            for name in names
        }

    def least(self, threads: int) -> tuple[float, str, Comparison] | None:
        """The smallest ratio to the fastest other program, of what work, and where; None without another program."""
        found = [
            (ratio[0], work, one) for one in self.comparisons for work in WORK if (ratio := one.ratio(threads, work))
        ]
        return min(found, key=lambda entry: entry[0], default=None)

    def to_json(self) -> dict[str, Any]:
        """growth: a list of what Comparison.to_json says, one for each setting."""
        return {"growth": [one.to_json() for one in self.comparisons]}

    def table(self) -> str:
        """Our milliseconds and those of the fastest other program, a block for each kind of work and threads."""
        first = self.comparisons[0]
        title = NETWORKS[first.network].title
        lines = [
            f"{title}, float32; medians of {first.rounds} interleaved rounds of {CALLS} calls or more",
            told_in_words(),
        ]
        for threads in first.counts():
            for work in WORK:
                lines += [
                    "",
                    f"{f'{work}, {threads_in_words(threads)}':28s}{OURS:>15s}{'fastest other':>16s}{'times':>9s}",
                ]
                lines += [_line(one, threads, work) for one in self.comparisons]
            if least := self.least(threads):
                times, work, one = least
                where = Setting(one.batch, one.size).in_words()
                lines += ["", f"the least with {threads_in_words(threads)}: {times:.2f}x, {work}, {where}"]
        for name in dict.fromkeys(name for one in self.comparisons for name in one.differences if not one.agrees(name)):
            where = ", ".join(
                Setting(one.batch, one.size).in_words() for one in self.comparisons if not one.agrees(name)
            )
            lines += ["", f"{describe(name)} gives other numbers, and is compared with nobody: {where}"]
        return "\n".join(lines)


def _line(one: Comparison, threads: int, work: str) -> str:
    """A setting's row: ours, the fastest other program's time, the ratio, its name."""
    ours = one.median(OURS, threads, work)
    words = f"{Setting(one.batch, one.size).in_words():28s}{f'{ours * 1e3:.2f} ms':>15s}"
    if not (ratio := one.ratio(threads, work)):
        return f"{words}{NONE:>16s}{NONE:>9s}"
    times, fastest = ratio
    return f"{words}{f'{times * ours * 1e3:.2f} ms':>16s}{f'{times:.2f}x':>9s}  {describe(fastest)}"
