"""The site is built without a warning and without a network, and no link inside it leads nowhere."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("sphinx", "myst_nb", "jupytext", "furo", "latex2mathml")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in NEEDED), reason="the extra [docs] is not installed"
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site; BATIK_SITE names one that was built before."""
    if os.environ.get("BATIK_SITE"):
        return Path(os.environ["BATIK_SITE"])
    out = tmp_path_factory.mktemp("site")
    nowhere = {f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https")}  # whoever asks the network fails
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", str(out / "remembered")]
    done = subprocess.run(
        [*command, str(ROOT / "examples" / "site"), str(out / "site")],
        capture_output=True,
        text=True,
        env=os.environ | nowhere | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return out / "site"


class Page(HTMLParser):
    """The links of a page, and the places in it that a link can name."""

    def __init__(self, path):
        super().__init__()
        self.links, self.names = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.names |= {told[key] for key in ("id", "name") if told.get(key)}
        self.links |= {told[key] for key in ("href", "src") if told.get(key)}


def pages_of(site):
    """What Sphinx and we wrote; the lab, the reports and JupyterLite are pages of their own kind."""
    apart = ("lite", "study", "_static")
    return [p for p in site.rglob("*.html") if p.relative_to(site).parts[0] not in apart and p.name != "lab_page.html"]


def test_every_link_inside_the_site_leads_to_a_page_and_to_a_place_on_it(site):
    pages = {path: Page(path) for path in pages_of(site)}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:|//", link):
                continue
            target, _, place = link.partition("#")
            found = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            if not found.exists():
                broken.append(f"{path.relative_to(site)}: {link}")
            elif place and found in pages and found.parent.name != "lab" and unquote(place) not in pages[found].names:
                broken.append(f"{path.relative_to(site)}: {link} (no such place)")
    assert not broken, "\n".join(sorted(broken)[:40])


def test_every_lesson_shows_its_figures(site):
    for script in sorted((ROOT / "examples" / "lessons").glob("[0-9][0-9]_*.py")):
        text = (site / "lessons" / f"{script.stem}.html").read_text(encoding="utf-8")
        asked = len(re.findall(r"^ *lesson\.show\(", script.read_text(), re.MULTILINE))
        assert asked and text.count('src="../_images/') >= asked, script.stem


def test_the_lab_and_a_report_are_there_and_every_exercise_has_its_page(site):
    from batik_scratch.learn.exercises import EXERCISES

    assert (site / "lab" / "lab.html").stat().st_size > 100_000
    assert "<html" in (site / "study" / "report.html").read_text(encoding="utf-8")[:1000]
    for name in EXERCISES:
        assert "The answer" in (site / "exercises" / f"{name}.html").read_text(encoding="utf-8"), name


def test_no_page_of_ours_fetches_anything_from_elsewhere(site):
    """Links may lead away; pictures, scripts and styles come from the site itself."""
    fetched = re.compile(
        r"""<(?:script|img|iframe)[^>]+src=["'](https?:|//)|<link[^>]+stylesheet[^>]+href=["'](https?:|//)"""
    )
    for path in pages_of(site):
        assert not fetched.search(path.read_text(encoding="utf-8")), path
