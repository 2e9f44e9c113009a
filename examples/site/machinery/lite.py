"""Notebooks that run in the browser: JupyterLite, with the package's own wheel and nothing to install.

Python itself, NumPy and the libraries come from the public address of Pyodide that the kernel names, when a reader
opens a notebook; the site is built without a network.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from batik_scratch.learn.exercises import EXERCISES, stub
from batik_scratch.learn.exercises.exercise import Exercise

from . import lessons
from .links import LINK, relative
from .settings import HOME, ROOT, fingerprint

LIGHT = 10  # lessons up to this number take seconds on plain NumPy; later ones train for minutes
APPS = ("notebooks", "lab")
# the kernel alone: what else is installed beside this Python (jupytext's extension) is made for another Jupyter
EXTENSION = Path(sys.prefix, "share", "jupyter", "labextensions", "@jupyterlite", "pyodide-kernel-extension")
KERNEL = {"kernelspec": {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}}
BANNER = """> **This notebook runs in your browser.** Nothing is installed; what you write stays on this computer.
> To run a cell, click into it and press Shift and Enter, or press the triangle above. The first cell loads Python and
> the package: up to a minute, each time that you open the notebook. What you write is saved every two minutes, and by
> Ctrl and S. Here everything runs on plain NumPy and on one
> thread, because a browser has neither numba nor threads: a step of training takes some ten times as long as on your
> machine, and the times that a lesson prints are long. The numbers are the same to rounding."""
PREPARE = """%pip install -q batik-scratch
import os

os.environ["BATIK_LESSON_QUICK"] = "1"  # fewer steps, the same numbers in the text"""
CHECK = """from pathlib import Path

from batik_scratch.learn import exercises

print(exercises.check(Path("{name}.py")))"""
HINT = """print(exercises.hint(Path("{name}.py")))  # run it again for the next one"""
WRITE = """Replace each `raise NotImplementedError` by your lines, and run the cell: it writes `{name}.py`. The next
cell has the doctor examine it. As often as you like. Line 1 of the file is the line below `%%writefile`."""


def available() -> bool:
    """Is JupyterLite installed, with its kernel?"""
    return all(importlib.util.find_spec(name) for name in ("jupyterlite_core", "jupyterlite_pyodide_kernel"))


def light(lesson: Path) -> bool:
    """Is the lesson quick enough for a browser?"""
    return int(lesson.stem[:2]) <= LIGHT


def links(lesson: Path) -> str:
    """What a lesson's page offers below its title."""
    script = f"[The script]({lesson.name}), to run it on your machine."
    if not (available() and light(lesson)):
        return script.replace(f"({lesson.name})", f"(source:{relative(lesson)})")
    address = f"../lite/notebooks/index.html?path=lessons/{lesson.stem}.ipynb"
    button = f'<a class="try" href="{address}">Run it in the browser</a>'
    return f"{button} or get [the script](source:{relative(lesson)}), to run it on your machine."


def notebooks() -> dict[str, Any]:
    """{path: notebook}: the light lessons, and every exercise."""
    found = {}
    for path in filter(light, lessons.scripts()):
        book = lessons.for_the_browser(path, BANNER, PREPARE, KERNEL)
        for cell in book.cells:
            if cell.cell_type == "markdown":
                cell.source = _without_files(cell.source, path)
        found[f"lessons/{path.stem}.ipynb"] = book
    return found | {f"exercises/{name}.ipynb": _exercise(exercise) for name, exercise in EXERCISES.items()}


def _without_files(words: str, lesson: Path) -> str:
    """Links to files, which a notebook in the browser has not beside it: to the site's address, else their words."""

    def one(found: re.Match) -> str:
        if found[2].startswith(("http", "#")):
            return found[0]
        place = relative(Path(os.path.normpath(lesson.parent / found[2].partition("#")[0])))
        page = f"lessons/{Path(place).stem}.html" if place.startswith("examples/lessons/") else f"source/{place}.html"
        return f"{found[1]}({HOME}/{page})" if HOME else found[1][1:-1]

    return LINK.sub(one, words)


def _exercise(exercise: Exercise) -> Any:
    name = exercise.name
    title = f"# Exercise: {name}\n\nWrite {exercise.task}.\n\n{WRITE.format(name=name)}"
    start = "\n".join(line for line in stub(exercise).splitlines() if "batik-scratch" not in line)
    cells = [
        new_markdown_cell(BANNER, id="banner"),
        new_code_cell(PREPARE, id="prepare"),
        new_markdown_cell(title, id="title"),
        new_code_cell(f"%%writefile {name}.py\n{start}", id="answer"),
        new_code_cell(CHECK.format(name=name), id="check"),
        new_markdown_cell("Stuck? From a nudge to nearly the line itself:", id="stuck"),
        new_code_cell(HINT.format(name=name), id="hint"),
        new_markdown_cell(_onwards(name), id="onwards"),
    ]
    return new_notebook(cells=cells, metadata=KERNEL)


def _onwards(name: str) -> str:
    names = list(EXERCISES)
    later = names[names.index(name) + 1 :]
    if not later:
        return "Right? That was the last exercise."
    return (  # a link would lead to an app of JupyterLite that is not here
        f"Right? The next exercise is {later[0]}: its page on the site has the button. Or write `{later[0]}` for "
        f"`{name}` in the address above."
    )


def wheel(folder: Path) -> Path:
    """The package as the site hands it out, built without a network."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    _run(sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


def write(app: Any, error: Exception | None) -> None:
    """After the pages: JupyterLite beside them."""
    if error or app.builder.name != "html" or not available():
        return
    kept = Path(app.doctreedir) / "made" / fingerprint() / "lite"
    content = kept / "content"
    shutil.rmtree(content, ignore_errors=True)
    for name, book in notebooks().items():
        (content / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, content / name)
    package = next((kept / "wheel").glob("*.whl"), None) or wheel(kept / "wheel")
    chosen = {"ignore_sys_prefix": ["federated_extensions"], "federated_extensions": [str(EXTENSION)]}
    (kept / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": chosen}))
    words = [*("--contents", content), *("--piplite-wheels", package), *("--output-dir", Path(app.outdir) / "lite")]
    words += [word for name in APPS for word in ("--apps", name)]
    words += ["--no-sourcemaps", "--no-libarchive", "--no-unused-shared-packages"]
    _run(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(kept), *map(str, words), folder=kept)


def _run(*words: str, folder: Path = ROOT) -> None:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout}\n{done.stderr}")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", write)
