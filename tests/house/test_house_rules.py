"""The rules of the house find what they are for: each is tried on a small made-up package that breaks it."""

from pathlib import Path

import pytest
from house import arrows, floors, privates, rooms


@pytest.fixture
def package(tmp_path):
    """package({"a.py": text, ...}) -> the folder of a package that holds these files; its name is `made_up`."""

    def write(files: dict[str, str]) -> Path:
        for name, text in ({"__init__.py": ""} | files).items():
            path = tmp_path / "made_up" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "made_up"

    return write


def circles_of(folder):
    return [" > ".join(way) for way in arrows.circles(arrows.arrows_of(folder))]


def test_a_row_of_modules_is_no_circle(package):
    folder = package({"a.py": "from . import b, c\n", "b.py": "from .c import x\n", "c.py": "import os\nx = 1\n"})
    assert arrows.arrows_of(folder) == {"": set(), "a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert circles_of(folder) == []


@pytest.mark.parametrize(
    "back",
    [
        "from .a import x\n",
        "from . import a\n",
        "import made_up.a\n",
        "from made_up import a\n",
        "def later():\n    from .a import x\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import x\n",
        "class B:\n    from .a import x\n",
        "import importlib\nimportlib.import_module('made_up.a')\n",
        "from importlib import import_module\nimport_module('.a', __package__)\n",
    ],
)
def test_two_modules_that_import_each_other_are_a_circle_however_it_is_said(package, back):
    assert circles_of(package({"a.py": "from . import b\nx = 1\n", "b.py": back})) == ["a > b > a"]


def test_the_shortest_way_round_is_told_for_each_knot_and_the_knot_has_all(package):
    files = {"a.py": "from . import b\n", "b.py": "from . import c, d\n", "c.py": "from . import a\n"}
    files |= {"d.py": "from . import b\n", "e.py": "from . import a, f\n", "f.py": "from . import e\n"}
    found = arrows.arrows_of(package(files))
    assert arrows.knots(found) == [{"a", "b", "c", "d"}, {"e", "f"}]
    assert arrows.circles(found) == [["b", "d", "b"], ["e", "f", "e"]]


def test_a_folder_hands_names_on_without_being_a_circle_with_its_modules(package):
    folder = package(
        {
            "layers/__init__.py": "from .base import Layer\nfrom .dense import Dense\n",
            "layers/base.py": "class Layer: ...\n",
            "layers/dense.py": "from .base import Layer\n",
            "model.py": "from .layers.dense import Dense\nfrom .layers import Layer\n",
        }
    )
    assert arrows.arrows_of(folder)["model"] == {"layers", "layers.dense"}
    assert arrows.arrows_of(folder)["layers.dense"] == {"layers.base"}
    assert circles_of(folder) == []


@pytest.mark.parametrize(
    "inside",
    [
        "from . import Dense\n",
        "from ..layers import Dense\n",
        "from made_up.layers import Dense\n",
        "from .. import layers\n",
    ],
)
def test_a_module_that_takes_a_name_from_its_own_folder_is_a_circle_with_it(package, inside):
    files = {
        "layers/__init__.py": "from .dense import Dense\nfrom .conv import Conv\n",
        "layers/dense.py": "Dense = 1\n",
    }
    assert circles_of(package(files | {"layers/conv.py": inside + "Conv = 2\n"})) == ["layers > layers.conv > layers"]


def test_a_circle_through_a_folders_init_is_found_where_only_a_module_beneath_it_is_asked_for(package):
    files = {"nn/__init__.py": "from .model import Model\n", "nn/model.py": "from ..images import read\nModel = read\n"}
    files |= {"nn/shapes.py": "", "images.py": "from .nn.shapes import *\nread = 1\n"}
    assert circles_of(package(files)) == ["images > nn > nn.model > images"]


def test_floors_are_kept_and_doors_are_for_one_module(package):
    files = {"errors.py": "", "ops/__init__.py": "", "ops/jit.py": "from ..errors import *\n"}
    files |= {"images/__init__.py": "", "images/warp.py": "from ..ops import jit\n"}
    folder, table = package(files), {"": set(), "errors": set(), "ops": {"errors"}, "images": {"errors"}}
    assert floors.upward(folder, table) == ["images.warp > ops", "images.warp > ops.jit"]
    assert floors.upward(folder, table, {("images.warp", "ops"): "compiled"}) == []
    assert floors.upward(folder, table | {"ops": set()}, {("images.warp", "ops"): ""}) == ["ops.jit > errors"]
    assert floors.missing(folder, table) == set()
    assert floors.missing(folder, {"": set(), "ops": set()}) == {"errors", "images"}


@pytest.mark.parametrize(
    "line",
    [
        "from .other import _y",
        "from numpy import _y",
        "from . import other\nother._y",
        "def f(model):\n    model._y = 1",
        "def f(model):\n    return model.layers[0]._y()",
        "class A(Base):\n    def f(self):\n        return self.friend._y",
        "def f(x):\n    return getattr(x, '_y', None)",
        "def f(x):\n    return hasattr(x, '_y')",
        "def f(x):\n    x._y = 1\n    x.y._y = 2",
    ],
)
def test_somebody_elses_underscore_is_found(package, line):
    found = privates.foreign_privates(package({"a.py": line + "\n"}))
    assert {(file, name) for file, _, name in found} == {("a.py", "_y")}


@pytest.mark.parametrize(
    "line",
    [
        "class A(Base):\n    def f(self):\n        return self._y + super()._y",
        "class A(Base):\n    @classmethod\n    def f(cls):\n        return cls._y",
        "class A:\n    def f(self):\n        self._y = 1\n    def g(self, other):\n        return other._y == 1",
        "class A:\n    def _y(self): ...\ndef f(a):\n    a._y()",
        "class A:\n    _y: int = 1\ndef f(a):\n    return getattr(a, '_y')",
        "_y, _z = 1, 2\ndef _f():\n    return _y",
        "import os\nos._exit(1)",
        "def f(pair):\n    return pair._replace(x=1)",
        "def f(x):\n    return x.__dict__, x.__class__, getattr(x, '__name__')",
        "from __future__ import annotations\nfor _ in range(3):\n    pass",
    ],
)
def test_ones_own_underscore_is_ones_own(package, line):
    assert privates.foreign_privates(package({"a.py": line + "\n"})) == []


def test_sizes_are_counted_to_the_line(package):
    folder = package({"a.py": "x = 1\n" * 4, "b.py": "x = 1\n" * 5})
    assert rooms.large_modules(folder, 4) == ["b.py: 5"]
    body = "@decorated\ndef f():\n    '''Say.'''\n    x = 1\n    return x\nclass A:\n    def g(self):\n        pass\n"
    folder = package({"a.py": body, "b.py": "", "c.py": "async def h():\n" + "    pass\n" * 5})
    assert rooms.large_functions(folder, 4) == ["a.py:2 f: 5", "c.py:1 h: 6"]
    assert rooms.large_functions(folder, 5) == ["c.py:1 h: 6"]


def test_a_module_says_what_it_is(package):
    assert rooms.without_docstring(package({"__init__.py": "'''It.'''", "a.py": "x = 1\n", "b.py": "'''Say.'''"})) == [
        "a.py"
    ]


@pytest.mark.parametrize(
    "line",
    ["def f(): ...", "class A: ...", "x = 1", "x: int = 1", "if True:\n    x = 1", "print(1)", "__getattr__ = 1"],
)
def test_an_init_that_defines_something_is_found(package, line):
    tidy = "'''Say.'''\nfrom .a import x\nimport os\n__all__ = ['x']\n"
    assert rooms.defining_inits(package({"nn/a.py": "x = 1\n", "nn/__init__.py": tidy})) == []
    assert rooms.defining_inits(package({"nn/__init__.py": tidy + line + "\n"})) == ["nn/__init__.py:5"]


def test_the_packages_own_init_may_load_lazily_and_no_more(package):
    own = "'''It.'''\n__version__ = '1'\ndef __getattr__(name): ...\n"
    assert rooms.defining_inits(package({"__init__.py": own})) == []
    assert rooms.defining_inits(package({"__init__.py": own + "def helper(): ...\n"})) == ["__init__.py:4"]


def test_type_checking_is_found_in_both_spellings(package):
    folder = package(
        {"a.py": "from typing import TYPE_CHECKING\n", "b.py": "import typing\nif typing.TYPE_CHECKING:\n    pass\n"}
    )
    assert rooms.type_checking(folder) == ["a.py:1", "b.py:2"]
    assert rooms.type_checking(package({"a.py": "x = 1\n", "b.py": "import typing\n"})) == []


def test_importers_of_a_library_are_found_inside_functions_too(package):
    folder = package(
        {"a.py": "def f():\n    from numba import njit\n", "b.py": "import numba.core, os\n", "c.py": "numba = 1\n"}
    )
    assert rooms.importers_of(folder, ["numba", "threadpoolctl"]) == {"a.py": {"numba"}, "b.py": {"numba"}}


def test_long_lines_are_counted_in_letters_and_tables_and_code_may_be_long(tmp_path):
    code, text = tmp_path / "a.py", tmp_path / "a.md"
    code.write_text("x" * 120 + "\n" + "# " + "é" * 119 + "\n" + "é" * 120 + "\n", encoding="utf-8")
    assert rooms.long_lines([code], tmp_path) == ["a.py:2"]
    long = "word " * 30
    text.write_text(f"{long}\n| {long}|\n```\n{long}\n```\n{'x' * 130}\n- {long}\n")
    assert rooms.long_lines([text], tmp_path) == ["a.md:1", "a.md:7"]
