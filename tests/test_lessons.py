"""Every lesson runs, draws a figure worth showing, and prints what its text says that it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

LESSONS = sorted((Path(__file__).resolve().parent.parent / "examples" / "lessons").glob("[0-9][0-9]_*.py"))


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
    assert promised, "a lesson states the numbers that it prints"
    printed = done.stdout.splitlines()
    for line in promised:
        assert line in printed, f"{line!r} is in the text, but not printed"
    figures = list(tmp_path.glob("*.png"))
    assert figures
    for path in figures:
        with Image.open(path) as picture:
            assert min(picture.size) > 400
