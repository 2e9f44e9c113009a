"""Is one checkout of this package as fast as another, and does it write the same run?

    python tests/benchmarks/two_checkouts.py BEFORE AFTER [--blocks 5] [--rounds 6] [--threads 2] [--run]

BEFORE and AFTER are folders that hold `batik_scratch/`. Training step, inference, saliency and peak memory of the
paper's network are measured, batch 32 at 150 pixels. Each block starts one process of each checkout; they work in turn,
a few calls at a time, now one first and now the other, so that a busy machine hurts both alike. Printed are medians,
and of the rounds' own ratios (AFTER / BEFORE) median and quartiles. What was compiled is kept where numba keeps it; the
first call of each kind is not timed. Exit code 1 if a median ratio is above 1.05.

With --run both also do `run --quick --seed 3`, and every file of the two folders is compared byte for byte, but
run.json, network.txt and report.html (dates, versions, and a table that may change its looks).
"""

import argparse
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WORK, CALLS, LIMIT = ("step", "inference", "saliency"), 5, 1.05
NOT_COMPARED = ("run.json", "network.txt", "report.html")


def answer(batch: int, size: int) -> None:
    """The other end: do what each line of the input asks for, and print the milliseconds of one call."""
    import batik_scratch
    from batik_scratch import nn, saliency

    assert Path(batik_scratch.__file__).parents[1] == Path(os.environ["PYTHONPATH"]), "another checkout is installed"
    model = nn.paper_cnn((size, size, 3), algorithm="auto")
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    rng = np.random.default_rng(0)
    batches = itertools.cycle(rng.random((5, batch, size, size, 3), np.float32))
    y = rng.integers(0, 3, batch)
    gradient = saliency.Gradient(model)
    calls = {
        "step": lambda: model.train_step(next(batches), y),
        "inference": lambda: model.predict(next(batches), batch_size=batch),
        "saliency": lambda: gradient.attribute(next(batches), target=1, batch_size=batch),
    }
    for line in sys.stdin:
        if line.strip() == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
            continue
        work = calls[line.strip()]
        work()  # wakes threads and caches after the other's turn
        began = time.perf_counter()
        for _ in range(CALLS):
            work()
        print((time.perf_counter() - began) / CALLS * 1000, flush=True)


class Worker:
    """A process of one checkout."""

    def __init__(self, checkout: Path, options: argparse.Namespace) -> None:
        line = [sys.executable, __file__, "--answer", f"{options.batch},{options.size}"]
        environment = environment_of(checkout, options.threads)
        self.process = subprocess.Popen(
            line, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, work: str) -> float:
        assert self.process.stdin and self.process.stdout
        print(work, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.communicate()


def environment_of(checkout: Path, threads: int) -> dict[str, str]:
    count = str(threads)
    return os.environ | {"PYTHONPATH": str(checkout), "NUMBA_NUM_THREADS": count, "OMP_NUM_THREADS": count}


def measure(checkouts: list[Path], options: argparse.Namespace) -> dict[str, list[tuple[float, float]]]:
    """{work: (before, after) of each round}; "memory" once a block."""
    found: dict[str, list[tuple[float, float]]] = {work: [] for work in (*WORK, "memory")}
    for block in range(options.blocks):
        workers = [Worker(checkout, options) for checkout in checkouts]
        for work in WORK:
            for worker in workers:
                worker.ask(work)  # compiles, or reads what was compiled
        for number in range(options.rounds):
            for work in WORK:
                found[work].append(in_turn(workers, work, (block + number) % 2 == 1))
        found["memory"].append(in_turn(workers, "memory", False))
        for worker in workers:
            worker.stop()
    return found


def in_turn(workers: list[Worker], work: str, backwards: bool) -> tuple[float, float]:
    """What both say, in the order of the two, whoever was asked first."""
    order = (1, 0) if backwards else (0, 1)
    said = {i: workers[i].ask(work) for i in order}
    return said[0], said[1]


def table(found: dict[str, list[tuple[float, float]]]) -> tuple[str, float]:
    """The table, and the largest median ratio."""
    lines, worst = [f"{'':10s}{'before':>12s}{'after':>12s}{'ratio':>9s}   quartiles"], 0.0
    for work, pairs in found.items():
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratios = np.array([b / a for a, b in pairs])
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        unit = "MB" if work == "memory" else "ms"
        lines.append(f"{work:10s}{before:9.1f} {unit}{after:9.1f} {unit}{middle:9.3f}   {low:.3f} to {high:.3f}")
        worst = max(worst, float(middle))
    return "\n".join(lines), worst


def differing_files(one: Path, two: Path) -> tuple[int, list[str]]:
    """How many files are compared, and the names of those that differ or that only one folder has."""
    names = [
        {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name not in NOT_COMPARED}
        for folder in (one, two)
    ]
    both = names[0] & names[1]
    differing = (names[0] ^ names[1]) | {n for n in both if (one / n).read_bytes() != (two / n).read_bytes()}
    return len(both), sorted(differing)


def same_run(checkouts: list[Path], threads: int) -> bool:
    """Print whether `run --quick --seed 3` of both writes the same files."""
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / "before", Path(place) / "after"]
        for checkout, out in zip(checkouts, folders, strict=True):
            line = [sys.executable, "-m", "batik_scratch", "run", "--quick", "--seed", "3", "--out", str(out)]
            subprocess.run(line, env=environment_of(checkout, threads), check=True, stdout=subprocess.DEVNULL)
        count, differing = differing_files(*folders)
    print(f"\nrun --quick --seed 3: {count} files, {len(differing)} of them differ", *differing[:20], sep="\n  ")
    return not differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", type=Path, nargs="*", metavar="BEFORE AFTER")
    parser.add_argument("--blocks", type=int, default=5, help="pairs of processes (default: 5)")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of each pair (default: 6)")
    parser.add_argument("--threads", type=int, default=2, help="of each process (default: 2)")
    parser.add_argument("--batch", type=int, default=32, help="images per batch (default: 32)")
    parser.add_argument("--size", type=int, default=150, help="pixels (default: 150)")
    parser.add_argument("--run", action="store_true", help="compare the files of a quick run too")
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer(*map(int, options.answer.split(",")))
        return 0
    if len(options.checkouts) != 2 or not all((folder / "batik_scratch").is_dir() for folder in options.checkouts):
        parser.error("needs two folders that hold batik_scratch/")
    checkouts = [folder.resolve() for folder in options.checkouts]
    text, worst = table(measure(checkouts, options))
    print(text)
    same = same_run(checkouts, options.threads) if options.run else True
    return 0 if same and worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
