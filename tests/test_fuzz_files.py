"""A few hundred of the damaged files of fuzz_files.py, each time; all 20,000 by hand."""

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
