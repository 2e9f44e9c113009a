"""Programs side by side: a process each, and rounds interleaved, so that a busy machine hurts all alike."""

import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .comparison import CALLS, Comparison
from .process import Worker, need_processes
from .programs import OURS, PROGRAMS, WORK
from .start import LIMITS, write_start

PAUSE = 0.3  # seconds before each measurement: the threads of the program before it spin on for a while


def installed_peers() -> list[str]:
    """The other programs that can be measured here."""
    found = []
    for name, program in PROGRAMS.items():
        if name != OURS and all(importlib.util.find_spec(module) for module in program.modules):
            found.append(name)
    return found


def compare(
    names: Sequence[str],
    threads: Sequence[int],
    batch: int,
    size: int,
    rounds: int,
    say: Callable[[str], None] = lambda text: None,
    network: str = "paper",
) -> Comparison:
    """Measure the named programs with each number of threads, all of them in the same rounds.

    All begin with the same weights. Before anything is timed, each tells in a process of its own how far its answers
    are from this package's. Then comes training, for its peak memory; then inference, then saliency, each by those that
    can. Before each kind of work a program does some of it untimed, and once more before each round.
    """
    need_processes()
    result = Comparison(batch, size, rounds, network)
    with tempfile.TemporaryDirectory(prefix="batik_scratch_bench_") as folder:
        start = Path(folder)
        write_start(start, batch, size, network, graph=any("onnx" in PROGRAMS[name].modules for name in names))
        for name in names:
            if name != OURS:
                say(f"asking {name} for its numbers")
                result.differences[name] = _differences(name, max(threads), batch, size, network, start)
        _measure(result, names, threads, start, say)
    return result


def _differences(name: str, threads: int, batch: int, size: int, network: str, start: Path) -> dict[str, float]:
    """How far a program's answers are from ours, in the order of the batches that ours were made of."""
    worker = Worker(name, threads, batch, size, network, start)
    try:
        return {work: worker.ask(f"difference {work}") for work in LIMITS if work in PROGRAMS[name].work}
    finally:
        worker.stop()


def _measure(
    result: Comparison, names: Sequence[str], threads: Sequence[int], start: Path, say: Callable[[str], None]
) -> None:
    """Fill in the seconds and the memory."""
    workers = {}
    try:
        for name in names:
            for count in threads:
                say(f"starting {name}")
                workers[name, count] = Worker(name, count, result.batch, result.size, result.network, start)
                result.seconds[name, count] = {work: [] for work in PROGRAMS[name].work}
        for work in WORK:
            able = {program: worker for program, worker in workers.items() if work in result.seconds[program]}
            for worker in able.values():
                worker.ask(f"{work} 2")
            for number in range(result.rounds):
                say(f"{work}, round {number + 1} of {result.rounds}")
                for program, worker in able.items():
                    time.sleep(PAUSE)
                    result.seconds[program][work].append(worker.ask(f"{work} {CALLS}"))
            if work == "step":
                result.memory = {program: worker.ask("memory") for program, worker in able.items()}
    finally:
        for worker in workers.values():
            worker.stop()
