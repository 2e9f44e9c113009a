"""Progress bars: shown to a person at a terminal who did not refuse them, gone afterwards, and to nobody else."""

import io
import sys

import joblib
import pytest
from folders_of_photos import make_folder
from tqdm import tqdm

from batik_scratch.images import cache, load_folder, scan


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


def test_hashing_shows_itself_after_two_seconds(tmp_path, monkeypatch):
    waits = []

    def at_once(*arguments, delay=0.0, **options):
        waits.append(delay)
        return tqdm(*arguments, **options)

    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    monkeypatch.setattr(cache, "tqdm", at_once)
    decode(tmp_path, True)
    assert "hashing:   0%" in seen.getvalue() and "file/s" in seen.getvalue() and 2.0 in waits


@pytest.mark.parametrize(("workers", "expected"), [(3, 3), (1, 1), (None, joblib.cpu_count())])
def test_the_work_is_shared_by_so_many_threads_by_all_processors_where_nobody_says(
    tmp_path, monkeypatch, workers, expected
):
    asked = []

    def parallel(n_jobs, prefer, return_as):
        asked.append((n_jobs, prefer))
        return joblib.Parallel(1, return_as=return_as)

    for module in (cache, sys.modules[scan.__module__]):
        monkeypatch.setattr(module, "Parallel", parallel)
    folder = make_folder(tmp_path / "photos", {"a": 4, "b": 5})
    load_folder(folder, 16, cache_dir=tmp_path, workers=workers, progress=False)
    scan(folder, workers=workers, progress=False)
    assert asked == [(expected, "threads")] * 3  # hashing, decoding, scanning
