"""A cache that two users share: whatever its permissions and theirs, each gets the right pictures, and takes none away.

Two users can be had only by root; elsewhere these tests are passed over.
"""

import json
import os
import pickle
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
from folders_of_photos import make_folder

from batik_scratch import images, motifs
from batik_scratch.images import kinds, places

FIRST, SECOND = 61001, 61002
GROUP = 61003
pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may be two users")


def as_user(user, umask, work):
    """What `work()` returns in a process of that user."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([GROUP])
            os.setgid(GROUP)
            os.setuid(user)
            os.umask(umask)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # of a cache that cannot be written
                answer = work()
        except BaseException:
            answer = traceback.format_exc()
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    assert not isinstance(answer, str), answer
    return answer


@pytest.fixture
def place():
    """A folder that both may look into; pytest's own are root's alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def photos(place):
    return make_folder(place / "photos", {"kawung": 4, "parang": 4})


@pytest.fixture(params=["sticky", "open", "one group's", "the first's"])
def shared(request, place, monkeypatch):
    folder = place / "cache"
    folder.mkdir()
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(place / "tmp"))
    (place / "tmp").mkdir()
    (place / "tmp").chmod(0o1777)
    os.chown(folder, FIRST, GROUP)
    folder.chmod({"sticky": 0o1777, "open": 0o777, "one group's": 0o2770, "the first's": 0o755}[request.param])
    return folder


def contents(folder):
    return {path: (path.stat().st_ino, path.stat().st_uid) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_both_get_the_photos_and_the_first_ones_files_stay(photos, shared, umask):
    def load():
        found = images.load_folder(photos, 16, workers=1, progress=False)
        return np.array(found.images), found.groups, os.path.dirname(found.images.filename)

    first, second, again = (as_user(user, umask, load) for user in (FIRST, SECOND, FIRST))
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[0], again[0])
    assert first[1].tolist() == second[1].tolist()
    assert first[2] == again[2] == str(shared)
    assert all(path.stat().st_mode & 0o777 == 0o666 & ~umask for path in shared.iterdir())
    if umask != 0o077:  # pixels and facts: one for both
        assert len(list(shared.iterdir())) == 2 and second[2] == str(shared)


def test_what_must_be_decoded_again_is_replaced_or_kept_beside(photos, shared):
    def load():
        return np.array(images.load_folder(photos, 16, workers=1, progress=False).images)

    first = as_user(FIRST, 0o022, load)
    facts = next(shared.glob("*.json"))
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"reading": [0, kinds.heic_is_read()]}))
    os.chown(facts, FIRST, GROUP)
    before = contents(shared)
    assert np.array_equal(as_user(SECOND, 0o022, load), first)
    if shared.stat().st_mode & 0o1000:
        assert before.items() <= contents(shared).items()
        mine = {path.name for path in shared.iterdir() if path.stat().st_uid == SECOND}
        assert len(mine) == 2 and all(f"-{SECOND}." in name for name in mine)
        assert not list(places.user_cache().glob(".new-*"))


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_both_get_drawn_batik(photos, shared, umask):
    def draw():
        folder = motifs.cached_dataset(0, [1, 1, 1], 32, progress=False)
        return {path.name: path.read_bytes() for path in folder.rglob("*.png")}, str(folder.parent)

    first, second, again = (as_user(user, umask, draw) for user in (FIRST, SECOND, FIRST))
    assert first[0] == second[0] == again[0] and len(first[0]) == 3
    assert first[1] == again[1] == str(shared)
