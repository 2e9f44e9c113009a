"""Programs side by side: a process each, and rounds interleaved, so that a busy machine hurts all alike."""

import importlib.util
import time
from collections.abc import Callable, Sequence

from .comparison import CALLS, Comparison
from .process import Worker
from .programs import OURS, PROGRAMS, WORK

PAUSE = 0.3  # seconds before each measurement: the threads of the program before it spin on for a while


def installed_peers() -> list[str]:
    """The frameworks that can be measured here."""
    found = []
    for name, (_, modules) in PROGRAMS.items():
        if name != OURS and all(importlib.util.find_spec(module) for module in modules):
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

    Training comes first, for its peak memory; then inference, then saliency. Before each kind of work a program does
    some of it untimed, and once more before each round.
    """
    result = Comparison(batch, size, rounds, network)
    workers = {}
    try:
        for name in names:
            for count in threads:
                say(f"starting {name}")
                workers[name, count] = Worker(name, count, batch, size, network)
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
