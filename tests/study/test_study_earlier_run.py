"""A run folder that an earlier state left in the middle of stage two goes on to the files that it got then."""

import shutil

import pytest
from fixtures import earlier

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.study import resume_two_stage


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A copy of the interrupted run, beside its images."""
    monkeypatch.setattr(nn, "paper_cnn", earlier.small_paper_cnn)
    monkeypatch.chdir(shutil.copytree(earlier.PHOTOS, tmp_path / earlier.PHOTOS.name).parent)
    return shutil.copytree(earlier.RUN, tmp_path / "run")


def test_an_earlier_run_gets_the_files_that_it_got_then(run):
    expected = earlier.expected()
    bits = earlier.other_arithmetic(expected["arithmetic"]) is None
    before = earlier.numbers_of_run(run)
    resume_two_stage(run, say=lambda text: None, verbose=0)
    after = earlier.numbers_of_run(run)
    assert not earlier.differences(after, expected["run"], bits)
    done = [name for name in before if name.startswith(("overlaid/", "stage1/", "split.csv"))]
    assert len(done) > 20  # what was done is kept, on every machine
    assert all((before[name] == after[name]).all() for name in done)


def test_an_earlier_run_notices_that_an_image_was_changed(run):
    first, second = sorted((run.parent / "images/keratonan").iterdir())[:2]
    shutil.copy(first, second)
    with pytest.raises(InputError, match="not those that this run began with"):
        resume_two_stage(run, say=lambda text: None, verbose=0)
