"""Every lesson runs, draws a figure worth showing, and prints what its text says that it prints; so do its answers."""

import re
from pathlib import Path

import lesson_text
import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "lessons"
LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
# the tag folds a cell on a page that MyST-NB makes, the other word in Jupyter itself
FOLDED = '# %% tags=["hide-input"] jupyter={"source_hidden": true}\n'
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@pytest.mark.slow
@every_lesson
def test_a_lesson_and_its_answers_print_what_the_text_promises(tmp_path, lesson):
    done = lesson_text.run(lesson, tmp_path, with_answers=True)
    assert done.returncode == 0, done.stderr
    promised = lesson_text.quoted(lesson)
    assert promised, "a lesson states the numbers that it prints"
    promised += [line for _, lines in lesson_text.answers(lesson) for line in lines]
    assert lesson_text.missing(promised, done.stdout) == [], "in the text, but not printed"
    figures = list(tmp_path.glob("*.png"))
    assert figures
    for path in figures:
        with Image.open(path) as picture:
            assert min(picture.size) > 400


@every_lesson
def test_every_task_has_an_answer_that_is_folded(lesson):
    tasks = lesson_text.tasks(lesson)
    assert tasks
    for task in tasks:
        question, opened, answer = task.partition("  <details><summary>Answer</summary>\n\n")
        assert opened and question.strip() and answer.rstrip().endswith("\n\n  </details>"), question
        assert len(answer.split()) > 5, question


@every_lesson
def test_what_must_keep_its_lines_is_fenced_and_formulas_are_latex(lesson):
    """An indented or quoted block collapses, or loses its meaning, in some renderer or other."""
    for text in lesson_text.texts(lesson):
        for language, inside in lesson_text.fences(text):
            assert language in ("text", "python") and inside.strip()
        bare = lesson_text.FENCE.sub("", text)
        assert "```" not in bare, "a fence is opened and not closed"
        assert not re.search(r"^(> |    )", bare, re.MULTILINE), "quotes are fenced, formulas are between $$"
        display = re.findall(r"^\$\$(.*?)\$\$$", bare, re.MULTILINE | re.DOTALL)
        left = re.sub(r"^\$\$(.*?)\$\$$", "", bare, flags=re.MULTILINE | re.DOTALL)
        left = re.sub(r"`[^`]*`", "", left)
        inline = re.findall(r"\$([^$\n]+)\$", left)
        assert left.count("$") == 2 * len(inline), "a formula ends on the line on which it begins"
        for formula in display + inline:
            assert formula.count("{") == formula.count("}") and formula.strip()


@every_lesson
def test_a_cell_that_begins_a_figure_of_its_own_is_folded_and_promises_nothing(lesson):
    cells = re.split(r"^(?=# %%)", lesson.read_text(), flags=re.MULTILINE)
    drawn = [cell for cell in cells if "style.new_figure(" in cell and not cell.startswith("# %% [markdown]")]
    for cell in drawn:
        assert cell.startswith(FOLDED), cell[:200]
        assert not re.search(r"^ *(print|lesson\.check)\(", cell, re.MULTILINE), "a reader would not see what prints it"


def test_the_index_lists_every_lesson_in_order():
    listed = re.findall(r"^\| \[(\d+)\]\((\d\d)_(\w+)\.py\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _, _ in listed] == list(range(len(listed)))
    assert all(int(number) == int(prefix) for number, prefix, _ in listed)
    assert {path.stem for path in LESSONS} == {f"{prefix}_{name}" for _, prefix, name in listed}


def test_the_index_leads_to_code_that_is_there():
    links = re.findall(r"\]\((\.\./[^)]+)\)", (FOLDER / "README.md").read_text())
    assert links
    for link in links:
        assert (FOLDER / link).exists(), f"{link} leads nowhere"


@every_lesson
def test_a_lesson_says_how_long_it_takes_as_the_index_does_and_ends_with_something_to_try(lesson):
    text, number = lesson.read_text(), int(lesson.stem[:2])
    assert re.search(rf"^# # {number}\. ", text, re.MULTILINE), "its title has its number"
    row = re.search(rf"^\| \[{number}\].+$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    said = re.search(r"bout (ten|fifteen|twenty|forty) minutes", text[:1500])
    assert said and row, "its head says how long it takes"
    minutes = {"ten": 10, "fifteen": 15, "twenty": 20, "forty": 40}[said.group(1)]
    assert row.group().split("|")[4].strip() == str(minutes)
    assert "\n# ## Try it\n" in text


def test_what_is_quoted_is_found_and_a_line_that_is_not_printed_is_named(tmp_path):
    lesson = tmp_path / "99_planted.py"
    lesson.write_text(
        "# %% [markdown]\n# # 99. Planted\n#\n# ```text\n# one\n# right: True\n# ```\n\n"
        "# %%\nprint('one')\nprint('right: True (2e-16)')\nname = 'two'\n\n"
        "# %% [markdown]\n# ## Try it\n#\n# - A task\n#\n#   <details><summary>Answer</summary>\n#\n"
        "#   ```python\n#   for _ in range(1):\n#       print(name)\n#   ```\n#\n#   ```text\n#   two\n#   ```\n#\n"
        "#   </details>\n"
    )
    assert lesson_text.quoted(lesson) == ["one", "right: True"]
    assert lesson_text.answers(lesson) == [("for _ in range(1):\n    print(name)\n", ["two"])]
    (tmp_path / "out").mkdir()
    done = lesson_text.run(lesson, tmp_path / "out", with_answers=True)
    assert done.stdout.splitlines() == ["one", "right: True (2e-16)", "two"]
    assert lesson_text.missing(["one", "right: True", "two"], done.stdout) == []
    assert lesson_text.missing(["on", "right", "right: False", "three"], done.stdout) == [
        "on",
        "right",
        "right: False",
        "three",
    ]
