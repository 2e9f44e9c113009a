"""The scan's report: every number, name and verdict of a folder that has everything wrong."""

import json
import os

import numpy as np
import pytest
from folders_of_photos import blocks, make_folder, save

from batik_scratch.images import ScanReport, scan


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "photos", {"lereng": 5, "kawung": 4})


def look(folder, **options):
    return scan(folder, progress=False, **options)


def test_a_sound_folder_has_nothing_to_mend(folder):
    report = look(folder)
    assert report == ScanReport(str(folder), {"kawung": 4, "lereng": 5}, [], {}, [], [])
    assert list(report.counts) == ["kawung", "lereng"] and report.ok
    assert report.table().endswith("\nnothing to mend")


def test_everything_that_is_wrong_is_reported_where_it_is(folder):
    (folder / "lereng/1.png").write_bytes(b"")
    (folder / "kawung/3.png").write_text("<html>")
    (folder / "kawung/notes.txt").write_text("x")
    (folder / "kawung/.hidden.png").write_text("x")
    os.symlink(folder / "lereng/0.png", folder / "kawung/link.png")
    (folder / "lereng/copy.png").write_bytes((folder / "lereng/4.png").read_bytes())
    blocks(2).transpose(2).save(folder / "kawung/turned.png")  # a picture of the other class, turned
    (folder / "kawung/1.png").unlink()
    report = look(folder)
    assert report.counts == {"kawung": 3, "lereng": 5}
    assert report.problems == [
        ("kawung/3.png", "is not an image in PNG, JPEG, BMP, WebP, TIFF, PPM or GIF format, but a web page"),
        ("lereng/1.png", "is an empty file"),
        ("kawung", "this class has 3 readable images and needs at least 4"),
    ]
    assert report.skipped == {
        "files without an image's extension": 1,
        "hidden or system files": 1,
        "symbolic links": 1,
    }
    assert report.duplicates == [["lereng/4.png", "lereng/copy.png"]]
    assert report.across_classes == [["kawung/turned.png", "lereng/2.png"]]
    assert not report.ok


def test_copies_within_a_class_alone_need_no_mending(folder):
    for name in ("copy", "again"):
        (folder / f"lereng/{name}.png").write_bytes((folder / "lereng/4.png").read_bytes())
    report = look(folder)
    assert report.duplicates == [["lereng/4.png", "lereng/again.png", "lereng/copy.png"]] and report.ok
    assert report.across_classes == []


@pytest.mark.parametrize("what", ["problems", "across_classes"])
def test_a_problem_or_a_picture_with_two_labels_each_needs_mending(what):
    parts = {"problems": [], "across_classes": []} | {what: [("a/1.png", "b/1.png")]}
    report = ScanReport("f", {"a": 4}, parts["problems"], {}, [], parts["across_classes"])
    assert not report.ok and report.to_json()["ok"] is False
    assert report.table().endswith("\nneeds mending")


def test_a_folder_without_one_readable_image_is_reported_too(tmp_path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    report = look(tmp_path)
    assert report.counts == {"a": 0, "b": 0} and len(report.problems) == 4 and report.duplicates == []


def test_the_table_shows_every_part_with_its_number():
    report = ScanReport(
        "my\nfolder",
        {"kawung": 7, "mega mendung": 123},
        [("a/1.png", "is an empty file"), ("b\t.png", "broken")],
        {"symbolic links": 3, "hidden or system files": 2},
        [["a/2.png", "a/3.png", "a/4.png"]],
        [["a/5.png", "b/6.png"]],
    )
    assert report.table().split("\n") == [
        "my\\nfolder",
        "",
        "  kawung             7 images",
        "  mega mendung     123 images",
        "",
        "problems: 2",
        "  a/1.png: is an empty file",
        "  b\\t.png: broken",
        "",
        "one picture under two labels: 1",
        "  a/5.png = b/6.png",
        "",
        "copies or near-duplicates (kept on one side of a split): 1",
        "  a/2.png = a/3.png = a/4.png",
        "",
        "passed over: 2",
        "  2 hidden or system files",
        "  3 symbolic links",
        "",
        "needs mending",
    ]


def test_what_is_empty_has_no_heading():
    assert ScanReport("f", {"a": 4}, [], {}, [], []).table().split("\n") == [
        "f",
        "",
        "  a       4 images",
        "",
        "nothing to mend",
    ]


def test_the_report_as_json_has_every_field_and_the_verdict(folder):
    report = look(folder)
    found = json.loads(json.dumps(report.to_json()))
    assert found == {
        "folder": str(folder),
        "counts": {"kawung": 4, "lereng": 5},
        "problems": [],
        "skipped": {},
        "duplicates": [],
        "across_classes": [],
        "across_parts": [],
        "passed_over": [],
        "warnings": [],
        "ok": True,
    }


def test_links_are_read_where_asked(folder):
    os.symlink(folder / "lereng/0.png", folder / "kawung/link.png")
    assert look(folder).skipped == {"symbolic links": 1}
    followed = look(folder, follow_links=True)
    assert followed.counts["kawung"] == 5 and followed.across_classes == [["kawung/link.png", "lereng/0.png"]]


def test_nothing_is_changed(folder):
    (folder / "lereng/bad.png").write_text("x")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    look(folder, workers=1)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_number_of_workers_changes_nothing(folder):
    save(folder / "lereng/more/9.png", 3)
    (folder / "lereng/0.png").write_text("x")
    assert look(folder, workers=1) == look(folder, workers=3)
    assert np.sum(list(look(folder).counts.values())) == 9
