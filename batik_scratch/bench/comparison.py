"""What was measured of several programs: medians, ratios, and the table of both."""

import importlib.metadata
import statistics
from dataclasses import dataclass, field
from typing import Any

from .networks import NETWORKS
from .programs import OURS, PROGRAMS, WORK

CALLS = 5  # of one kind of work, per program and round


@dataclass
class Comparison:
    """What was measured: seconds of one call per program, kind of work and round, and peak memory in MB.

    A program is (name, threads).
    """

    batch: int
    size: int
    rounds: int
    network: str = "paper"
    seconds: dict[tuple[str, int], dict[str, list[float]]] = field(default_factory=dict)
    memory: dict[tuple[str, int], float] = field(default_factory=dict)

    def median(self, name: str, threads: int, work: str) -> float:
        """Seconds of one call."""
        return statistics.median(self.seconds[name, threads][work])

    def ratio(self, threads: int, work: str) -> tuple[float, str]:
        """How many times faster than the fastest framework this package is, and which that is."""
        peers = {name: self.median(name, t, work) for name, t in self.seconds if t == threads and name != OURS}
        fastest = min(peers, key=lambda name: peers[name])
        return peers[fastest] / self.median(OURS, threads, work), fastest

    def memory_share(self, threads: int) -> float:
        """This package's peak memory over that of the leanest framework."""
        peers = [amount for (name, t), amount in self.memory.items() if t == threads and name != OURS]
        return self.memory[OURS, threads] / min(peers)

    def scaling(self, name: str, work: str) -> float:
        """How many times faster with the most threads than with the fewest."""
        counts = [threads for other, threads in self.seconds if other == name]
        return self.median(name, min(counts), work) / self.median(name, max(counts), work)

    def to_json(self) -> dict[str, Any]:
        """network, batch, image_size, rounds, calls, and of each program and number of threads the medians in seconds
        of one call and the peak memory in MB (1e6 bytes).
        """
        programs = [
            {
                "program": describe(name),
                "threads": threads,
                "seconds": {work: self.median(name, threads, work) for work in WORK},
                "peak_memory_mb": self.memory[name, threads],
            }
            for name, threads in self.seconds
        ]
        sizes = {"batch": self.batch, "image_size": self.size, "rounds": self.rounds, "calls": CALLS}
        return {"network": self.network, **sizes, "programs": programs}

    def table(self) -> str:
        """The figures as text, one block per number of threads."""
        counts = sorted({threads for _, threads in self.seconds}, reverse=True)
        lines = [
            f"{NETWORKS[self.network].title}, batch {self.batch}, {self.size}x{self.size}x3, float32; "
            f"medians of {self.rounds} interleaved rounds of {CALLS} calls"
        ]
        for threads in counts:
            names = [name for name, t in self.seconds if t == threads]
            plural = "threads" if threads > 1 else "thread"
            lines += [
                "",
                f"{f'{threads} {plural}':34s}{'step':>10s}{'inference':>12s}{'saliency':>11s}{'peak memory':>14s}",
            ]
            for name in names:
                step, inference, saliency = (f"{self.median(name, threads, work) * 1e3:.1f} ms" for work in WORK)
                memory = f"{self.memory[name, threads]:>11.0f} MB"
                lines.append(f"{describe(name):34s}{step:>10s}{inference:>12s}{saliency:>11s}{memory}")
            if len(names) > 1:
                step, inference, saliency = (f"{self.ratio(threads, work)[0]:.2f}x" for work in WORK)
                share = f"{self.memory_share(threads):.2f}x as much"
                lines.append(
                    f"{'faster than the best framework':34s}{step:>10s}{inference:>12s}{saliency:>11s}{share:>14s}"
                )
        if len(counts) > 1:
            lines += [
                "",
                f"{f'{counts[0]} threads against {counts[-1]}':34s}{'step':>10s}{'inference':>12s}{'saliency':>11s}",
            ]
            for name in dict.fromkeys(name for name, _ in self.seconds):
                step, inference, saliency = (f"{self.scaling(name, work):.2f}x" for work in WORK)
                lines.append(f"{describe(name):34s}{step:>10s}{inference:>12s}{saliency:>11s}")
        return "\n".join(lines)


def describe(name: str) -> str:
    """A program's name with its version."""
    package = PROGRAMS[name][1][0]
    distribution = {"batik_scratch": "batik-scratch"}.get(package, package)
    return name if name == OURS else f"{name} ({importlib.metadata.version(distribution)})"
