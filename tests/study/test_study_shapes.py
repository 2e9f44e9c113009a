"""What JSON holds is compared with what a TypedDict says, and the first value that does not fit is named."""

import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pytest

from batik_scratch.record.formats import BadRunFile
from batik_scratch.record.shapes import misfit
from batik_scratch.record.stage import MetricsFile


class Part(TypedDict):
    name: str
    share: float


class Whole(TypedDict):
    count: int
    parts: list[Part]
    each: Mapping[str, list[int]]
    flag: NotRequired[bool | None]
    more: NotRequired[Any]
    later: NotRequired[list[int]]


GOOD = {"count": 1, "parts": [{"name": "a", "share": 1}], "each": {"x": [1, 2]}}


@pytest.mark.parametrize(
    "more", [{}, {"flag": None}, {"later": None}, {"flag": True}, {"more": object()}, {"unknown": 3}]
)
def test_what_fits_is_let_through(more):
    assert misfit(GOOD | more, Whole) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"count": True}, "count is True, not a whole number"),
        ({"count": 1.0}, "count is 1.0, not a whole number"),
        ({"count": 2**63}, "count is 9223372036854775808, not a whole number"),
        ({"parts": [{"name": "a", "share": 10**400}]}, "share is 1000.*, not a number"),
        ({"count": None}, "count is None, not a whole number"),
        ({"parts": {}}, "parts is {}, not a list"),
        ({"parts": [{"name": "a"}]}, "lacks share"),
        ({"parts": [*GOOD["parts"], {"name": 3, "share": 1.5}]}, "name is 3, not text"),
        ({"parts": [7]}, r"parts\[0\] is 7, not an object"),
        ({"each": {"x": [1, "2"]}}, r"each\['x'\]\[1\] is '2', not a whole number"),
        ({"each": []}, r"each is \[\], not an object"),
        ({"flag": "yes"}, "flag is 'yes'"),
    ],
)
def test_what_does_not_fit_is_named(changed, words):
    assert re.search(words, misfit(GOOD | changed, Whole) or "")


def test_a_file_of_another_shape_is_refused_by_name(tmp_path):
    file = MetricsFile(tmp_path)
    numbers = {"accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1": 0.5, "accuracy_interval": [0.1, 0.9]}
    each = {name: {"precision": 1, "recall": 1, "f1": 1, "support": 2} for name in "ab"}
    sound = numbers | {"confusion": [[1, 1], [1, 1]], "class_names": ["a", "b"], "per_class": each}
    file.write(sound)
    assert file.read_for(2) == sound
    for changed in (
        {"accuracy": "x"},
        {"confusion": [[1], [1, 1]]},
        {"per_class": {"a": 3}},
        {"accuracy_interval": [0]},
    ):
        file.write(sound | changed)
        with pytest.raises(BadRunFile, match=r"metrics\.json"):
            file.read_for(2)
