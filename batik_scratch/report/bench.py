"""The `bench` command: measure, print, draw."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import bench
from ..bench.layers import layer_table
from ..errors import InputError
from ..files import atomic
from ..ops import threads
from .figures.bench import bench_figure
from .style import to_png

WARM_UP = "from batik_scratch.bench.warmup import warm_up; print(warm_up())"


def compile_kernels() -> str:
    """Fill numba's cache in a process of its own, so that what compiling costs is in nobody's figures; says how long."""
    done = subprocess.run([sys.executable, "-c", WARM_UP], capture_output=True, text=True)
    if done.returncode:
        last = ["no word", *done.stderr.strip().splitlines()][-1]
        raise InputError(
            f"bench: the kernels cannot be compiled here: {last}; check numba's installation and the free memory"
        )
    return done.stdout.strip()


def run_bench(
    only: Sequence[str] | None, counts: Sequence[int] | None, batch: int, size: int, rounds: int, out: Path
) -> str:
    """The tables of one interleaved run, and a bar chart at `out`; progress goes to the terminal.

    only      program names, all that are installed where it is None; this package is always measured
    counts    numbers of threads; all that are allowed where it is None
    """
    known = [bench.OURS, *bench.installed_peers()]
    names = known if only is None else list(dict.fromkeys([bench.OURS, *(name.strip() for name in only)]))
    for name in names:
        if name not in known:
            raise InputError(
                f"bench: no program {name!r} here; there are {', '.join(known)} (pip install 'batik-scratch[peers]' for more)"
            )
    for what, value, least in (("--batch", batch, 1), ("--image-size", size, 22), ("--rounds", rounds, 1)):
        if value < least:
            raise InputError(f"{what}: needs a whole number >= {least}, got {value}")
    counts = sorted(set(counts or [threads.allowed()]))
    if counts[0] < 1 or counts[-1] > threads.allowed():
        raise InputError(f"--threads: needs numbers from 1 to {threads.allowed()} (what is allowed here), got {counts}")
    _check_chart(out)
    compile_kernels()
    try:
        comparison = bench.compare(names, counts, batch, size, rounds, _say)
    finally:
        _say("")  # an error starts on a clean line
    threads.use(counts[-1])
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic(out) as file:
        file.write(to_png(bench_figure(comparison, counts[-1])))
    return f"{comparison.table()}\n\n{layer_table(batch, size)}\n\nchart: {out}"


def _check_chart(out: Path) -> None:
    """InputError now, not after minutes of measuring, where no file `out` can be made."""
    nearest = next(folder for folder in out.absolute().parents if folder.exists())
    if out.is_dir() or not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise InputError(f"--out: needs a place where the PNG can be written, got {out}; try --out bench.png")


def _say(text: str) -> None:
    """One line that overwrites itself, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text:60s}", end="" if text else "\r", file=sys.stderr, flush=True)
