"""The page: complete, offline, escaped, and saying what was recorded."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from batik_scratch.report import paper, write_report

HOSTILE = 'x/<script>alert("1")</script>\n\'&.jpg'


class _Reader(HTMLParser):
    """Every tag's name and attributes, and every text outside <style>."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._stack = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._stack.append(tag)

    def handle_data(self, data):
        if not self._stack or self._stack[-1] != "style":
            self.texts.append(data)


@pytest.fixture(scope="module")
def page(reported):
    return (reported / "report.html").read_text()


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    from synthetic_run import build_run

    names = ("<script>alert(2)</script>", '" onload="alert(3)', "$x^2 {{ 7 * 7 }}", "日本", "a" * 90, "b|c", "\x07bell")
    folder = build_run(
        tmp_path_factory.mktemp("hostile") / "run",
        names=names,
        stranger=HOSTILE,
        source="photos",
        command="run --data <script>alert(4)</script>",
        per_class=6,
        size=16,
    )
    return write_report(folder).read_text()


def test_the_page_fetches_nothing_and_runs_nothing(page):
    tags = _Reader(page).tags
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in tags}
    sources = [a[key] for _, a in tags for key in ("src", "srcset", "href", "data", "action") if key in a]
    assert len(sources) > 20
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert not re.search(r"https?://|url\(|@import|\bon\w+=", page)


def test_every_image_is_described_and_sized(page):
    images = [attributes for tag, attributes in _Reader(page).tags if tag == "img"]
    wide = [image for image in images if image.get("class") != "narrow"]
    assert len(wide) == 8
    assert all(len(image["alt"]) > 20 for image in images)
    assert all(int(image["width"]) > 300 and int(image["height"]) > 100 for image in wide)


def test_numbers_on_the_page_are_those_of_metrics_json(reported, page):
    text = " ".join(_Reader(page).texts)
    for stage in ("stage1", "stage2"):
        metrics = json.loads((reported / stage / "metrics.json").read_text())
        for key in paper.METRICS:
            assert f"{metrics[key]:.3f}" in text
        assert "{:.3f} to {:.3f}".format(*metrics["accuracy_interval"]) in text
        for row in metrics["per_class"].values():
            assert f"{row['precision']:.3f}" in text


def test_the_published_figures_stand_beside_ours(page):
    for number in ("0.87", "0.89", "0.88", "0.875", "0.891", "0.868", "0.82", "0.83", "0.9842", "0.5629"):
        assert number in page
    assert "Aditiya" in page


def test_drawn_data_are_said_to_be_drawn_and_photos_are_not(page, hostile_page):
    assert "say nothing about real cloth" in page
    assert "say nothing about real cloth" not in hostile_page


def test_names_from_strangers_never_become_markup(hostile_page):
    reader = _Reader(hostile_page)
    assert "<script" not in hostile_page.lower()
    assert "&lt;script&gt;alert(4)" in hostile_page
    assert not any(key.startswith("on") for _, attributes in reader.tags for key in attributes)
    assert "{{ 7 * 7 }}" in hostile_page
    text = "".join(reader.texts)
    assert '<script>alert("1")</script>' in text and "日本" in text


def test_the_page_names_its_anchors(page):
    tags = _Reader(page).tags
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert {a["href"][1:] for _, a in tags if a.get("href")} <= ids


def test_an_accuracy_that_stopped_the_training_is_called_optimistic(make_run, undrawn):
    folder = make_run(per_class=4, size=16, epochs=3)
    path = folder / "stage2" / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"stopped": "accuracy"}))
    page = write_report(folder).read_text()
    assert "Stage two ended at the first epoch whose validation accuracy reached" in page
    assert "Stage one and" not in page


def test_a_class_that_is_never_predicted_is_named(make_run, undrawn):
    folder = make_run(per_class=4, size=16, epochs=3)
    path = folder / "stage1" / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"confusion": [[4, 0, 0], [0, 4, 0], [3, 1, 0]]}))
    assert "Stage one never answered singa_barong" in write_report(folder).read_text()


@pytest.mark.slow
def test_a_folder_can_be_moved_and_reported_again_to_the_same_bytes(reported, tmp_path):
    again = tmp_path / "elsewhere"
    shutil.copytree(reported, again, ignore=shutil.ignore_patterns("figures", "tables", "report.html"))
    write_report(again)
    first, second = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*.*")} for f in (reported, again))
    assert len(first) > 30
    assert first.keys() == second.keys()
    assert [str(name) for name in first if first[name] != second[name]] == []


def test_the_time_of_reporting_is_nowhere(reported):
    page = (reported / "report.html").read_text()
    assert "2025-01-02T03:04:05+00:00" in page
    assert "1 min 34 s" in page
    for png in (reported / "figures").glob("*.png"):
        assert b"tEXt" not in png.read_bytes() and b"tIME" not in png.read_bytes()
