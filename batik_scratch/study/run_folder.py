"""The run folder: every file of it has one writer and one name, here.

config.toml split.csv data.json network.txt run.json    run.json alone holds times, dates, paths, versions
stage1/ stage2/   history.csv metrics.json predictions.csv model.npz saliency.npz
overlaid/CLASS/*.png  examples.npz  figures/ tables/ report.html
"""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import write_text
from .config import TwoStageConfig

STAGES = ("stage1", "stage2")


class RunFolder:
    """Paths inside a run folder, and how its tables are written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @classmethod
    def create(cls, path: Path, config: TwoStageConfig) -> "RunFolder":
        """Make the folder appear, by one rename, with config.toml already in it."""
        check_free(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-run-"))
        temporary.chmod(0o755)
        write_text(temporary / "config.toml", config.to_toml())
        for stage in STAGES:
            (temporary / stage).mkdir()
        os.rename(temporary, path)
        return cls(path)

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write `name` as readable JSON."""
        write_text(self.path / name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write `name` as CSV; floats in full, so that they read back to the same bits."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        write_text(self.path / name, text.getvalue())


def check_free(path: Path) -> None:
    """InputError unless `path` can become a run folder: it must not exist, or be an empty folder."""
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise InputError(
            f"--out {path}: exists and is not empty; nothing was touched. Choose another folder, or remove it"
        )
    parent = next(p for p in path.absolute().parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"--out {path}: cannot be made, {parent} is not a writable folder; choose another place")
