"""Every lesson is a notebook, too: it runs there, shows each of its figures, and its quoted blocks keep their lines."""

import html
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lesson_text
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "lessons"
PRINTED = re.compile(r'<div class="jp-RenderedText[^>]*>\s*<pre>(.*?)</pre>', re.DOTALL)  # below a cell
LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_notebook_has_the_texts_the_blocks_and_the_folded_cells_of_the_script(lesson):
    jupytext = pytest.importorskip("jupytext", reason="needs jupytext (the extra [docs])")
    cells = jupytext.read(lesson)["cells"]
    texts = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    assert [text.strip() for text in texts] == [text.strip() for text in lesson_text.texts(lesson)]
    folded = [cell for cell in cells if "hide-input" in cell["metadata"].get("tags", [])]
    assert len(folded) == lesson.read_text().count('# %% tags=["hide-input"]')
    assert all(cell["metadata"]["jupyter"] == {"source_hidden": True} for cell in folded)
    assert sum("lesson.show(" in cell["source"] for cell in cells if cell["cell_type"] == "code") > 0


def executed(lesson: Path, folder: Path) -> str:
    """The page that Jupyter makes of a lesson's notebook when it has run it, quickly."""
    python, own = [sys.executable, "-m"], folder / lesson.stem
    own.mkdir()
    book = own / f"{lesson.stem}.ipynb"
    environment = os.environ | {
        "BATIK_LESSON_QUICK": "1",
        "BATIK_LESSON_FIGURES": str(own),
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "OMP_WAIT_POLICY": "passive",  # two kernels share the processors
    }
    for command in (
        ["jupytext", "--quiet", "--to", "notebook", "--output", str(book), str(lesson)],
        ["nbconvert", "--to", "html", "--execute", "--ExecutePreprocessor.timeout=300", str(book)],
    ):
        done = subprocess.run(python + command, capture_output=True, text=True, env=environment, cwd=own)
        assert done.returncode == 0, f"{lesson.stem}: {done.stderr[-3000:]}"
    return book.with_suffix(".html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_notebook_runs_and_shows_an_image_per_figure_and_every_quoted_line_on_a_line_of_its_own(tmp_path):
    for name in ("jupytext", "nbconvert", "ipykernel"):
        pytest.importorskip(name, reason=f"needs {name} (the extra [docs])")
    with ThreadPoolExecutor(2) as pool:
        pages = dict(zip(LESSONS, pool.map(lambda lesson: executed(lesson, tmp_path), LESSONS), strict=True))
    for lesson, page in pages.items():
        assert wrong_with(lesson, page) == [], lesson.stem


def unmarked(text: str) -> str:
    """The text of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def wrong_with(lesson: Path, page: str) -> list[str]:
    """What an executed page lacks of what the lesson promises."""
    found = []
    figures = len(re.findall(r"^lesson\.show\(", lesson.read_text(), re.MULTILINE))
    images = page.count('src="data:image/png;base64,')
    if images != figures:
        found.append(f"{images} images for {figures} figures")
    if re.search(r"Path\(|<span class=\"ansi-red", page):
        found.append("the value of a call, or an error, is shown")
    blocks = [unmarked(inside) for inside in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)]
    shown = {block.strip("\n") for block in blocks}
    for text in lesson_text.texts(lesson):
        found += [f"lost its lines: {b}" for _, b in lesson_text.fences(text) if b.strip("\n") not in shown]
    printed = "".join(unmarked(inside) for inside in PRINTED.findall(page))  # a line may have come in pieces
    found += [f"not printed: {line}" for line in lesson_text.missing(lesson_text.quoted(lesson), printed)]
    return found


PAGE = """<div class="highlight"><pre><span class="c1"># two</span>
lines
</pre></div><pre>good: True
</pre><div class="jp-RenderedText jp-OutputArea-output" data-mime-type="text/plain"><pre># two
lines
good: </pre></div><div class="jp-RenderedText jp-OutputArea-output"><pre>True (1e-3)
</pre></div><img src="data:image/png;base64,aaaa">"""


@pytest.mark.parametrize(
    ("lost", "kept", "told"),
    [
        ("", "", []),
        ("base64", "base65", ["0 images for 1 figures"]),
        ("</span>\nlines", "</span> lines", ["lost its lines: # two\nlines\n"]),
        ("True (1e-3)", "False", ["not printed: good: True"]),
        ("</div>", "</div><pre>PosixPath(&#39;a.png&#39;)</pre>", ["the value of a call, or an error, is shown"]),
    ],
)
def test_what_a_page_has_lost_is_named(tmp_path, lost, kept, told):
    lesson = tmp_path / "99_planted.py"
    texts = ["# %% [markdown]", "# ```text", "# # two", "# lines", "# ```", "#", "# ```text", "# good: True", "# ```"]
    lesson.write_text("\n".join([*texts, "", "# %%", "lesson.show(figure, 'a')", ""]))
    assert wrong_with(lesson, PAGE.replace(lost, kept, 1)) == told
