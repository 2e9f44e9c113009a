"""Every bug of the museum is caught, named, and has its story."""

import inspect
from collections import Counter

import pytest

from batik_scratch.learn import museum
from batik_scratch.learn.bugs import EXHIBITS, ROOMS, Exhibit, exhibit
from batik_scratch.nn import ReLU

# what design and textbooks list: each has to hang somewhere
EXPECTED_DIAGNOSES = {
    "constant factor", "wrong sign", "transposed", "kernel not flipped", "shifted by one", "bias summed over the wrong axes",
    "only the last overlap kept", "zero in a region", "mask missing", "right for stride 1 alone", "mutated upstream gradient",
    "diagonal only", "mask taken from the gradient", "axes mixed up", "no bias correction", "t counts tensors",
}  # fmt: skip


@pytest.mark.parametrize("one", EXHIBITS, ids=lambda e: e.name)
def test_every_bug_is_caught_in_its_tensor_and_called_by_its_name(one):
    seen = museum.visit(one)
    assert seen.caught and seen.error > 1e-5
    assert [d.name for d in seen.diagnoses] == [one.diagnosis]  # this one, and none of the others


@pytest.mark.parametrize("one", EXHIBITS, ids=lambda e: e.name)
def test_every_bug_tells_its_story(one):
    assert set(one.story) == {"What", *exhibit.LABELS} and all(len(text) > 10 for text in one.story.values())


def test_every_bug_hangs_in_a_room_once():
    assert len({one.name for one in EXHIBITS}) == len(EXHIBITS) >= 28
    assert {one.diagnosis for one in EXHIBITS} >= EXPECTED_DIAGNOSES
    for room in ROOMS:
        made = {name for name, member in vars(room).items() if getattr(member, "__module__", "") == room.__name__}
        assert made == {one.name for one in room.EXHIBITS}, room.__name__


def test_a_right_layer_is_no_bug_and_the_table_says_so():
    right = Exhibit(ReLU(), "dx", "mask missing", (4, 5))
    seen = museum.visit(right)
    assert not seen.caught and not seen.named
    lines = museum.table([seen, museum.visit(EXHIBITS[0])]).splitlines()
    assert "NOT CAUGHT" in lines[1] and "it is: mask missing" in lines[1]
    assert lines[-2:] == ["1 of 2 bugs named by the doctor", "1 of 2 bugs caught"]


def test_a_bug_in_another_tensor_than_the_exhibit_says_does_not_count():
    stride = EXHIBITS[0]
    assert not museum.visit(Exhibit(stride.bug, "bias", stride.diagnosis, stride.shape)).caught


def test_the_doctor_never_looks_at_names():
    for module in (
        museum.diagnose.__module__,
        "batik_scratch.learn.symptoms.altered",
        "batik_scratch.learn.symptoms.sums",
    ):
        source = inspect.getsource(__import__(module, fromlist=["x"]))
        assert not any(word in source for word in ("__name__", "getsource", "isinstance(layer"))
    assert max(Counter(one.diagnosis for one in EXHIBITS).values()) < len(EXHIBITS) / 4
