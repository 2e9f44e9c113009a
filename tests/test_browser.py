"""What is different inside a web browser; here a Python that says that it runs in one."""

import importlib
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from batik_scratch import files
from batik_scratch.errors import InputError
from batik_scratch.learn import exercises
from batik_scratch.learn.exercises import process
from batik_scratch.ops import threads


@pytest.fixture
def browser(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")


def test_no_thread_is_started_where_none_can_be(browser, monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread was started"))
    with threads.one_blas_thread(), threads.one_blas_thread():
        assert threads.count() >= 1


def test_a_file_can_be_read_although_the_umask_forbids_everything(browser, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "umask", lambda mask: 0o777)
    files.write_text(tmp_path / "a.txt", "readable")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644
    assert files.default_mode(folder=True) == 0o755


def test_what_is_written_into_a_new_array_is_in_its_file_after_a_flush(browser, tmp_path):
    array = files.new_array(tmp_path / "a.npy", np.uint8, (2, 3))
    array[1] = 7
    assert not isinstance(array, np.memmap)
    array.flush()
    read = files.mapped(tmp_path / "a.npy")
    assert read.tolist() == [[0, 0, 0], [7, 7, 7]] and not isinstance(read, np.memmap)


@pytest.fixture
def no_process(browser, monkeypatch, tmp_path):
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(process.subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))


def test_an_exercise_is_examined_in_the_same_process_and_what_it_prints_is_told(no_process, tmp_path):
    path = tmp_path / "flatten.py"
    path.write_text("print('hello')\n" + exercises.solution(exercises.find("flatten")))
    result = exercises.check(path)
    assert result.ok and result.printed == "hello\n"


def test_a_wrong_answer_gets_the_doctors_words(no_process, tmp_path):
    path = tmp_path / "dense.py"
    path.write_text(exercises.solution(exercises.find("dense")).replace("= x.T @ dy", "= x.T @ dy / len(x)"))
    result = exercises.check(path)
    assert not result.ok and "the batch" in str(result), str(result)


def test_the_benchmark_says_that_it_needs_processes(no_process):
    from batik_scratch.bench.process import Worker

    with pytest.raises(InputError, match="a browser has none; run it on your machine"):
        Worker("ours", 1, 1, 32, "paper", Path("start"))


def test_the_benchmark_computes_nothing_before_it_says_so(no_process, monkeypatch):
    compare = importlib.import_module("batik_scratch.bench.compare")  # bench.compare is its function
    monkeypatch.setattr(compare, "write_start", lambda *asked, **options: pytest.fail("it began to compute"))
    with pytest.raises(InputError, match="a browser has none"):
        compare.compare(["batik_scratch"], [1], 1, 32, 1)
