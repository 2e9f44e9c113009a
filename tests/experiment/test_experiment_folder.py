"""The folder of an experiment, and that of a run, at work: how they appear, and who is kept out."""

import os
import stat

import pytest
from experiment.conftest import TINY

from batik_scratch.errors import InputError
from batik_scratch.experiment.folder import ExperimentFolder
from batik_scratch.study import RunFolder, locked_folder

BOTH = pytest.mark.parametrize(("kind", "config"), [(ExperimentFolder, TINY), (RunFolder, TINY.study)])


@BOTH
def test_it_has_the_permissions_that_the_user_gives_to_new_folders(tmp_path, kind, config):
    before = os.umask(0o027)
    try:
        kind.create(tmp_path / "new", config).__exit__()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o750


@BOTH
def test_of_two_that_start_at_once_one_is_told_that_the_folder_is_taken(tmp_path, monkeypatch, kind, config):
    """Both looked before either made it: the second to rename finds that it was second, and leaves nothing behind."""
    looks, really = iter([True, False]), locked_folder.check_free
    with kind.create(tmp_path / "new", config):
        monkeypatch.setattr(locked_folder, "check_free", lambda path: None if next(looks) else really(path))
        with pytest.raises(InputError, match="exists and is not empty"):
            kind.create(tmp_path / "new", config)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@BOTH
def test_a_folder_that_could_not_be_made_sure_is_let_go_of(tmp_path, monkeypatch, kind, config):
    def broken(folder):
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(locked_folder, "sync_folder", broken)
        with pytest.raises(OSError, match="disk is gone"):
            kind.create(tmp_path / "new", config)
    kind.open(tmp_path / "new").__exit__()


@BOTH
def test_what_a_killed_process_left_half_written_is_taken_away(tmp_path, kind, config):
    kind.create(tmp_path / "new", config).__exit__()
    (tmp_path / "new" / ".new-half.tmp").write_text("hal")
    kind.open(tmp_path / "new").__exit__()
    assert not list((tmp_path / "new").rglob(".new-*"))
