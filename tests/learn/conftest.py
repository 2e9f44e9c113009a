"""What the tests of exercises share: a check that is quick because it needs no process."""

import sys

import pytest

from batik_scratch.learn import exercises
from batik_scratch.learn.exercises.examination import examine


@pytest.fixture
def in_this_process(monkeypatch):
    """A check examines the file in this process and not in one of its own; what the file prints is not collected."""
    checking = sys.modules[exercises.check.__module__]
    monkeypatch.setattr(checking, "examine_apart", lambda path, exercise, limit: (examine(path, exercise), ""))
    monkeypatch.setattr(checking, "confirm_apart", lambda path, exercise, limit: [])
