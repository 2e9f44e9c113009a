"""One experiment, whoever runs its cells: the same bytes. On this machine with one process and two, and by Dask."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batik_scratch.cli import main

# distributed leaves a pipe or two to the garbage collector
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
OPTIONS = ["--repeats", "1", "--folds", "2", "--inits", "1", "--permuted", "1", "--arms", "images,saliency,in_fold"]
CELLS = 2 * 2 * (4 + 3)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    path.write_text("draw_counts = [16, 14, 12]\nimage_size = 32\nepochs = 2\n")
    return path


@pytest.fixture(scope="module")
def one_job(settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("one") / "e"
    assert main(["experiment", "--config", str(settings), *OPTIONS, "--jobs", "1", "--out", str(out)]) == 0
    return out


@pytest.fixture
def cluster():
    """The address of a scheduler, and its workers' process."""
    pytest.importorskip("distributed")
    port = 20_000 + os.getpid() % 10_000
    address = f"tcp://127.0.0.1:{port}"
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", str(port), "--no-dashboard"]
    scheduler = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    worker = start_worker(address)
    yield address, worker
    for process in (worker, scheduler):
        process.terminate()
        process.wait()


def start_worker(address, number=2):
    words = ["distributed.cli.dask_worker", address, "--nworkers", str(number), "--nthreads", "1", "--no-dashboard"]
    return subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL)


def begin(settings, out, *words):
    command = [sys.executable, "-m", "batik_scratch", "experiment", "--config", str(settings), *OPTIONS]
    return subprocess.Popen([*command, *words, "--out", str(out)], stderr=subprocess.PIPE, text=True)


def wait_for_cells(out, number, process):
    while process.poll() is None and len(list((out / "cells").glob("*.json"))) < number:
        time.sleep(0.05)


def same(out, other):
    for folder in (out, other):
        assert len(list((folder / "cells").iterdir())) == CELLS and not list((folder / "failed").iterdir())
    for path in [*sorted((other / "cells").iterdir()), other / "results.json"]:
        assert (out / path.relative_to(other)).read_bytes() == path.read_bytes(), path.name


def test_two_jobs_give_the_bytes_of_one(settings, one_job, tmp_path):
    assert main(["experiment", "--config", str(settings), *OPTIONS, "--jobs", "2", "--out", str(tmp_path / "e")]) == 0
    same(tmp_path / "e", one_job)


def test_a_dask_cluster_of_two_workers_gives_the_same_bytes(settings, one_job, cluster, tmp_path):
    done = begin(settings, tmp_path / "e", "--dask", cluster[0])
    assert done.wait() == 0, done.stderr.read()
    same(tmp_path / "e", one_job)


def test_after_a_worker_is_killed_the_bytes_are_the_same(settings, one_job, cluster, tmp_path):
    address, worker = cluster
    client = begin(settings, tmp_path / "e", "--dask", address)
    wait_for_cells(tmp_path / "e", 3, client)
    worker.kill()  # the nanny; its two workers go with it
    second = start_worker(address)
    try:
        assert client.wait() == 0, client.stderr.read()
    finally:
        second.terminate()
        second.wait()
    same(tmp_path / "e", one_job)


def test_after_the_client_is_killed_resume_gives_the_same_bytes(settings, one_job, cluster, tmp_path):
    client = begin(settings, tmp_path / "e", "--dask", cluster[0])
    wait_for_cells(tmp_path / "e", 5, client)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert main(["experiment", "--resume", str(tmp_path / "e"), "--dask", cluster[0]]) == 0
    same(tmp_path / "e", one_job)


def test_after_both_are_killed_this_machine_finishes_with_the_same_bytes(settings, one_job, cluster, tmp_path):
    address, worker = cluster
    client = begin(settings, tmp_path / "e", "--dask", address)
    wait_for_cells(tmp_path / "e", 5, client)
    client.kill()
    worker.kill()
    client.wait()
    assert main(["experiment", "--resume", str(tmp_path / "e"), "--jobs", "2"]) == 0
    same(tmp_path / "e", one_job)


def test_a_process_of_this_machine_that_is_killed_costs_nothing_but_time(settings, one_job, tmp_path):
    client = begin(settings, tmp_path / "e", "--jobs", "2")
    wait_for_cells(tmp_path / "e", 3, client)
    assert kill_a_job_of(client.pid)
    assert client.wait() == 0, client.stderr.read()
    same(tmp_path / "e", one_job)


def kill_a_job_of(parent):
    """SIGKILL for one loky process below `parent`, found where Linux lists them."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
            own = int((path.parent / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if own == parent and b"popen_loky_posix" in words:
            os.kill(int(path.parent.name), signal.SIGKILL)
            return True
    return False


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:abc", "foo://x:1", "host:99999", "tcp://"])
def test_what_is_no_address_is_said_to_be_none(settings, tmp_path, capsys, address):
    pytest.importorskip("distributed")
    words = ["experiment", "--config", str(settings), *OPTIONS, "--dask", address]
    assert main([*words, "--out", str(tmp_path / "e")]) == 2
    said = capsys.readouterr().err
    assert f"--dask {address}: is no address of a Dask scheduler (" in said and "tcp://host:8786" in said
    assert not (tmp_path / "e").exists()


def test_nobody_listens_at_the_address(settings, tmp_path, capsys):
    pytest.importorskip("distributed")
    words = ["experiment", "--config", str(settings), *OPTIONS, "--dask", "tcp://127.0.0.1:9"]
    assert main([*words, "--out", str(tmp_path / "e")]) == 2
    said = capsys.readouterr().err
    assert "--dask tcp://127.0.0.1:9: no Dask scheduler answers there" in said and "dask scheduler" in said
    assert not (tmp_path / "e").exists()
