"""What tests under node share: a page's data in a file, a script that reads it, and numbers that come back as bytes."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "batik_scratch" / "lab" / "page"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: the page's engine cannot be run")


def numbers_of(script, folder, told):
    """{name: float64 array} that tests/lab/`script` (an ES module) makes of `told`, with the page's modules."""
    given, made = folder / "given.json", folder / "made.bin"
    given.write_text(json.dumps(told))
    command = [NODE, str(HERE / script), PAGE.as_uri(), str(given), str(made)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    stored = np.fromfile(made, np.float64)
    index = json.loads(done.stdout)
    return {name: stored[start : start + length] for name, start, length in index}
