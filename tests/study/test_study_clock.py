"""run.json: when, how long, from what, by which command, on which machine; and what a run says on its way."""

import dataclasses
import datetime
import importlib.metadata
import json
import os
import platform
import re
import time
from pathlib import Path

import pytest
from study.study_witness import PHOTOGRAPHED

import batik_scratch
from batik_scratch.ops import threads
from batik_scratch.study import resume_two_stage, run_two_stage
from batik_scratch.study.environment import environment

START = datetime.datetime(2025, 3, 30, 1, 59, 58, 125_000, tzinfo=datetime.UTC)


class Clock:
    """Time that passes only while the run speaks: 0.254 s, then four times as long each time."""

    def __init__(self, monkeypatch):
        self.now, self.step, self.said = 1000.0, 0.254, []
        clock = self

        class Date(datetime.datetime):
            @classmethod
            def now(cls, zone=None):
                return (START + datetime.timedelta(seconds=clock.now - 1000)).astimezone(zone)

        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(datetime, "datetime", Date)

    def say(self, text):
        self.said.append(text)
        self.now += self.step
        self.step *= 4


@pytest.fixture(scope="module")
def timed(photos, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        clock, out = Clock(patch), tmp_path_factory.mktemp("timed") / "run"
        patch.chdir(photos.parent)
        config = dataclasses.replace(PHOTOGRAPHED, data=photos.name, epochs=1)
        run_two_stage(config, out, command="batik-scratch run --so", say=clock.say, verbose=0)
        (out / "run.json").rename(out / "first.json")
        clock.now, clock.step = 5000.0, 0.254
        (out / "stage2/metrics.json").unlink()
        (out / "stage1/saliency.npz").unlink()
        resume_two_stage(out, command="batik-scratch run --on", say=clock.say, verbose=0)
        return [json.loads((out / name).read_text()) for name in ("first.json", "run.json")]


def test_each_part_of_a_run_has_its_own_seconds(timed):
    for run in timed:
        parts = {"data": 1.27, "stage1": 4.06, "saliency": 16.26, "stage2": 65.02, "examples": 0.0}
        assert run["seconds"] == parts and list(run["seconds"]) == list(parts)


def test_a_run_records_its_begin_and_end_in_universal_time(timed):
    assert timed[0]["started"] == "2025-03-30T01:59:58+00:00"
    assert timed[0]["finished"] == "2025-03-30T02:01:24+00:00"  # 86.614 s later
    assert timed[1]["started"] == "2025-03-30T03:06:38+00:00" and timed[1]["finished"] == "2025-03-30T03:08:04+00:00"


def test_a_run_records_its_command_and_where_its_photos_are(timed, photos):
    assert [run["command"] for run in timed] == ["batik-scratch run --so", "batik-scratch run --on"]
    assert {run["data"] for run in timed} == {str(photos)}


@pytest.mark.parametrize("study", ["drawn"], indirect=True)
def test_a_drawn_run_records_that_it_is_drawn_and_real_times(study):
    run = json.loads((study.folder / "run.json").read_text())
    started, finished = (datetime.datetime.fromisoformat(run[key]) for key in ("started", "finished"))
    assert study.began.replace(microsecond=0) <= started <= finished <= datetime.datetime.now(datetime.UTC)
    assert run["data"] == "drawn" == json.loads((study.folder / "data.json").read_text())["source"]
    assert all(0 <= seconds < 600 for seconds in run["seconds"].values()) and run["seconds"]["stage1"] > 0
    assert {key: run[key] for key in environment()} == environment()


def test_the_environment_is_this_one():
    found = environment()
    packages = ("numpy", "scipy", "numba", "pillow", "scikit-learn", "matplotlib")
    versions = {name: importlib.metadata.version(name) for name in packages}
    assert found["versions"] == versions | {"batik_scratch": batik_scratch.__version__}
    assert found["python"] == platform.python_version() and found["platform"] == platform.platform()
    assert found["cores"] == len(os.sched_getaffinity(0)) and found["threads"] == threads.count()
    assert set(found) == {"versions", "python", "platform", "cpu", "cores", "threads"}


def test_cores_are_those_the_process_may_use_and_threads_those_it_does(monkeypatch):
    before = threads.count()
    threads.use(1)
    try:
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: {2, 3, 5, 7}}[process])
        assert (environment()["cores"], environment()["threads"]) == (4, 1)
    finally:
        threads.use(before)


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file(), reason="another system names its processor elsewhere")
def test_the_processor_is_named_as_linux_names_it():
    named = re.search(r"^model name\s*: *(.+?) *$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    assert environment()["cpu"] == (named[1] if named else platform.processor() or platform.machine())


def test_a_machine_that_tells_little_still_gets_a_record(monkeypatch):
    def nothing(*arguments, **options):
        raise OSError("not here")

    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(Path, "read_text", nothing)
    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", unknown)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(platform, "processor", lambda: "")
    found = environment()
    assert found["cpu"] == platform.machine() and found["cores"] == os.cpu_count()
    assert found["versions"]["numpy"] == "unknown" and found["versions"]["batik_scratch"] != "unknown"
    monkeypatch.setattr(platform, "processor", lambda: "a fast one")
    assert environment()["cpu"] == "a fast one"
    monkeypatch.setattr(
        Path, "read_text", lambda path: "processor\t: 0\nmodel name\t: Odd: 3 GHz\nmodel name\t: other\n"
    )
    assert environment()["cpu"] == "Odd: 3 GHz"
