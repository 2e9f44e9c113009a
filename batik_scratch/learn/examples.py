"""The lessons, exercises and examples of the installed version: where they are, and a copy of them to work in."""

import importlib.metadata
import shutil
from pathlib import Path

from ..errors import InputError

DISTRIBUTION = "batik-scratch"
PLACE = ("share", "batik_scratch", "examples")  # below whatever pip installs data under
ABOUT_US = ("site", "results")  # the web site and what experiments found: the repository's, of no use without it
BESIDE = Path(__file__).parents[2] / "examples"  # in a checkout or an unpacked sdist


def installed_examples() -> dict[Path, Path]:
    """{path below examples/: file}, of a checkout if this is one, else of the installed package; empty if neither."""
    if (BESIDE / "lessons").is_dir():
        kinds = ("*.py", "*.md")
        places = [path.relative_to(BESIDE) for kind in kinds for path in sorted(BESIDE.rglob(kind))]
        return {path: BESIDE / path for path in places if path.parts[0] not in ABOUT_US}
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found = {}
    for file in files:
        parts = file.parts
        if "__pycache__" in parts:  # pip compiles whatever ends in .py
            continue
        if PLACE[-1] in parts and parts[: parts.index(PLACE[-1]) + 1][-3:] == PLACE:
            below = Path(*parts[parts.index(PLACE[-1]) + 1 :])
            found[below] = Path(str(file.locate()))
    return found


def copy_examples(out: Path) -> list[str]:
    """Copy all of them into the folder `out`, which must not exist or be empty; returns what to say of it.

    InputError if it has something in it, is a file, or if this installation has no examples.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists and is not an empty folder; nothing was touched. Choose another name")
    found = installed_examples()
    if not found:
        raise InputError("examples: this installation has none; install the package by pip, or get its sdist")
    for below, source in found.items():
        target = out / below
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return [f"{len(found)} files: {out}", f"to begin: python {out / 'lessons' / '01_a_neuron.py'}"]
