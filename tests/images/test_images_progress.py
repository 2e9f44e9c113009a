"""Progress bars: shown to a person at a terminal who did not refuse them, gone afterwards, and to nobody else."""

import io
import sys

import pytest
from folders_of_photos import make_folder

from batik_scratch.images import load_folder, scan


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def decode(place, progress):
    load_folder(make_folder(place / "photos", {"a": 4, "b": 5}), 16, cache_dir=place, progress=progress)


def look(place, progress):
    scan(make_folder(place / "photos", {"a": 4, "b": 5}), progress=progress)


BARS = pytest.mark.parametrize(("work", "title"), [(decode, "decoding"), (look, "scanning")])


@BARS
def test_a_terminal_sees_a_bar_of_nine_images_that_is_cleared_at_the_end(work, title, tmp_path, monkeypatch):
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    work(tmp_path, True)
    text = seen.getvalue()
    assert f"{title}:   0%" in text and "0/9" in text and "image/s" in text
    assert "hashing" not in text  # which takes no time here
    assert text.rsplit("\r", 2)[1].strip() == "" and text.endswith("\r")


@BARS
def test_who_refuses_it_sees_nothing(work, title, tmp_path, monkeypatch):
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    work(tmp_path, False)
    assert seen.getvalue() == ""


@BARS
def test_a_file_or_pipe_gets_nothing(work, title, tmp_path, monkeypatch):
    seen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", seen)
    work(tmp_path, True)
    assert seen.getvalue() == ""
