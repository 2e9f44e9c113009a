"""The wheel that the site hands out, in a real Pyodide under Node: what a reader does in the browser works there.

BATIK_PYODIDE names a folder with Pyodide 0.27: pyodide.mjs, pyodide-lock.json and the wheels of NumPy, SciPy,
scikit-learn, matplotlib and pillow. Where it is unset, or there is no Node, these tests say so and are skipped.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYODIDE = os.environ.get("BATIK_PYODIDE", "")
PURE = ("tqdm", "jinja2", "markupsafe")  # a whole Pyodide has them; a folder of its core has not
WAITED = [
    "ok import",
    "ok gradcheck of 10 layers",
    "ok lesson 6",
    "ok right answer",
    "ok wrong answer",
    "ok saliency of a drawn cloth",
    "ok trained, saved and loaded",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYODIDE, reason="BATIK_PYODIDE names no folder with Pyodide"),
    pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "-w", str(folder)]
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_files_of_this_pyodide_are_those_that_its_lock_names():
    packages = json.loads((Path(PYODIDE) / "pyodide-lock.json").read_text())["packages"]
    looked_at = 0
    for one in packages.values():
        path = Path(PYODIDE) / one["file_name"]
        if path.is_file() and one["name"] in ("numpy", "scipy", "scikit-learn", "matplotlib", "Pillow", "joblib"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == one["sha256"], path.name
            looked_at += 1
    assert looked_at == 6


def test_the_wheel_checks_gradients_runs_a_lesson_examines_answers_and_explains(wheel, tmp_path):
    pure = tmp_path / "pure.zip"
    with zipfile.ZipFile(pure, "w") as archive:
        for name in PURE:
            folder = Path(importlib.util.find_spec(name).origin).parent
            for path in folder.rglob("*.py"):
                archive.write(path, f"{name}/{path.relative_to(folder)}")
    given = [
        PYODIDE,
        str(HERE / "in_the_browser.py"),
        f"{ROOT / 'examples' / 'lessons'}=/lessons",
        str(wheel),
        str(pure),
    ]
    done = subprocess.run(
        ["node", str(HERE / "run.mjs"), *given], capture_output=True, text=True, timeout=1200, cwd=tmp_path
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("ok ")]
    assert told == WAITED, done.stdout[-3000:] + done.stderr[-3000:]
    assert "divided by" in done.stdout or "the batch" in done.stdout
