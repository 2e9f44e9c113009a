"""The lab, and the report of a quick run of the study, made with the package while the site is built."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from .settings import ROOT, fingerprint

LAB, STUDY = "lab/lab.html", "study/report.html"


def write(app: Any, error: Exception | None) -> None:
    """After the pages: what they embed."""
    if error or app.builder.name != "html":
        return
    for name, maker in ((LAB, _lab), (STUDY, _study)):
        target = Path(app.outdir) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        kept = Path(app.doctreedir) / "made" / fingerprint() / name
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            maker(kept)
        shutil.copyfile(kept, target)


def _lab(out: Path) -> None:
    _command("lab", "--out", str(out))


def _study(out: Path) -> None:
    """A minute of training, on batik that the package draws."""
    run = out.parent / "run"
    shutil.rmtree(run, ignore_errors=True)
    _command("run", "--quick", "--out", str(run))
    shutil.copyfile(run / "report.html", out)


def _command(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "batik_scratch", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"batik-scratch {' '.join(words)}: {done.stderr}")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", write)
