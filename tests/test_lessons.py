"""Every lesson runs, draws a figure worth showing, and prints what its text says that it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "lessons"
LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_prints_what_its_text_promises(tmp_path, lesson):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(lesson), "--quick"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"BATIK_LESSON_FIGURES": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"^# > (.+)$", lesson.read_text(), re.MULTILINE)
    for block in re.findall(r"^# ```text\n((?:# .*\n)+?)# ```$", lesson.read_text(), re.MULTILINE):
        promised += block.replace("# ", "", 1).replace("\n# ", "\n").splitlines()
    assert promised, "a lesson states the numbers that it prints"
    printed = done.stdout.splitlines()
    for line in promised:
        assert line in printed, f"{line!r} is in the text, but not printed"
    figures = list(tmp_path.glob("*.png"))
    assert figures
    for path in figures:
        with Image.open(path) as picture:
            assert min(picture.size) > 400


def test_the_index_lists_every_lesson_in_order():
    listed = re.findall(r"^\| \[(\d+)\]\((\d\d)_(\w+)\.py\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _, _ in listed] == list(range(1, len(listed) + 1))
    assert all(int(number) == int(prefix) for number, prefix, _ in listed)
    assert {path.stem for path in LESSONS} == {f"{prefix}_{name}" for _, prefix, name in listed}


def test_the_index_leads_to_code_that_is_there():
    links = re.findall(r"\]\((\.\./[^)]+)\)", (FOLDER / "README.md").read_text())
    assert links
    for link in links:
        assert (FOLDER / link).exists(), f"{link} leads nowhere"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_says_how_long_it_takes_as_the_index_does_and_ends_with_something_to_try(lesson):
    text, number = lesson.read_text(), int(lesson.stem[:2])
    assert re.search(rf"^# # {number}\. ", text, re.MULTILINE), "its title has its number"
    row = re.search(rf"^\| \[{number}\].+$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    said = re.search(r"bout (ten|fifteen|twenty) minutes", text[:1500])
    assert said and row, "its head says how long it takes"
    minutes = {"ten": 10, "fifteen": 15, "twenty": 20}[said.group(1)]
    assert row.group().split("|")[4].strip() == str(minutes)
    assert "\n# ## Try it\n" in text
