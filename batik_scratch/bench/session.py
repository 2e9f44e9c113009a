"""One session of measuring: what is asked for is checked first, then measured, printed and drawn."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..figures.style import to_png
from ..files import atomic
from ..ops import threads
from .chart import bench_figure
from .compare import compare, installed_peers
from .comparison import Comparison
from .layers import layer_table
from .networks import NETWORKS
from .programs import OURS
from .warmup import compile_kernels


def measure(
    only: Sequence[str] | None,
    counts: Sequence[int] | None,
    batch: int,
    size: int | None,
    rounds: int,
    out: Path,
    network: str = "paper",
) -> str:
    """The tables of one interleaved comparison, and a bar chart at `out`; progress goes to the terminal.

    only      program names; if None, all that are installed. This package is always measured
    counts    numbers of threads; if None, all that are allowed
    size      pixels; if None, what the network is meant for
    network   a name of NETWORKS

    InputError if a program is not installed, if a number is out of range, or if no file `out` can be made.
    """
    size = NETWORKS[network].size if size is None else size
    found = compared(only, counts, batch, size, rounds, out, network)
    return f"{found.table()}\n\n{layer_table(batch, size, network=network)}\n\nchart: {out}"


def compared(
    only: Sequence[str] | None,
    counts: Sequence[int] | None,
    batch: int,
    size: int | None,
    rounds: int,
    out: Path,
    network: str,
) -> Comparison:
    """The comparison that `measure` tells of, after all that was asked for was checked; its chart is written."""
    names = _programs(only)
    size = NETWORKS[network].size if size is None else size
    least = NETWORKS[network].least
    for option, value, smallest in (("--batch", batch, 1), ("--image-size", size, least), ("--rounds", rounds, 1)):
        if value < smallest:
            raise InputError(f"{option}: needs a whole number >= {smallest}, got {value}")
    counts = sorted(set(counts or [threads.allowed()]))
    if counts[0] < 1 or counts[-1] > threads.allowed():
        raise InputError(f"--threads: needs numbers from 1 to {threads.allowed()} (what is allowed here), got {counts}")
    _check_chart(out)
    compile_kernels()
    try:
        comparison = compare(names, counts, batch, size, rounds, _say, network)
    finally:
        _say("")  # an error starts on a clean line
    threads.use(counts[-1])
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic(out) as file:
        file.write(to_png(bench_figure(comparison, counts[-1])))
    return comparison


def _programs(only: Sequence[str] | None) -> list[str]:
    """The names of what is measured, this package first; InputError if one is not installed."""
    known = [OURS, *installed_peers()]
    names = known if only is None else list(dict.fromkeys([OURS, *(name.strip() for name in only)]))
    for name in names:
        if name not in known:
            raise InputError(
                f"bench: no program {name!r} here; there are {', '.join(known)} "
                "(pip install 'batik-scratch[peers]' for more)"
            )
    return names


def _check_chart(out: Path) -> None:
    """InputError now, not after minutes of measuring, if no file `out` can be made."""
    nearest = next(folder for folder in out.absolute().parents if folder.exists())
    if out.is_dir() or not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise InputError(f"--out: needs a place where the PNG can be written, got {out}; try --out bench.png")


def _say(text: str) -> None:
    """One line that overwrites itself, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text:60s}", end="" if text else "\r", file=sys.stderr, flush=True)
