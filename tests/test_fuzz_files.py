"""Some of the damaged files of fuzz_files.py and fuzz_runs.py, each time; all of them by hand."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_damaged_files_raise_the_documented_errors_only():
    script = Path(__file__).with_name("fuzz_files.py")
    line = [sys.executable, "-W", "error", str(script), "--images", "3000", "--models", "1500"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_damaged_run_is_refused_or_goes_on():
    script = Path(__file__).with_name("fuzz_runs.py")
    counts = {"--models": "400", "--checkpoints": "400", "--settings": "400", "--runs": "200"}
    line = [sys.executable, "-W", "error", str(script), *(part for count in counts.items() for part in count)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
