"""One session of measuring: what is asked for is checked first, then measured, printed and drawn."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from ..errors import InputError
from ..figures.style import to_png
from ..files import atomic
from ..ops import threads
from .chart import bench_figure
from .compare import compare, installed_peers
from .comparison import Comparison
from .growth import Growth, Setting, usual_settings
from .growth_chart import growth_figure
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
    setting = Setting(batch, NETWORKS[network].size if size is None else size)
    comparisons, most = _compared(only, counts, [setting], rounds, out, network, ("--batch", "--image-size"))
    _write(out, bench_figure(comparisons[0], most))
    return comparisons[0]


def grown(
    only: Sequence[str] | None,
    counts: Sequence[int] | None,
    settings: Sequence[Setting] | None,
    rounds: int,
    out: Path,
    network: str = "paper",
) -> Growth:
    """A comparison for each of `settings`, the usual ones if None, and their figure at `out`; else as `measure`."""
    settings = usual_settings(network) if settings is None else settings
    named = ("--growth, images in a batch", "--growth, pixels")
    comparisons, most = _compared(only, counts, settings, rounds, out, network, named)
    growth = Growth(comparisons)
    _write(out, growth_figure(growth, most))
    return growth


def _compared(
    only: Sequence[str] | None,
    counts: Sequence[int] | None,
    settings: Sequence[Setting],
    rounds: int,
    out: Path,
    network: str,
    named: tuple[str, str],
) -> tuple[list[Comparison], int]:
    """A comparison for each setting, and the most threads; InputError, before anything is measured, as `measure`.

    named: what an error calls the two numbers of a setting.
    """
    names = _programs(only)
    least = NETWORKS[network].least
    for batch, size in settings:
        for option, value, smallest in ((named[0], batch, 1), (named[1], size, least), ("--rounds", rounds, 1)):
            if value < smallest:
                raise InputError(f"{option}: needs a whole number >= {smallest}, got {value}")
    counts = sorted(set(counts or [threads.allowed()]))
    if counts[0] < 1 or counts[-1] > threads.allowed():
        raise InputError(f"--threads: needs numbers from 1 to {threads.allowed()} (what is allowed here), got {counts}")
    _check_chart(out)
    compile_kernels()
    comparisons = []
    try:
        for batch, size in settings:
            say = _say if len(settings) == 1 else partial(_say_of, f"{batch} x {size} px")
            comparisons.append(compare(names, counts, batch, size, rounds, say, network))
    finally:
        _say("")  # an error starts on a clean line
    threads.use(counts[-1])
    return comparisons, counts[-1]


def _write(out: Path, figure: Figure) -> None:
    """The figure as a PNG at `out`, whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic(out) as file:
        file.write(to_png(figure))


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


def _say_of(setting: str, text: str) -> None:
    """The same, of one setting among several."""
    _say(f"{setting}: {text}")


def _say(text: str) -> None:
    """One line that overwrites itself, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text:60s}", end="" if text else "\r", file=sys.stderr, flush=True)
