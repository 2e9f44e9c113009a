"""What was measured of several programs: medians, ratios, and the table of both."""

import math
import statistics
from dataclasses import dataclass, field
from typing import Any

from .host import describe, limits, processor, told_in_words, versions
from .networks import NETWORKS
from .programs import OURS, WORK
from .start import LIMITS

CALLS = 5  # of one kind of work at least, per program and round
NONE = "-"  # of work that a program does not do


@dataclass
class Comparison:
    """What was measured: seconds of one call per program, kind of work and round, and peak memory in MB.

    A program is (name, threads). It has no seconds of work that it does not do, and no memory if it does not train.
    differences: by name and kind of work, how far the answers are from ours, in the measure of start.LIMITS.
    """

    batch: int
    size: int
    rounds: int
    network: str = "paper"
    seconds: dict[tuple[str, int], dict[str, list[float]]] = field(default_factory=dict)
    memory: dict[tuple[str, int], float] = field(default_factory=dict)
    differences: dict[str, dict[str, float]] = field(default_factory=dict)

    def median(self, name: str, threads: int, work: str) -> float:
        """Seconds of one call."""
        return statistics.median(self.seconds[name, threads][work])

    def medians(self, name: str, threads: int) -> dict[str, float | None]:
        """Seconds of one call of each kind of work, None of what the program does not do."""
        done = self.seconds[name, threads]
        return {work: self.median(name, threads, work) if work in done else None for work in WORK}

    def counts(self) -> list[int]:
        """The numbers of threads, the most first."""
        return sorted({threads for _, threads in self.seconds}, reverse=True)

    def agrees(self, name: str) -> bool:
        """Whether a program answers what this package answers; one that does not is compared with nobody."""
        return all(far <= LIMITS[work] for work, far in self.differences.get(name, {}).items())

    def rivals(self, threads: int, work: str) -> dict[str, float]:
        """Medians in seconds of the other programs that do this work and give our numbers."""
        return {
            name: self.median(name, t, work)
            for (name, t), done in self.seconds.items()
            if t == threads and name != OURS and work in done and self.agrees(name)
        }

    def ratio(self, threads: int, work: str) -> tuple[float, str] | None:
        """How many times faster than the fastest other program this package is, and which that is; None if alone."""
        peers = self.rivals(threads, work)
        if not peers:
            return None
        fastest = min(peers, key=lambda name: peers[name])
        return peers[fastest] / self.median(OURS, threads, work), fastest

    def memory_share(self, threads: int) -> float | None:
        """This package's peak memory over that of the leanest other program that trains; None if there is none."""
        peers = [amount for (name, t), amount in self.memory.items() if t == threads and name in self.rivals(t, "step")]
        return self.memory[OURS, threads] / min(peers) if peers else None

    def scaling(self, name: str, work: str) -> float | None:
        """How many times faster with the most threads than with the fewest; None of what the program does not do."""
        counts = [threads for other, threads in self.seconds if other == name]
        if work not in self.seconds[name, max(counts)]:
            return None
        return self.median(name, min(counts), work) / self.median(name, max(counts), work)

    def to_json(self) -> dict[str, Any]:
        """What was asked for, the machine, and of each program and number of threads what was found.

        Seconds are medians of one call, MB are 1e6 bytes; None of what a program does not do.
        """
        programs = [
            {
                "program": describe(name),
                "threads": threads,
                "seconds": self.medians(name, threads),
                "peak_memory_mb": self.memory.get((name, threads)),
                "name": name,
                "versions": versions(name),
                "differences": {work: self.differences.get(name, {}).get(work) for work in LIMITS},
                "same_answers": self.agrees(name),
            }
            for name, threads in self.seconds
        ]
        ratios = [
            {"threads": threads, "work": work, "times": found[0], "fastest_other": found[1]}
            for threads in self.counts()
            for work in WORK
            if (found := self.ratio(threads, work))
        ]
        name, vectors = processor()
        host = {"processor": name, "vectors": vectors, "limits": [f"{key}={text}" for key, text in limits().items()]}
        sizes = {"batch": self.batch, "image_size": self.size, "rounds": self.rounds, "calls": CALLS}
        return {"network": self.network, **sizes, "programs": programs, "ratios": ratios, **host}

    def table(self) -> str:
        """The figures as text, one block per number of threads."""
        counts = self.counts()
        names = list(dict.fromkeys(name for name, _ in self.seconds))
        wide = max(34, *(len(describe(name)) for name in names))
        lines = [
            f"{NETWORKS[self.network].title}, batch {self.batch}, {self.size}x{self.size}x3, float32; "
            f"medians of {self.rounds} interleaved rounds of {CALLS} calls or more",
            told_in_words(),
        ]
        for threads in counts:
            lines += ["", _row(wide, threads_in_words(threads), *WORK, "peak memory")]
            there = [name for name in names if (name, threads) in self.seconds]
            for name in there:
                times = [NONE if s is None else f"{s * 1e3:.1f} ms" for s in self.medians(name, threads).values()]
                memory = self.memory.get((name, threads))
                row = _row(wide, describe(name), *times, NONE if memory is None else f"{memory:.0f} MB")
                lines.append(row + self._remark(name))
            if len(there) > 1:
                ratios = [self.ratio(threads, work) for work in WORK]
                share = self.memory_share(threads)
                times = [NONE if found is None else f"{found[0]:.2f}x" for found in ratios]
                lines.append(
                    _row(
                        wide,
                        "faster than the fastest other",
                        *times,
                        NONE if share is None else f"{share:.2f}x as much",
                    )
                )
        if len(counts) > 1:
            lines += ["", _row(wide, f"{counts[0]} threads against {counts[-1]}", *WORK)]
            for name in names:
                scalings = [self.scaling(name, work) for work in WORK]
                lines.append(_row(wide, describe(name), *(NONE if s is None else f"{s:.2f}x" for s in scalings)))
        return "\n".join(lines)

    def _remark(self, name: str) -> str:
        """What a row says of a program that does not give our numbers."""
        if self.agrees(name):
            return ""
        wrong = [(work, far) for work, far in self.differences[name].items() if far > LIMITS[work]]
        told = [f"{work} by {far:.0e}" if math.isfinite(far) else work for work, far in wrong]
        return f"   gives other numbers: {', '.join(told)}"


def threads_in_words(count: int) -> str:
    """ "2 threads"."""
    return f"{count} thread{'s' if count > 1 else ''}"


def _row(wide: int, name: str, *cells: str) -> str:
    """A name and up to four numbers under their titles."""
    return f"{name:{wide}s}" + "".join(
        f"{cell:>{width}s}" for cell, width in zip(cells, (10, 12, 11, 14), strict=False)
    )
