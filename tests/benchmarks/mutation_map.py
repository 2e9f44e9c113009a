"""Which test calls which function of the package, also in processes it starts: how mutation.py finds a mutant's tests.

A run of the tests without any change is watched by a pytest plugin, which notes every function that is entered, and by
the same few lines in each Python process below it. A fixture's calls belong to every test that asks for the fixture,
not only to the first.
"""

import ast
import contextlib
import os
import pickle
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

Function = tuple[str, int]  # file below the package, first line (of the decorators)
# what a child process runs first: Python imports sitecustomize from its path. Its calls go to a file named by the sink
CHILD = """
import atexit, os, pickle, sys, threading
_root, _folder, _sink = (os.environ.get("MUTATION_MAP_" + name, "") for name in ("ROOT", "FOLDER", "SINK"))
if _sink:
    _calls = set()
    def _note(frame, event, argument):
        if frame.f_code.co_filename.startswith(_root):
            _calls.add((frame.f_code.co_filename[len(_root):], frame.f_code.co_firstlineno))
    def _write():
        sys.settrace(None)
        with open(os.path.join(_folder, f"{os.getpid()}.calls"), "wb") as file:
            pickle.dump((_sink, _calls), file)
    _exit = os._exit
    def _leave(code):  # in a hurry, past what atexit would do
        _write()
        _exit(code)
    os._exit = _leave
    atexit.register(_write)
    threading.settrace(_note)
    sys.settrace(_note)
"""


@dataclass
class Map:
    """What each test calls, itself and through fixtures, and the seconds it takes; the quickest tests come first."""

    calls: dict[str, set[Function]] = field(default_factory=dict)
    alone: dict[str, bool] = field(default_factory=dict)  # calls nothing itself: it looks at signatures, or at files
    seconds: dict[str, float] = field(default_factory=dict)

    def entering(self, functions: set[Function]) -> list[str]:
        """The tests that enter one of the functions."""
        return self._quickest(test for test, called in self.calls.items() if called & functions)

    def touching(self, files: set[str]) -> list[str]:
        """The tests that enter any function of the files."""
        return self._quickest(test for test, called in self.calls.items() if any(name in files for name, _ in called))

    def silent(self) -> list[str]:
        """The tests that enter no function."""
        return self._quickest(test for test, alone in self.alone.items() if alone)

    def _quickest(self, tests: Iterable[str]) -> list[str]:
        return sorted(tests, key=lambda test: self.seconds[test])


class Watch:
    """The plugin; `map()` after the run."""

    def __init__(self, package: Path, folder: Path) -> None:
        self.root, self.folder = f"{package}{os.sep}", folder
        self.called: dict[str, set[Function]] = defaultdict(set)  # by sink: a test or a fixture
        self.seconds: dict[str, float] = defaultdict(float)
        self.fixtures: dict[str, set[str]] = {}  # of each test
        self.sinks: list[str] = []
        (folder / "sitecustomize.py").write_text(CHILD)
        os.environ |= {"MUTATION_MAP_ROOT": self.root, "MUTATION_MAP_FOLDER": str(folder)}

    @contextlib.contextmanager
    def sink(self, name: str):
        """What is called inside belongs to the test or fixture of this name."""
        self.sinks.append(name)
        os.environ["MUTATION_MAP_SINK"] = name
        calls, begin = self.called[name], time.monotonic()

        def note(frame, event, argument):  # of calls only: each line of a plain Python kernel would take for ever
            if frame.f_code.co_filename.startswith(self.root):
                calls.add((frame.f_code.co_filename[len(self.root) :], frame.f_code.co_firstlineno))

        before = sys.gettrace()
        threading.settrace(note)
        sys.settrace(note)
        try:
            yield
        finally:
            sys.settrace(before)
            threading.settrace(before)  # type: ignore[arg-type]
            self.seconds[name] += time.monotonic() - begin
            self.sinks.pop()
            os.environ["MUTATION_MAP_SINK"] = self.sinks[-1] if self.sinks else ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self.fixtures[item.nodeid] = {
            f"fixture {definition.baseid} {name}"
            for name, definitions in item._fixtureinfo.name2fixturedefs.items()
            for definition in definitions
        }
        with self.sink(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        with self.sink(f"fixture {fixturedef.baseid} {fixturedef.argname}"):
            return (yield)

    def map(self) -> Map:
        for path in self.folder.glob("*.calls"):
            sink, calls = pickle.loads(path.read_bytes())
            self.called[sink] |= calls
        made = Map()
        for test, fixtures in self.fixtures.items():
            made.calls[test] = set().union(self.called[test], *(self.called[name] for name in fixtures))
            made.alone[test], made.seconds[test] = not self.called[test], self.seconds[test]
        return made


def function_around(tree: ast.Module, line: int) -> int | None:
    """First line of the innermost function whose body has the line, its decorators included; None outside of bodies.

    A default runs at import, whatever function it belongs to.
    """
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.body[0].lineno <= line <= (node.end_lineno or node.lineno)
    ]
    inner = max(around, key=lambda node: node.lineno, default=None)
    return None if inner is None else min([inner.lineno, *(d.lineno for d in inner.decorator_list)])


def users(package: Path, name: str) -> set[str]:
    """The files that import this one, also through others of its floor: a compiled kernel or a constant acts there."""
    found, waiting = {name}, [name]
    floor = name.split("/")[0]
    while waiting:
        stem = Path(waiting.pop()).stem
        for path in package.rglob("*.py"):
            other = path.relative_to(package).as_posix()
            if other not in found and path.name != "__init__.py" and imports(path, stem):
                found.add(other)
                if other.split("/")[0] == floor:
                    waiting.append(other)
    return found


def imports(path: Path, stem: str) -> bool:
    """Whether the file imports a module of this name."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return any(stem in ((n.module or "").split(".")[-1], *(alias.name for alias in n.names)) for n in nodes)
