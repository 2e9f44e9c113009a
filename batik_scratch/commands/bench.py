"""`batik-scratch bench`: this machine's figures."""

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from .machine import add_json_option, document
from .shared import DONE, add_command, counts, tell_how_it_starts


def add(commands: Any) -> None:
    """The command and its options."""
    what = "this machine's figures, beside PyTorch, Keras, ONNX Runtime and OpenVINO if installed"
    p = add_command(commands, "bench", call, what, "bench --growth --rounds 3")
    p.add_argument("--threads", type=counts, metavar="N,...", help="numbers of threads (default: all allowed)")
    p.add_argument("--only", metavar="NAME,...", help="programs to measure, by name (default: all that are installed)")
    p.add_argument("--network", choices=("paper", "cloth"), default="paper", help="which network (default: paper)")
    p.add_argument("--batch", type=int, default=32, help="images per batch (default: 32)")
    p.add_argument("--image-size", type=int, help="pixels (default: 150); 64 for the cloth network")
    p.add_argument(
        "--growth",
        nargs="?",
        const="",
        metavar="BATCHxPIXELS,...",
        help="how it grows: one image at 64 to 300 pixels, batches of 1 to 128, or the pairs that are named, such as "
        "1x64,8x150; --batch and --image-size are left out",
    )
    p.add_argument("--rounds", type=int, default=7, help="interleaved rounds of 5 calls or more (default: 7)")
    p.add_argument("--out", type=Path, default=Path("bench.png"), help="chart to write (default: bench.png)")
    p.add_argument(
        "--warmup",
        action="store_true",
        help="only compile the kernels, once, so that later commands start fast; nothing is measured",
    )
    add_json_option(p)


def call(options: argparse.Namespace) -> int:
    """Print the tables and write the chart, or compile the kernels alone."""
    from ..bench.session import compared, measure
    from ..bench.warmup import compile_kernels

    tell_how_it_starts()
    if options.warmup:
        print(compile_kernels())
        return DONE
    only = options.only.split(",") if options.only else None
    if options.growth is not None:
        return _call_growth(options, only)
    sizes = (options.batch, options.image_size, options.rounds)
    asked = (only, options.threads, *sizes, options.out, options.network)
    if options.json:
        print(document("bench", compared(*asked).to_json() | {"chart": str(options.out)}))
    else:
        print(measure(*asked))
    return DONE


def _call_growth(options: argparse.Namespace, only: list[str] | None) -> int:
    """Several batches and sizes."""
    from ..bench.growth import read_settings
    from ..bench.session import grown

    if options.batch != 32 or options.image_size is not None:
        raise InputError(
            "--growth: has batches and sizes of its own; leave out --batch and --image-size, or name the pairs: "
            "--growth 1x64,8x150"
        )
    settings = read_settings(options.growth) if options.growth else None
    growth = grown(only, options.threads, settings, options.rounds, options.out, options.network)
    if options.json:
        print(document("bench", growth.to_json() | {"chart": str(options.out)}))
    else:
        print(f"{growth.table()}\n\nchart: {options.out}")
    return DONE
