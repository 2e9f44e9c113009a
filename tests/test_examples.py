"""The examples run as a reader would run them, and draw what they promise."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [["train_on_drawn_batik.py", "--size", "32", "--per-class", "6", "--epochs", "2"], ["explain_one_image.py"]],
    ids=lambda command: command[0],
)
def test_an_example_runs_and_draws(tmp_path, command):
    out = tmp_path / "figure.png"
    line = [sys.executable, str(EXAMPLES / command[0]), *command[1:], "--out", str(out)]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(out) as picture:
        assert picture.size[0] > 300
