"""What makes the site of the repository's files: links that lead where they did, docstrings that stay readable."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("docutils")
pytest.importorskip("sphinx")
SITE = Path(__file__).resolve().parents[2] / "examples" / "site"


@pytest.fixture
def links(monkeypatch):
    monkeypatch.syspath_prepend(str(SITE))
    pytest.importorskip("jupytext")
    pytest.importorskip("latex2mathml")
    from machinery import links

    yield links
    for name in [name for name in sys.modules if name.split(".")[0] == "machinery"]:
        del sys.modules[name]


PAGES = {"examples/lessons/05_a.py": "lessons/05_a.ipynb", "data/README.md": "data-card.md"}


@pytest.mark.parametrize(
    "link, wanted",
    [
        ("[five](05_a.py)", "[five](05_a.ipynb)"),
        ("[card](../../data/README.md#who)", "[card](../data-card.md#who)"),
        ("[code](../../batik_scratch/ops/adam.py)", "[code](source:batik_scratch/ops/adam.py)"),
        ("[room](../../batik_scratch/nn/gradcheck/)", "[room](source:batik_scratch/nn/gradcheck)"),
        ("[away](https://example.org/a.py)", "[away](https://example.org/a.py)"),
        ("[`code`](../../setup.cfg)", "[`code`](source:setup.cfg)"),
        ("```\n[five](05_a.py)\n```", "```\n[five](05_a.py)\n```"),
    ],
)
def test_a_link_of_a_file_leads_to_the_page_that_the_site_has_for_it(links, link, wanted):
    text, pictures = links.rewritten(link, Path("examples/lessons/06_b.py"), "lessons/06_b.ipynb", PAGES)
    assert text == wanted + "\n" and not pictures


def test_a_picture_is_carried_over(links):
    text, pictures = links.rewritten("![bars](examples/pictures/bench.png)", Path("README.md"), "how-fast.md", PAGES)
    assert text == "![bars](/pictures/bench.png)\n" and pictures == {Path("examples/pictures/bench.png")}


def test_a_docstring_keeps_lined_up_lines_and_says_stars_and_bars_as_they_are(links):
    from machinery import reference

    lines = reference.rst("Y = X W* of `x`.\n\nForward   Y = X W\nBackward  dX\n\n|a| and b_")
    assert lines[0] == r"Y = X W\* of \ ``x``\ ."
    assert lines[lines.index("::") :][2:4] == ["   Forward   Y = X W", "   Backward  dX"]
    assert r"\|a\| and b\_" in lines
    assert reference.escaped("a fence (```text or ```python)") == r"a fence (\`\`\`text or \`\`\`python)"


def test_quoted_lines_and_formulas_of_a_lesson_become_blocks_that_keep_their_lines(links):
    from machinery import lessons

    assert lessons.fenced("so:\n\n> a 1\n> b 2\n\nand\n\n    Y = X W\n\nend") == (
        "so:\n\n```text\na 1\nb 2\n```\n\nand\n\n```text\nY = X W\n```\n\nend"
    )
    assert lessons.fenced("```text\n> a\n```") == "```text\n> a\n```"


def test_every_notebook_for_the_browser_begins_with_what_is_slower_there_and_loads_the_package(links):
    pytest.importorskip("nbformat")
    from machinery import lite

    books = lite.notebooks()
    assert {Path(name).parts[0] for name in books} == {"lessons", "exercises"}
    for name, book in books.items():
        banner, loading = book.cells[:2]
        assert "plain NumPy" in banner.source and "%pip install -q batik-scratch" in loading.source, name
        for cell in book.cells:
            assert cell.cell_type == "code" or "](../" not in cell.source, f"{name} links to a file it has not"
