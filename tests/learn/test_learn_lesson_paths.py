"""A reader gets from the README to the line that a lesson teaches without a search: every path on the way exists."""

import inspect
import re
from pathlib import Path

import pytest

from batik_scratch.ops import im2col

ROOT = Path(__file__).resolve().parent.parent.parent
LESSONS = sorted((ROOT / "examples" / "lessons").glob("[0-9][0-9]_*.py"))
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)\)")
CODE = re.compile(r"`(batik_scratch/[\w/]+(?:\.py|/))`")


def broken_paths(text: str, folder: Path) -> list[str]:
    """Relative links that lead nowhere from `folder`, and files of the package named in `text` that do not exist."""
    links = [link for link in LINK.findall(text) if not link.startswith("http") and not (folder / link).exists()]
    return links + [path for path in CODE.findall(text) if not (ROOT / path).exists()]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_file_that_a_lesson_names_exists(lesson):
    text = "\n".join(line for line in lesson.read_text().splitlines() if line.startswith("# "))
    assert broken_paths(text, lesson.parent) == []


def test_a_path_that_leads_nowhere_is_found():
    text = "see [there](../nowhere.py) and `batik_scratch/ops/im2row.py`, not `batik_scratch/ops/im2col.py`"
    assert broken_paths(text, ROOT / "examples" / "lessons") == ["../nowhere.py", "batik_scratch/ops/im2row.py"]


def test_lesson_6_links_the_file_and_names_the_functions_that_it_teaches():
    text = (ROOT / "examples" / "lessons" / "06_im2col_and_col2im.py").read_text()
    head = text.split("# %%\n")[0]
    taught = Path(inspect.getfile(im2col)).relative_to(ROOT)
    assert f"(../../{taught.as_posix()})" in head
    for function in ("im2col", "col2im"):
        assert f"`{function}`" in head and callable(getattr(im2col, function))
