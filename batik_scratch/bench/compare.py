"""Programs side by side: a process each, rounds interleaved, so that a busy machine hurts all alike; medians and ratios."""

import contextlib
import importlib.metadata
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import InputError
from .programs import PROGRAMS, WORK

OURS = "batik_scratch"
THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
CALLS = 5  # of one kind of work, per program and round
PAUSE = 0.3  # seconds before each measurement: the threads of the program before it spin on for a while


def installed_peers() -> list[str]:
    """The frameworks that can be measured here."""
    found = []
    for name, (_, modules) in PROGRAMS.items():
        if name != OURS and all(importlib.util.find_spec(module) for module in modules):
            found.append(name)
    return found


@dataclass
class Comparison:
    """What was measured: seconds of one call per program, kind of work and round, and peak memory in MB.

    A program is (name, threads).
    """

    batch: int
    size: int
    rounds: int
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

    def table(self) -> str:
        """The figures as text, one block per number of threads."""
        counts = sorted({threads for _, threads in self.seconds}, reverse=True)
        lines = [
            f"the paper's network, batch {self.batch}, {self.size}x{self.size}x3, float32; "
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
                lines.append(
                    f"{describe(name):34s}{step:>10s}{inference:>12s}{saliency:>11s}{self.memory[name, threads]:>11.0f} MB"
                )
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


def compare(
    names: Sequence[str],
    threads: Sequence[int],
    batch: int,
    size: int,
    rounds: int,
    say: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Measure the named programs with each number of threads, all in one interleaved run.

    Training comes first, for its peak memory; then inference, then saliency. Before each kind of work every program runs
    it some times untimed, and once more before each round.
    """
    result = Comparison(batch, size, rounds)
    workers = {}
    try:
        for name in names:
            for count in threads:
                say(f"starting {name}")
                workers[name, count] = Worker(name, count, batch, size)
                result.seconds[name, count] = {work: [] for work in WORK}
        for work in WORK:
            for worker in workers.values():
                worker.ask(f"{work} 2")
            for number in range(rounds):
                say(f"{work}, round {number + 1} of {rounds}")
                for program, worker in workers.items():
                    time.sleep(PAUSE)
                    result.seconds[program][work].append(worker.ask(f"{work} {CALLS}"))
            if work == "step":
                result.memory = {program: worker.ask("memory") for program, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.stop()
    return result


class Worker:
    """A program in its process, asked line by line; InputError once that process has ended."""

    def __init__(self, name: str, threads: int, batch: int, size: int) -> None:
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by stop()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "batik_scratch.bench.worker", name, str(batch), str(size)],
            env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            bufsize=1,
        )
        try:
            self._answer()
        except BaseException:  # nobody else knows of this process yet
            self.stop()
            raise

    def ask(self, what: str) -> float:
        """Seconds of one call ("step 5"), or peak memory in MB ("memory")."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: there will be no answer, and that is what is told
            self.process.stdin.write(what + "\n")
        return float(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise InputError(self._complaint())
        return line

    def _complaint(self) -> str:
        code = self.process.wait()
        self.errors.seek(0)
        last = ["no word", *self.errors.read().strip().splitlines()][-1]
        why = f"killed by signal {-code}, perhaps for want of memory" if code < 0 else last
        fix = "a smaller --batch or --image-size may help"
        if self.name != OURS:
            fix += "; or mend its installation, or leave it out with --only batik_scratch"
        return f"bench: {self.name} stopped: {why}; {fix}"

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):  # closing stdin sends what it still holds
                pipe.close()
