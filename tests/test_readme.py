"""The first page: short, its code runs as it is pasted, and its figures are those of the pages behind it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRANSLATED = sorted((ROOT / "examples").glob("README.*.md"))


def fenced(text, language=""):
    """What stands between ```language and ```."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_page_is_short_and_its_picture_moves_and_is_small():
    assert README.count("\n") < 120
    picture = ROOT / re.search(r"!\[[^\]]*\]\((examples/pictures/lab\.webp)\)", README).group(1)
    assert picture.stat().st_size < 2_000_000
    with Image.open(picture) as film:
        assert film.is_animated and film.n_frames > 30


@pytest.mark.parametrize("page", [ROOT / "README.md", *TRANSLATED], ids=lambda page: page.name)
def test_every_link_and_picture_of_a_first_page_is_there(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert len(links) >= 4
    for link in links:
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_a_translated_page_has_the_commands_of_the_english_one_and_says_who_has_yet_to_read_it():
    assert TRANSLATED
    for page in TRANSLATED:
        text = page.read_text(encoding="utf-8")
        commands = {line for block in fenced(README) for line in block.splitlines() if line.startswith(("git", "pip"))}
        assert commands and commands <= {line for block in fenced(text) for line in block.splitlines()}
        assert "../README.md" in text and f"examples/{page.name}" in README


def test_the_rows_of_the_small_table_of_speed_are_rows_of_the_whole_one():
    (small,) = fenced(README[README.index("<!-- bench -->") :])[:1]
    whole = (ROOT / "examples" / "site" / "how-fast.md").read_text(encoding="utf-8")
    rows = small.splitlines()
    assert len(rows) >= 4 and all(row in whole.splitlines() for row in rows)


@pytest.mark.slow
def test_the_lines_of_the_page_run_as_they_are_pasted(tmp_path):
    (lines,) = fenced(README, "python")
    assert len([line for line in lines.splitlines() if line.strip()]) <= 10
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", lines + "\nprint(maps.shape)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "(80, 48, 48, 3)"
    reached = float(re.findall(r"val_accuracy ([\d.]+)", done.stdout)[-1])
    assert reached > 0.6  # of three classes: it does learn
