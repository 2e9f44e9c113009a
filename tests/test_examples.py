"""The examples run as a reader would run them, and draw and say what they promise."""

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


@pytest.mark.slow
def test_a_layer_of_ones_own_is_checked_trained_saved_and_loaded(tmp_path):
    line = [sys.executable, str(EXAMPLES / "own_layer.py")]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "share   central difference" in done.stdout
    without = next(text for text in done.stdout.splitlines() if text.startswith("without it:"))
    assert "PReLU" in without and "layers=[PReLU]" in without  # the error says which class, and how to give it
    assert done.stdout.rstrip().endswith("the same predictions, bit for bit")
    assert list(tmp_path.iterdir()) == []
