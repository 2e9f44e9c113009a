"""The page can be sent on: it fetches and runs nothing, escapes what strangers wrote, and is the same bytes again."""

import re
import shutil

import pytest
from page_tree import parse
from synthetic_run import BLANK, build_run, usual_answers

from batik_scratch.report import write, write_report

HOSTILE = 'x/<script>alert("1")</script>\n\'&.jpg'
HOSTILE_NAMES = (
    "<script>alert(2)</script>",
    '" onload="alert(3)',
    "$x^2 {{ 7 * 7 }}",
    "日本",
    "a" * 90,
    "b|c",
    "\x07bell",
)


@pytest.fixture(scope="module")
def hostile_text(tmp_path_factory):
    folder = build_run(
        tmp_path_factory.mktemp("hostile") / "run",
        names=HOSTILE_NAMES,
        answers=[(0, 1, 0), *usual_answers(7)],
        stranger=HOSTILE,
        source="photos",
        command="run --data <script>alert(4)</script>",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "to_png", lambda figure: BLANK)
        return write_report(folder).read_text()


def test_the_page_fetches_nothing_and_runs_nothing(text, page):
    tags = [(element.tag, element.attributes) for element in page.walk()]
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in tags}
    sources = [a[key] for _, a in tags for key in ("src", "srcset", "href", "data", "action") if key in a]
    assert len(sources) > 20
    assert all(source.startswith(("data:image/png;base64,", "data:image/jpeg;base64,", "#")) for source in sources)
    assert not re.search(r"https?://|url\(|@import|\bon\w+=", text)


def test_drawn_data_are_said_to_be_drawn_and_photos_are_not(text, hostile_text):
    assert "say nothing about real cloth" in text
    assert "say nothing about real cloth" not in hostile_text


def test_names_from_strangers_never_become_markup(hostile_text):
    page = parse(hostile_text)
    assert "<script" not in hostile_text.lower()
    assert "&lt;script&gt;alert(4)" in hostile_text
    assert not any(key.startswith("on") for element in page.walk() for key in element.attributes)
    assert "{{ 7 * 7 }}" in hostile_text
    assert '<script>alert("1")</script>' in page.text and "日本" in page.text


def test_a_name_that_no_file_can_hold_is_written_with_a_sign(page_of):
    page = page_of(described={"skipped": [["a\udcff.jpg", "broken"]]})
    assert "a?.jpg: broken" in [item.text for item in page.all("li")]


@pytest.mark.slow
def test_a_run_of_hostile_names_is_drawn(tmp_path):
    folder = build_run(tmp_path / "run", names=HOSTILE_NAMES, stranger=HOSTILE)
    assert len(parse(write_report(folder).read_text()).all("figure")) == 8


@pytest.mark.slow
def test_a_folder_can_be_moved_and_reported_again_to_the_same_bytes(reported, tmp_path):
    again = tmp_path / "elsewhere"
    shutil.copytree(reported, again, ignore=shutil.ignore_patterns("figures", "tables", "report.html"))
    write_report(again)
    first, second = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*.*")} for f in (reported, again))
    assert len(first) > 30
    assert first.keys() == second.keys()
    assert [str(name) for name in first if first[name] != second[name]] == []


def test_the_time_of_reporting_is_nowhere(reported, text):
    assert set(re.findall(r"20\d\d-\d\d-\d\d", text)) == {"2025-01-02"}
    for png_file in (reported / "figures").glob("*.png"):
        assert b"tEXt" not in png_file.read_bytes() and b"tIME" not in png_file.read_bytes()
