"""The run folder appears whole, is written plainly, and belongs to one run at a time."""

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path

import pytest
from study.conftest import TINY

from batik_scratch.errors import InputError
from batik_scratch.study import RunFolder, load_config, resume_two_stage, run_two_stage


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_survives_a_power_cut(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    RunFolder.create(tmp_path / "run", TINY).__exit__()
    assert synced[-1] == tmp_path.stat().st_ino  # the folder in which the new name stands


@contextlib.contextmanager
def no_handle_left_open():
    def lowest_free():
        handle = os.dup(0)
        os.close(handle)
        return handle

    before = lowest_free()
    yield
    assert lowest_free() == before


def test_a_new_folder_has_its_config_and_stages_and_others_may_read_it(tmp_path):
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "deep/down/run", tmp_path / "empty"):
        with RunFolder.create(out, TINY) as folder:
            assert names(out) == ["begun.json", "config.toml", "stage1", "stage2"] and folder.path == out
            assert load_config(folder / "config.toml") == TINY
            assert stat.S_IMODE(out.stat().st_mode) == 0o755
    assert names(tmp_path) == ["deep", "empty"] and names(tmp_path / "deep/down") == ["run"]


def test_a_folder_that_cannot_be_made_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        RunFolder.create(tmp_path / "run", TINY)
    assert not list(tmp_path.iterdir())


def test_a_stop_while_the_folder_is_made_is_still_a_stop(tmp_path, monkeypatch):
    def stopped(source, target):
        assert source.parent == target.parent  # a rename works within one file system
        assert source.name[0] == "."  # what a kill would leave is hidden
        shutil.rmtree(source)  # with the disk it was on, say
        raise KeyboardInterrupt("SIGTERM")

    monkeypatch.setattr(os, "rename", stopped)
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        RunFolder.create(tmp_path / "run", TINY)
    assert not list(tmp_path.iterdir())


def test_the_run_that_comes_second_is_told_that_the_folder_is_taken(tmp_path, monkeypatch):
    def first_one_wins(source, target):
        (target / "stage1").mkdir(parents=True)
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    monkeypatch.setattr(os, "rename", first_one_wins)
    with pytest.raises(InputError, match=f"--out {tmp_path}/run: exists and is not empty"):
        RunFolder.create(tmp_path / "run", TINY)
    assert names(tmp_path) == ["run"] and names(tmp_path / "run") == ["stage1"]


def test_what_is_in_the_way_is_refused_before_any_image_is_drawn(tmp_path):
    said = []
    (tmp_path / "file").write_text("mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name, why in (("file", "not empty"), ("nowhere", "not empty"), ("file/run", "file is not a writable folder")):
        with pytest.raises(InputError, match=f"--out {tmp_path}/{name}: .*{why}"):
            run_two_stage(TINY, tmp_path / name, say=said.append)
    assert said == [] and (tmp_path / "file").read_text() == "mine" and (tmp_path / "nowhere").is_symlink()
    (tmp_path / "nowhere").unlink()  # copies of test folders stumble over it


def test_a_place_where_nobody_may_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: (os.fspath(path), mode) != (str(tmp_path), os.W_OK))
    with pytest.raises(InputError, match=f"--out {tmp_path}/a/b: cannot be made, {tmp_path} is not a writable folder"):
        RunFolder.create(tmp_path / "a/b", TINY)


def test_a_lock_ends_with_its_block_and_opening_clears_what_a_kill_left(tmp_path):
    with (
        RunFolder.create(tmp_path / "run", TINY),
        no_handle_left_open(),
        pytest.raises(InputError, match=f"{tmp_path}/run: another run is at work in this folder"),
    ):
        RunFolder.open(tmp_path / "run")
    (tmp_path / "run/stage2/.new-abc.tmp").write_text("half")
    (tmp_path / "run/stage2/history.csv").write_text("kept")
    with RunFolder.open(tmp_path / "run"):
        assert names(tmp_path / "run/stage2") == ["history.csv"]
    with RunFolder.open(tmp_path / "run"):
        pass


def test_what_a_kill_left_may_vanish_while_it_is_cleared(tmp_path, monkeypatch):
    with RunFolder.create(tmp_path / "run", TINY):
        pass
    monkeypatch.setattr(Path, "rglob", lambda folder, pattern: iter([folder / "stage1/.new-gone.tmp"]))
    with RunFolder.open(tmp_path / "run") as run:
        assert run.config.exists()


def test_a_file_system_without_locks_is_used_without_them(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with RunFolder.create(tmp_path / "run", TINY), RunFolder.open(tmp_path / "run"):
        assert names(tmp_path / "run") == ["begun.json", "config.toml", "stage1", "stage2"]


def test_a_damaged_run_folder_is_named(tmp_path):
    with RunFolder.create(tmp_path / "run", TINY) as folder:
        (folder / "data.json").write_text("{")
    with pytest.raises(InputError, match=r"data\.json: cannot be read as JSON; this run folder is damaged"):
        resume_two_stage(tmp_path / "run", say=lambda text: None, verbose=0)
